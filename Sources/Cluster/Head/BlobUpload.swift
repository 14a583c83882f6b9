internal import Crypto
import Foundation
import Hummingbird
import Jobs
import NIOCore

/// One blob on its way from a client to the store: hashed while it is written to a file of its own,
/// so that an upload costs no memory.
struct BlobUpload {
    let blobs: any BlobStore
    /// Holds the file while it grows.
    let directory: String
    let sizeMax: Int

    /// - Throws: `HeadFailure` 413, or 400 for a zip file that no worker would unpack;
    ///   `BlobStoreError.damaged` when the bytes have another digest.
    func receive(_ body: RequestBody, digest: String) async throws {
        let path = "\(directory)/manta-upload-\(UUID().uuidString)"
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure(path) }
        defer {
            close(file)
            unlink(path)
        }
        guard try await write(body, to: file, path) == digest else {
            throw BlobStoreError.damaged(digest)
        }
        try await BlockingWork.run { try BlobUpload.checkPackage(path) }
        guard try await blobs.put(fileAt: path) == digest else {
            throw BlobStoreError.damaged(digest)
        }
    }

    /// Answers the digest of what was written.
    private func write(_ body: RequestBody, to file: Int32, _ path: String) async throws -> String {
        var hash = SHA256()
        var size = 0
        for try await buffer in body {
            size += buffer.readableBytes
            guard size <= sizeMax else {
                throw HeadFailure(413, "too_large", "the body has more than \(sizeMax) bytes")
            }
            try buffer.withUnsafeReadableBytes { bytes in
                hash.update(bufferPointer: bytes)
                var done = 0
                while done < bytes.count {
                    let count = Foundation.write(
                        file, bytes.baseAddress?.advanced(by: done), bytes.count - done)
                    if count < 0 && errno == EINTR { continue }
                    guard count > 0 else { throw failure(path) }
                    done += count
                }
            }
        }
        return hash.finalize().hex
    }

    /// What begins like a zip file is a working directory.
    private static func checkPackage(_ path: String) throws {
        let start = FileHandle(forReadingAtPath: path)?.readData(ofLength: 4) ?? Data()
        guard start == Data("PK\u{3}\u{4}".utf8) || start == Data("PK\u{5}\u{6}".utf8) else {
            return
        }
        do {
            try ZipArchive.check(fileAt: path)
        } catch let error as ZipError {
            throw HeadFailure(400, "invalid_package", "\(error)")
        }
    }

    private func failure(_ path: String) -> HeadFailure {
        HeadFailure(
            507, "no_space", "\(path) cannot be written: \(String(cString: strerror(errno)))")
    }
}
