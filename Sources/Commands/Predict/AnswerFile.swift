import Foundation

/// A file that is written beside its place and moved there whole, so that nobody ever reads half
/// of one.
final class AnswerFile: Sendable {
    private let path: String
    private let temporary: String
    private let descriptor: Int32

    /// A new file for `path`, whose folder must be there; what is at `path` stays until the end.
    init(_ path: String) throws {
        let url = URL(fileURLWithPath: path).standardizedFileURL
        self.path = url.path
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder),
            isFolder.boolValue
        {
            throw CommandFailure(
                "\(path) is a folder; --output names a file.", code: ExitStatus.conflict)
        }
        temporary =
            url.deletingLastPathComponent().appendingPathComponent(
                ".\(url.lastPathComponent).\(getpid())-\(UInt16.random(in: 0 ... .max)).partial"
            ).path
        descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw Self.failure(path) }
    }

    deinit { close(descriptor) }

    /// Writes all bytes behind those before.
    func append(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { buffer in
            var offset = 0
            while offset < buffer.count {
                let count = write(
                    descriptor, buffer.baseAddress?.advanced(by: offset), buffer.count - offset)
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { throw Self.failure(path) }
                offset += count
            }
        }
    }

    /// Puts the file at its place.
    func moveIn() throws {
        guard fsync(descriptor) == 0, rename(temporary, path) == 0 else { throw Self.failure(path) }
    }

    /// Removes what was written.
    func discard() { unlink(temporary) }

    private static func failure(_ path: String) -> CommandFailure {
        CommandFailure("\(path) cannot be written: \(String(cString: strerror(errno))).")
    }
}
