import Glibc

/// The few socket calls the test server stands on.
enum Sockets {
    struct Failure: Error {
        let call: String
        let number = errno
    }

    static func listen() throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(call: "socket") }
        var address = loopback(port: 0)
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0, Glibc.listen(descriptor, 128) == 0 else { throw Failure(call: "listen") }
        return descriptor
    }

    static func port(of descriptor: Int32) throws -> UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &length)
            }
        }
        guard code == 0 else { throw Failure(call: "getsockname") }
        return UInt16(bigEndian: address.sin_port)
    }

    /// A port that nobody listens on now.
    static func freePort() throws -> UInt16 {
        let probe = try listen()
        defer { close(probe) }
        return try port(of: probe)
    }

    static func connect(port: UInt16) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(call: "socket") }
        var address = loopback(port: port)
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else {
            close(descriptor)
            throw Failure(call: "connect")
        }
        return descriptor
    }

    private static func loopback(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Appends what has arrived; false at the end of the connection.
    static func read(_ descriptor: Int32, _ bytes: inout [UInt8]) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return false }
            bytes += buffer[..<count]
            return true
        }
    }

    /// One request; bytes of the next one stay in `pending`. `nil` at the end of the connection.
    static func readRequest(
        _ descriptor: Int32, _ pending: inout [UInt8], connection: Int
    ) -> TestHTTPServer.Request? {
        let end = Array("\r\n\r\n".utf8)
        var headEnd = pending.firstRange(of: end)
        while headEnd == nil {
            guard read(descriptor, &pending) else { return nil }
            headEnd = pending.firstRange(of: end)
        }
        guard let headEnd else { return nil }
        let lines = String(decoding: pending[..<headEnd.lowerBound], as: UTF8.self)
            .split(separator: "\r\n")
        let words = (lines.first ?? "").split(separator: " ")
        guard words.count == 3 else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = String(
                line[line.index(after: colon)...].drop { $0 == " " })
        }
        let length = Int(headers["content-length"] ?? "0") ?? 0
        while pending.count < headEnd.upperBound + length {
            guard read(descriptor, &pending) else { return nil }
        }
        let body = Array(pending[headEnd.upperBound..<headEnd.upperBound + length])
        pending.removeFirst(headEnd.upperBound + length)
        return TestHTTPServer.Request(
            method: String(words[0]), target: String(words[1]), headers: headers, body: body,
            connection: connection)
    }

    static func startThread(_ body: @escaping @Sendable () -> Void) {
        final class Box {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        var thread = pthread_t()
        let context = Unmanaged.passRetained(Box(body)).toOpaque()
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
                return nil
            }, context)
        if code == 0 { pthread_detach(thread) }
    }
}

extension TestHTTPServer {
    /// Sends a request on to another server on this machine and answers with its bytes.
    package static func forward(_ request: Request, toPort port: UInt16) -> Reply {
        guard let descriptor = try? Sockets.connect(port: port) else {
            return .answer(502, "the other server is away")
        }
        defer { close(descriptor) }
        var head = "\(request.method) \(request.target) HTTP/1.1\r\nConnection: close\r\n"
        for (name, value) in request.headers where name != "connection" {
            head += "\(name): \(value)\r\n"
        }
        head += "\r\n"
        guard Sockets.write(Array(head.utf8) + request.body, to: descriptor) else {
            return .answer(502, "the other server went away")
        }
        var answer: [UInt8] = []
        while Sockets.read(descriptor, &answer) {}
        return Reply([.bytes(answer), .close])
    }
}
