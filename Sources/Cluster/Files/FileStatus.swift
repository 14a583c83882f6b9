import Glibc

/// What the system says of one path.
struct FileStatus: Sendable {
    enum Kind: Sendable { case file, folder, link, other }

    let kind: Kind
    let sizeInBytes: Int
    let owner: UInt32
    /// Names the file has.
    let linkCount: Int
    let isExecutable: Bool
    /// Seconds since 1970.
    let modifiedAt: Int

    /// Nil when there is no such path.
    ///
    /// - Parameter followsLinks: whether a link is described itself or what it points to.
    init?(_ path: String, followsLinks: Bool = false) {
        var status = stat()
        let code = followsLinks ? stat(path, &status) : lstat(path, &status)
        guard code == 0 else { return nil }
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .folder
            case S_IFLNK: .link
            default: .other
            }
        sizeInBytes = Int(status.st_size)
        owner = status.st_uid
        linkCount = Int(status.st_nlink)
        isExecutable = status.st_mode & S_IXUSR != 0
        modifiedAt = status.st_mtim.tv_sec
    }
}
