import Foundation
import Glibc

/// One HTTP/1.1 connection of a load test: sends the same bytes again and again and reads just
/// enough of each reply to know where it ends.
///
/// It blocks its thread. A connection that breaks, or that the server closes, is opened anew.
final class LoadConnection {
    /// Why there is no reply.
    enum Failure: Error {
        case cannotConnect(String)
        case broken
        case timedOut
        case notHTTP
    }

    private let address: LoadAddress
    private let request: [UInt8]
    private let timeout: Int
    private var descriptor: Int32 = -1
    private var buffer: [UInt8] = []

    /// - Parameter timeoutInSeconds: for any one step of a reply.
    init(_ address: LoadAddress, request: [UInt8], timeoutInSeconds: Int) {
        self.address = address
        self.request = request
        timeout = timeoutInSeconds
    }

    deinit { closeSocket() }

    /// Sends the request and reads its reply to the end; answers the status.
    ///
    /// An idle connection may have been closed by the server: then the request goes over a new one,
    /// once, as every HTTP client does.
    func exchange() throws(Failure) -> Int {
        let isReused = descriptor >= 0
        do throws(Failure) {
            return try exchangeOnce()
        } catch {
            closeSocket()
            guard isReused, case .broken = error, buffer.isEmpty else { throw error }
        }
        do throws(Failure) {
            return try exchangeOnce()
        } catch {
            closeSocket()
            throw error
        }
    }

    private func exchangeOnce() throws(Failure) -> Int {
        if descriptor < 0 { try open() }
        buffer.removeAll(keepingCapacity: true)
        try sendAll()
        return try readReply()
    }

    private func open() throws(Failure) {
        descriptor = try address.connect()
        var time = timeval(tv_sec: timeout, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, size)
        var yes: Int32 = 1
        setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes,
            socklen_t(MemoryLayout<Int32>.size))
    }

    private func closeSocket() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    private func sendAll() throws(Failure) {
        var offset = 0
        while offset < request.count {
            let count = request.withUnsafeBytes {
                Glibc.send(
                    descriptor, $0.baseAddress?.advanced(by: offset), $0.count - offset,
                    Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw errno == EAGAIN ? .timedOut : .broken }
            offset += count
        }
    }

    private func readReply() throws(Failure) -> Int {
        let separator: [UInt8] = [13, 10, 13, 10]
        var headEnd = buffer.firstRange(of: separator)
        while headEnd == nil {
            guard buffer.count < 64 << 10 else { throw .notHTTP }
            guard try fill() else { throw .broken }
            headEnd = buffer.firstRange(of: separator)
        }
        guard let end = headEnd else { throw .notHTTP }
        let head = String(decoding: buffer[..<end.lowerBound], as: UTF8.self).lowercased()
        guard head.hasPrefix("http/1."), let status = Int(head.dropFirst(9).prefix(3)) else {
            throw .notHTTP
        }
        buffer.removeSubrange(..<end.upperBound)
        let isLast = try readBody(head)
        if isLast { closeSocket() }
        return status
    }

    /// Passes the body over; true when the connection ends with it.
    private func readBody(_ head: String) throws(Failure) -> Bool {
        let lines = head.split(separator: "\r\n").dropFirst()
        func field(_ name: String) -> String? {
            lines.first { $0.hasPrefix(name + ":") }.map {
                $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces)
            }
        }
        if let length = field("content-length").flatMap({ Int($0) }), length >= 0 {
            try skip(length)
        } else if field("transfer-encoding")?.contains("chunked") == true {
            try skipChunks()
        } else {
            while try fill() { buffer.removeAll(keepingCapacity: true) }
            return true
        }
        return field("connection") == "close" || head.hasPrefix("http/1.0")
    }

    private func skip(_ count: Int) throws(Failure) {
        var left = count
        while left > 0 {
            if buffer.isEmpty, try !fill() { throw .broken }
            let taken = min(left, buffer.count)
            buffer.removeFirst(taken)
            left -= taken
        }
    }

    private func skipChunks() throws(Failure) {
        while true {
            let line = try readLine()
            guard let size = Int(line.prefix { $0.isHexDigit }, radix: 16), size >= 0 else {
                throw .notHTTP
            }
            try skip(size)
            if size == 0 {
                // Trailers end with an empty line.
                while try !readLine().isEmpty {}
                return
            }
            _ = try readLine()
        }
    }

    private func readLine() throws(Failure) -> String {
        while true {
            if let end = buffer.firstRange(of: [13, 10] as [UInt8]) {
                defer { buffer.removeSubrange(..<end.upperBound) }
                return String(decoding: buffer[..<end.lowerBound], as: UTF8.self)
            }
            guard buffer.count < 8 << 10 else { throw .notHTTP }
            guard try fill() else { throw .broken }
        }
    }

    /// False at the end of the stream.
    private func fill() throws(Failure) -> Bool {
        while true {
            let (count, code) = withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 16) {
                bytes in
                let count = recv(descriptor, bytes.baseAddress, bytes.count, 0)
                let code = errno
                if count > 0 { buffer += UnsafeRawBufferPointer(rebasing: bytes[..<count]) }
                return (count, code)
            }
            if count < 0, code == EINTR { continue }
            if count < 0, code == EAGAIN { throw .timedOut }
            guard count >= 0 else { throw .broken }
            return count > 0
        }
    }
}

/// Where a load test sends its requests.
struct LoadAddress: Sendable {
    let host: String
    let port: Int
    /// What the Host field says.
    let authority: String
    /// Path and query.
    let target: String

    /// - Throws: `SettingError` for what is no http URL.
    init(_ text: String) throws {
        let whole = text.contains("://") ? text : "http://" + text
        guard let parts = URLComponents(string: whole), let host = parts.host, !host.isEmpty else {
            throw SettingError(
                "'\(text.prefix(200))' is no URL such as http://localhost:8000/predict.")
        }
        guard parts.scheme == "http" else {
            throw SettingError("a load test speaks http, not \(parts.scheme ?? "that").")
        }
        // Brackets belong to the URL, not to the address.
        self.host = host.trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        port = parts.port ?? 80
        authority = parts.port.map { "\(host):\($0)" } ?? host
        let path = parts.percentEncodedPath.isEmpty ? "/" : parts.percentEncodedPath
        target = path + (parts.percentEncodedQuery.map { "?" + $0 } ?? "")
    }

    /// A connected socket, whose owner closes it.
    func connect() throws(LoadConnection.Failure) -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &found)
        guard code == 0 else { throw .cannotConnect(String(cString: gai_strerror(code))) }
        defer { freeaddrinfo(found) }
        var cause = "no address"
        var next = found
        while let one = next?.pointee {
            let descriptor = socket(
                one.ai_family, one.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), one.ai_protocol)
            if descriptor >= 0 {
                if Glibc.connect(descriptor, one.ai_addr, one.ai_addrlen) == 0 {
                    return descriptor
                }
                cause = String(cString: strerror(errno))
                Glibc.close(descriptor)
            }
            next = one.ai_next
        }
        throw .cannotConnect(cause)
    }
}
