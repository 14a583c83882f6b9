package import DecisionForests

import Foundation

/// Reads files that came from elsewhere: whole, regular, and no larger than the caller allows.
package enum BoundedFile {
    /// The file's bytes. A pipe, a device or a link in the last place is refused, so that a
    /// directory made by someone else can neither hang a reader nor lead it away.
    package static func read(_ path: String, sizeMax: Int) throws(ModelDirectoryError) -> [UInt8] {
        let file = try open(path, sizeMax: sizeMax)
        defer { close(file.descriptor) }
        var failed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: file.size) { buffer, count in
            let got = content(of: file.descriptor, into: UnsafeMutableRawBufferPointer(buffer))
            failed = got == nil
            count = got ?? 0
        }
        if failed { throw failure("read", path) }
        return bytes
    }

    /// The same bytes in memory that goes back to the system when they are let go: what a large
    /// file is read into.
    ///
    /// It is no view of the file, since a file that is cut short while it is mapped ends the
    /// process that looks at it.
    package static func storage(
        _ path: String, sizeMax: Int
    ) throws(ModelDirectoryError) -> ByteStorage {
        let file = try open(path, sizeMax: sizeMax)
        defer { close(file.descriptor) }
        var got: Int? = 0
        let storage = ByteStorage(pagesFor: file.size) { buffer in
            got = content(of: file.descriptor, into: buffer)
            return got ?? 0
        }
        guard let storage, got != nil else { throw failure("read", path) }
        return storage
    }

    private static func open(
        _ path: String, sizeMax: Int
    ) throws(ModelDirectoryError) -> (descriptor: Int32, size: Int) {
        let descriptor = Foundation.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { throw .missingFile(path: path) }
            throw failure("open", path)
        }
        do throws(ModelDirectoryError) {
            return (descriptor, try size(of: descriptor, path, sizeMax: sizeMax))
        } catch {
            close(descriptor)
            throw error
        }
    }

    private static func size(
        of descriptor: Int32, _ path: String, sizeMax: Int
    ) throws(ModelDirectoryError) -> Int {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("inspect", path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .fileSystem(path: path, operation: "read", cause: "it is not a regular file")
        }
        let size = Int(status.st_size)
        guard size <= sizeMax else {
            throw .tooLarge(path: path, sizeInBytes: size, limit: sizeMax)
        }
        return size
    }

    /// Fills `buffer` from the file, as far as it goes; how far, or nil if reading failed.
    private static func content(
        of descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        var count = 0
        while count < buffer.count {
            let got = Foundation.read(
                descriptor, buffer.baseAddress?.advanced(by: count), buffer.count - count)
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { return nil }
            if got == 0 { break }
            count += got
        }
        return count
    }

    private static func failure(_ operation: String, _ path: String) -> ModelDirectoryError {
        .fileSystem(path: path, operation: operation, cause: String(cString: strerror(errno)))
    }
}
