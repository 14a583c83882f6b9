import Foundation

/// The right to work on a folder: held until this process ends, however it ends.
final class FolderLock: Sendable {
    private let descriptor: Int32

    /// Nil when another process holds it, or the folder cannot be written to.
    ///
    /// - Parameter file: The name in `folder` of what is locked.
    convenience init?(_ folder: String, file: String = "up.lock") {
        try? FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        self.init(open(folder + "/" + file, O_RDWR | O_CREAT | O_CLOEXEC, 0o600))
    }

    /// Locks the folder itself, which stays without a file of ours.
    ///
    /// Nil for what is no folder, when another process holds it, or where that cannot be had:
    /// folders of some network file systems.
    convenience init?(itself folder: String) {
        self.init(open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC))
    }

    private init?(_ descriptor: Int32) {
        guard descriptor >= 0 else { return nil }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            return nil
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }
}
