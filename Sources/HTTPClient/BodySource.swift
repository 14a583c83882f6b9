internal import Foundation

/// A regular file, or a part of one, that is sent as a request's body, read as libcurl asks for it.
final class BodySource {
    /// Bytes to be sent.
    let size: Int64
    /// Where they begin in the file.
    private let start: Int64
    private let path: String
    private let descriptor: Int32
    private(set) var failure: HTTPClientError?
    private var sent: Int64 = 0

    /// - Parameter part: which bytes; nil: all of them.
    init(
        path: String, part: (offset: Int64, count: Int64)? = nil
    ) throws(HTTPClientError) {
        self.path = path
        start = part?.offset ?? 0
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw .fileFailed(path: path, cause: String(cString: strerror(errno)))
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .fileFailed(path: path, cause: "it is not a regular file")
        }
        let whole = Int64(status.st_size)
        size = part?.count ?? whole
        guard start >= 0, size >= 0, start <= whole, size <= whole - start else {
            close(descriptor)
            throw .fileFailed(path: path, cause: "it has only \(whole) bytes")
        }
    }

    deinit {
        close(descriptor)
    }

    /// Fills `buffer`; `nil` when the file gave fewer bytes than were promised to the server.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        let wanted = min(buffer.count, Int(size - sent))
        guard wanted > 0 else { return 0 }
        while true {
            let count = pread(descriptor, buffer.baseAddress, wanted, off_t(start + sent))
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                let cause = count == 0 ? "it became shorter" : String(cString: strerror(errno))
                failure = .fileFailed(path: path, cause: cause)
                return nil
            }
            sent += Int64(count)
            return count
        }
    }

    /// libcurl starts again after a redirect or on a new connection.
    func seek(to offset: Int64) -> Bool {
        guard (0...size).contains(offset) else { return false }
        sent = offset
        return true
    }
}
