internal import Foundation

/// Where the bytes of a response go. Called on the loop's thread, for one transfer.
protocol BodySink: AnyObject, Sendable {
    /// Takes the bytes, or answers false to be offered the same bytes again after `resume`.
    func accept(_ bytes: UnsafeRawBufferPointer, status: Int) throws(HTTPClientError) -> Bool
}

/// Keeps the whole body in memory, up to a limit.
final class MemorySink: BodySink, @unchecked Sendable {
    // Written by the loop's thread until the transfer ends, read by the caller after that; the
    // continuation in between orders the two.
    private(set) var bytes: [UInt8] = []
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    func accept(_ chunk: UnsafeRawBufferPointer, status: Int) throws(HTTPClientError) -> Bool {
        guard chunk.count <= limit - bytes.count else { throw .tooLarge(limit: limit) }
        bytes.append(contentsOf: chunk)
        return true
    }
}

/// Writes a successful answer's body to a new file; keeps another answer's body in memory.
final class FileSink: BodySink, @unchecked Sendable {
    // Ordered as in `MemorySink`.
    private let path: String
    private let limit: Int
    private let errorSink: MemorySink
    private var descriptor: Int32 = -1
    private var written = 0

    init(path: String, limit: Int, errorBodyMax: Int) {
        self.path = path
        self.limit = limit
        errorSink = MemorySink(limit: errorBodyMax)
    }

    var errorBody: [UInt8] { errorSink.bytes }

    func accept(_ chunk: UnsafeRawBufferPointer, status: Int) throws(HTTPClientError) -> Bool {
        guard (200..<300).contains(status) else {
            return try errorSink.accept(chunk, status: status)
        }
        guard chunk.count <= limit - written else { throw .tooLarge(limit: limit) }
        try openIfNeeded()
        var rest = chunk
        while !rest.isEmpty {
            let count = write(descriptor, rest.baseAddress, rest.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw failure() }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
        written += chunk.count
        return true
    }

    /// Closes the file of a successful answer (an empty one gets its empty file here).
    func commit(status: Int) throws(HTTPClientError) {
        guard (200..<300).contains(status) else { return }
        try openIfNeeded()
        let code = close(descriptor)
        descriptor = -1
        guard code == 0 else {
            let error = failure()
            unlink(path)
            throw error
        }
    }

    /// Removes what was written. A file that was there before is not touched.
    func discard() {
        guard descriptor >= 0 else { return }
        close(descriptor)
        descriptor = -1
        unlink(path)
    }

    private func openIfNeeded() throws(HTTPClientError) {
        guard descriptor < 0 else { return }
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure() }
    }

    private func failure() -> HTTPClientError {
        .fileFailed(path: path, cause: String(cString: strerror(errno)))
    }
}
