internal import Crypto
import Foundation
import Jobs

/// A new file that is hashed while it is written, and is complete or gone.
struct HashedFile: ~Copyable {
    let path: String
    private let descriptor: Int32
    private let sizeMax: Int64
    private var size: Int64 = 0
    private var hash = SHA256()

    /// - Parameters:
    ///   - path: where no file is yet.
    ///   - sizeMax: bytes; more of them are an error.
    /// - Throws: `.full` or `.unavailable`.
    init(path: String, sizeMax: Int64) throws(BlobStoreError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw HashedFile.failure("create", path) }
        (self.path, self.descriptor, self.sizeMax) = (path, descriptor, sizeMax)
    }

    deinit { close(descriptor) }

    /// - Throws: `.tooLarge`, or `.full` and `.unavailable`; the caller removes the file then.
    mutating func write(_ bytes: UnsafeRawBufferPointer) throws(BlobStoreError) {
        guard Int64(bytes.count) <= sizeMax - size else {
            throw .tooLarge(sizeInBytes: size + Int64(bytes.count), maximum: sizeMax)
        }
        hash.update(bufferPointer: bytes)
        var done = 0
        while done < bytes.count {
            let count = Foundation.write(
                descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw HashedFile.failure("write", path) }
            done += count
        }
        size += Int64(bytes.count)
    }

    /// Brings the bytes to the disk and answers their SHA-256 and number.
    consuming func finish() throws(BlobStoreError) -> (digest: String, sizeInBytes: Int64) {
        guard fsync(descriptor) == 0 else { throw HashedFile.failure("fsync", path) }
        return (hash.finalize().hex, size)
    }

    /// Copies a file to a new one at `path`; answers the digest and number of what was copied.
    ///
    /// Blocks. After a failure there is no file.
    static func copy(
        _ source: String, to path: String, sizeMax: Int64
    ) throws(BlobStoreError) -> (digest: String, sizeInBytes: Int64) {
        let input = open(source, O_RDONLY | O_CLOEXEC)
        guard input >= 0 else { throw failure("open", source) }
        defer { close(input) }
        var file = try HashedFile(path: path, sizeMax: sizeMax)
        do throws(BlobStoreError) {
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
            defer { buffer.deallocate() }
            while true {
                let count = read(input, buffer.baseAddress, buffer.count)
                if count < 0 && errno == EINTR { continue }
                guard count >= 0 else { throw failure("read", source) }
                if count == 0 { break }
                try file.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
            return try file.finish()
        } catch {
            unlink(path)
            throw error
        }
    }

    private static func failure(_ operation: String, _ path: String) -> BlobStoreError {
        let cause = "\(operation) \(path): \(String(cString: strerror(errno)))"
        return errno == ENOSPC || errno == EDQUOT ? .full(cause) : .unavailable(cause)
    }
}
