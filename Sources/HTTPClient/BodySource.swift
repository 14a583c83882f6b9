internal import Foundation

/// A regular file that is sent as a request's body, read as libcurl asks for it.
final class BodySource {
    let size: Int64
    private let path: String
    private let descriptor: Int32
    private(set) var failure: HTTPClientError?
    private var sent: Int64 = 0

    init(path: String) throws(HTTPClientError) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw .fileFailed(path: path, cause: String(cString: strerror(errno)))
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .fileFailed(path: path, cause: "it is not a regular file")
        }
        size = Int64(status.st_size)
    }

    deinit {
        close(descriptor)
    }

    /// Fills `buffer`; `nil` when the file gave fewer bytes than were promised to the server.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        let wanted = min(buffer.count, Int(size - sent))
        guard wanted > 0 else { return 0 }
        while true {
            let count = pread(descriptor, buffer.baseAddress, wanted, off_t(sent))
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
