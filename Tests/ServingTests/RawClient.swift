import Dispatch
import Foundation
import Glibc

/// One TCP connection that sends bytes as they are and reads replies as they come.
///
/// Its calls block, so they run on threads of their own: the server under test needs the pool's.
final class RawClient: @unchecked Sendable {
    struct Reply: Sendable {
        var status = 0
        /// Names in lower case.
        var headers: [String: String] = [:]
        var body: [UInt8] = []
        /// The status line's protocol.
        var version = ""

        var text: String { String(decoding: body, as: UTF8.self) }

        /// The body as JSON, or nil.
        func json() -> [String: Any]? {
            (try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any]
        }

        /// A 422's list.
        func details() -> [[String: Any]] { json()?["detail"] as? [[String: Any]] ?? [] }
    }

    struct Failure: Error {
        let text: String
    }

    private let descriptor: Int32
    private let queue = DispatchQueue(label: "raw-client")
    private var buffer: [UInt8] = []

    init(port: Int, timeout: Int = 20) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Failure(text: "connect: \(errno)") }
        var time = timeval(tv_sec: timeout, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, size)
        var yes: Int32 = 1
        setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes,
            socklen_t(MemoryLayout<Int32>.size))
    }

    deinit { Glibc.close(descriptor) }

    /// Sends a request with the usual headers and reads its reply.
    func call(
        _ method: String, _ path: String, body: String? = nil, headers: [String: String] = [:]
    ) async throws -> Reply {
        try await call(method, path, bytes: body.map { Array($0.utf8) }, headers: headers)
    }

    func call(
        _ method: String, _ path: String, bytes: [UInt8]?, headers: [String: String] = [:]
    ) async throws -> Reply {
        var fields = ["Host": "localhost"].merging(headers) { $1 }
        if let bytes {
            fields["Content-Length"] = String(bytes.count)
            if fields["Content-Type"] == nil { fields["Content-Type"] = "application/json" }
        }
        let lines = fields.filter { !$0.value.isEmpty }.map { "\($0.key): \($0.value)\r\n" }
        let head = "\(method) \(path) HTTP/1.1\r\n" + lines.sorted().joined() + "\r\n"
        try await send(Array(head.utf8) + (bytes ?? []))
        return try await reply(hasBody: method != "HEAD")
    }

    func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) async throws {
        try await run {
            var offset = 0
            while offset < bytes.count {
                let count = bytes.withUnsafeBytes {
                    Glibc.send(
                        self.descriptor, $0.baseAddress.map { $0 + offset }, $0.count - offset,
                        Int32(MSG_NOSIGNAL))
                }
                // A server that has answered and closed need not take the rest.
                if count <= 0 { return }
                offset += count
            }
        }
    }

    /// Reads one reply: its head, then as many bytes as it announces.
    func reply(hasBody: Bool = true) async throws -> Reply {
        try await run {
            while true {
                let reply = try self.readReply(hasBody: hasBody)
                if reply.status != 100 { return reply }
            }
        }
    }

    /// True when the server closes the connection without sending more.
    func isClosedByServer() async throws -> Bool {
        try await run { try self.buffer.isEmpty && self.fill() == 0 }
    }

    private func readReply(hasBody: Bool) throws -> Reply {
        let separator: [UInt8] = [13, 10, 13, 10]
        while buffer.firstRange(of: separator) == nil {
            guard try fill() > 0 else { throw Failure(text: "closed before a reply") }
        }
        guard let end = buffer.firstRange(of: separator) else { throw Failure(text: "no head") }
        let head = String(decoding: buffer[..<end.lowerBound], as: UTF8.self)
        buffer.removeSubrange(..<end.upperBound)
        var reply = Reply()
        for (index, line) in head.components(separatedBy: "\r\n").enumerated() {
            if index == 0 {
                let parts = line.split(separator: " ")
                reply.version = String(parts[0])
                reply.status = Int(parts[1]) ?? 0
            } else if let colon = line.firstIndex(of: ":") {
                reply.headers[line[..<colon].lowercased()] = line[line.index(after: colon)...]
                    .trimmingCharacters(in: .whitespaces)
            }
        }
        let length = hasBody ? Int(reply.headers["content-length"] ?? "0") ?? 0 : 0
        while buffer.count < length {
            guard try fill() > 0 else { throw Failure(text: "closed inside a body") }
        }
        reply.body = Array(buffer.prefix(length))
        buffer.removeFirst(length)
        return reply
    }

    private func fill() throws -> Int {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = chunk.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
        if count < 0, errno == EAGAIN || errno == EWOULDBLOCK { throw Failure(text: "timed out") }
        buffer += chunk.prefix(max(0, count))
        return max(0, count)
    }

    private func run<Value: Sendable>(
        _ work: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result(catching: work)) }
        }
    }
}
