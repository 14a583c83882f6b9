import Foundation

/// Reads files that came from elsewhere: whole, regular, and no larger than the caller allows.
package enum BoundedFile {
    /// The file's bytes. A pipe, a device or a link in the last place is refused, so that a
    /// directory made by someone else can neither hang a reader nor lead it away.
    package static func read(_ path: String, sizeMax: Int) throws(ModelDirectoryError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { throw .missingFile(path: path) }
            throw failure("open", path)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("inspect", path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .fileSystem(path: path, operation: "read", cause: "it is not a regular file")
        }
        let size = Int(status.st_size)
        guard size <= sizeMax else {
            throw .tooLarge(path: path, sizeInBytes: size, limit: sizeMax)
        }
        return try content(of: descriptor, size: size, path: path)
    }

    private static func content(
        of descriptor: Int32, size: Int, path: String
    ) throws(ModelDirectoryError) -> [UInt8] {
        var failed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let got = Foundation.read(
                    descriptor, buffer.baseAddress?.advanced(by: count), size - count)
                if got < 0, errno == EINTR { continue }
                failed = got < 0
                if got <= 0 { break }
                count += got
            }
        }
        if failed { throw failure("read", path) }
        return bytes
    }

    private static func failure(_ operation: String, _ path: String) -> ModelDirectoryError {
        .fileSystem(path: path, operation: operation, cause: String(cString: strerror(errno)))
    }
}
