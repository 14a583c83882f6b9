package import DecisionForests

import Foundation
import Synchronization

/// Reads files that came from elsewhere: whole, regular, and no larger than the caller allows.
package enum BoundedFile {
    /// The file's bytes. A pipe, a device or a link in the last place is refused, so that a
    /// directory made by someone else can neither hang a reader nor lead it away.
    package static func read(_ path: String, sizeMax: Int) throws(ModelDirectoryError) -> [UInt8] {
        let file = try open(path, sizeMax: sizeMax)
        defer { close(file.descriptor) }
        var got = Content(end: 0)
        let bytes = [UInt8](unsafeUninitializedCapacity: file.size) { buffer, count in
            got = content(of: file.descriptor, into: UnsafeMutableRawBufferPointer(buffer))
            count = got.end
        }
        if got.code != 0 { throw failure("read", path, code: got.code) }
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
        var got = Content(end: 0)
        let storage = ByteStorage(pagesFor: file.size) { buffer in
            got = content(of: file.descriptor, into: buffer)
            return got.end
        }
        guard let storage else { throw failure("read", path, code: ENOMEM) }
        if got.code != 0 { throw failure("read", path, code: got.code) }
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

    /// How far a file could be read.
    private struct Content {
        /// Bytes before the first that is not there.
        var end: Int
        /// The system's code of what went wrong, or 0.
        var code: Int32 = 0
    }

    /// What a thread reads at once: a huge page of a `ByteStorage`, which no two of them ask for.
    private static let pieceSize = 2 << 20

    /// Fills `buffer` from the file, as far as it goes. Threads share a large file: getting memory
    /// costs as much as filling it.
    private static func content(
        of descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer
    ) -> Content {
        let found = Mutex(Content(end: buffer.count))
        nonisolated(unsafe) let buffer = buffer
        HelperPool.shared.forEach(
            (buffer.count + pieceSize - 1) / pieceSize, threads: HelperPool.loadThreadCount
        ) { piece, _ in
            let end = min(buffer.count, (piece + 1) * pieceSize)
            let got = read(descriptor, piece * pieceSize..<end, of: buffer)
            guard got.end < end else { return }
            found.withLock {
                $0.end = min($0.end, got.end)
                $0.code = $0.code == 0 ? got.code : $0.code
            }
        }
        return found.withLock { $0 }
    }

    /// Reads these bytes of the file to their places in `buffer`, as far as it has them.
    private static func read(
        _ descriptor: Int32, _ range: Range<Int>, of buffer: UnsafeMutableRawBufferPointer
    ) -> Content {
        var end = range.lowerBound
        while end < range.upperBound {
            let got = pread(
                descriptor, buffer.baseAddress?.advanced(by: end), range.upperBound - end,
                off_t(end))
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { return Content(end: end, code: errno) }
            if got == 0 { break }
            end += got
        }
        return Content(end: end)
    }

    private static func failure(
        _ operation: String, _ path: String, code: Int32 = errno
    ) -> ModelDirectoryError {
        .fileSystem(path: path, operation: operation, cause: String(cString: strerror(code)))
    }
}
