import Foundation

/// The folder of a running worker: its socket and the scratch folders of its jobs.
///
/// It is locked while the worker lives. What a killed worker left behind is known by its free lock,
/// and removed by the next worker that starts beside it.
final class RuntimeFolder: Sendable {
    let path: String
    private let lock: Int32

    /// Makes the folder for this user alone.
    ///
    /// - Throws: `RuntimeFolderError` when another worker uses it or a stranger could.
    init(_ path: String) throws {
        self.path = path
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        let parent = (path as NSString).deletingLastPathComponent
        try RuntimeFolder.checkOwner(of: path, mayBeRoot: false)
        // Whoever owns the folder above could put another one in this one's place.
        try RuntimeFolder.checkOwner(of: parent, mayBeRoot: true)
        guard let lock = RuntimeFolder.takeLock(in: path, makes: true) else {
            throw RuntimeFolderError(path: path, reason: "another worker uses it")
        }
        self.lock = lock
        RuntimeFolder.removeAbandoned(in: parent, except: path)
    }

    /// Removes everything, at the end of the worker.
    func remove() {
        // What cannot be removed now goes when another worker starts.
        try? FileManager.default.removeItem(atPath: path)
    }

    deinit { close(lock) }

    private static func checkOwner(of path: String, mayBeRoot: Bool) throws {
        guard let status = FileStatus(path), status.kind == .folder else {
            throw RuntimeFolderError(path: path, reason: "it is no folder")
        }
        guard status.owner == geteuid() || mayBeRoot && status.owner == 0 else {
            throw RuntimeFolderError(path: path, reason: "it belongs to another user")
        }
    }

    /// Nil when a living worker holds it.
    private static func takeLock(in folder: String, makes: Bool) -> Int32? {
        let flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | (makes ? O_CREAT : 0)
        let descriptor = open(folder + "/lock", flags, 0o600)
        guard descriptor >= 0 else { return nil }
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return descriptor }
        close(descriptor)
        return nil
    }

    private static func removeAbandoned(in parent: String, except own: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
        for name in names where "\(parent)/\(name)" != own {
            let folder = "\(parent)/\(name)"
            guard let lock = takeLock(in: folder, makes: false) else { continue }
            try? FileManager.default.removeItem(atPath: folder)
            close(lock)
        }
    }
}

struct RuntimeFolderError: Error, CustomStringConvertible {
    let path: String
    let reason: String

    var description: String { "\(path) cannot be the worker's folder: \(reason)." }
}
