import Glibc
import Synchronization

/// A small HTTP/1.1 server over plain sockets whose answers are written by the test, byte by byte
/// if need be: connections that break, stall, flood or speak nonsense.
///
/// One thread per connection. It ends with `stop`, or with the test process.
package final class TestHTTPServer: Sendable {
    package struct Request: Sendable {
        package let method: String
        /// Path and query, as sent.
        package let target: String
        /// Names in lower case.
        package let headers: [String: String]
        package let body: [UInt8]
        /// Which connection it came on, counted from 1.
        package let connection: Int

        package var path: String { String(target.prefix { $0 != "?" }) }
        package var bodyText: String { String(decoding: body, as: UTF8.self) }
    }

    package enum Step: Sendable {
        case bytes([UInt8])
        case wait(Duration)
        /// Holds the connection open until the client closes it.
        case waitForClose
        /// Closes orderly (FIN).
        case close
        /// Closes with a reset (RST).
        case reset
    }

    package struct Reply: Sendable {
        package var steps: [Step]

        package init(_ steps: [Step]) {
            self.steps = steps
        }

        /// A complete answer; the connection stays open.
        package static func answer(
            _ status: Int = 200, headers: [String: String] = [:], _ body: String = ""
        ) -> Reply {
            answer(status, headers: headers, bytes: Array(body.utf8))
        }

        package static func answer(
            _ status: Int = 200, headers: [String: String] = [:], bytes: [UInt8]
        ) -> Reply {
            var head = "HTTP/1.1 \(status) Test\r\n"
            for (name, value) in headers { head += "\(name): \(value)\r\n" }
            head += "Content-Length: \(bytes.count)\r\n\r\n"
            return Reply([.bytes(Array(head.utf8) + bytes)])
        }

        package static func json(_ body: String, status: Int = 200) -> Reply {
            answer(status, headers: ["Content-Type": "application/json"], body)
        }

        package static func raw(_ text: String, then steps: Step...) -> Reply {
            Reply([.bytes(Array(text.utf8))] + steps)
        }
    }

    private struct State {
        var requests: [Request] = []
        var connectionCount = 0
        var closedByClientCount = 0
        var isStopped = false
        var open: Set<Int32> = []
    }

    private let listener: Int32
    package let port: UInt16
    private let shared: Shared

    /// What the threads hold, so that they do not keep the server itself alive.
    private final class Shared: Sendable {
        let state = Mutex(State())
        let handler: @Sendable (Request) -> Reply

        init(_ handler: @escaping @Sendable (Request) -> Reply) {
            self.handler = handler
        }
    }

    package init(_ handler: @escaping @Sendable (Request) -> Reply) throws {
        shared = Shared(handler)
        listener = try Sockets.listen()
        port = try Sockets.port(of: listener)
        let (listener, shared) = (listener, shared)
        Sockets.startThread { TestHTTPServer.accept(listener, shared) }
    }

    package var url: String { "http://127.0.0.1:\(port)" }
    package var requests: [Request] { shared.state.withLock { $0.requests } }
    package var connectionCount: Int { shared.state.withLock { $0.connectionCount } }
    /// Connections that ended while the server still wanted to write or wait.
    package var closedByClientCount: Int { shared.state.withLock { $0.closedByClientCount } }

    package func stop() {
        let wasStopped = shared.state.withLock { state in
            defer { state.isStopped = true }
            for descriptor in state.open { shutdown(descriptor, Int32(SHUT_RDWR)) }
            return state.isStopped
        }
        guard !wasStopped else { return }
        // Refuses connections from now on. Its thread closes it: the number must not go to another
        // socket while that thread may still accept on it.
        shutdown(listener, Int32(SHUT_RDWR))
    }

    private static func accept(_ listener: Int32, _ shared: Shared) {
        defer { close(listener) }
        while true {
            let descriptor = Glibc.accept(listener, nil, nil)
            if descriptor < 0 && errno == EINTR { continue }
            guard descriptor >= 0 else { return }
            let number: Int? = shared.state.withLock { state in
                guard !state.isStopped else { return nil }
                state.connectionCount += 1
                state.open.insert(descriptor)
                return state.connectionCount
            }
            guard let number else {
                close(descriptor)
                return
            }
            Sockets.startThread { serve(descriptor, number, shared) }
        }
    }

    private static func serve(_ descriptor: Int32, _ number: Int, _ shared: Shared) {
        defer {
            shared.state.withLock { _ = $0.open.remove(descriptor) }
            close(descriptor)
        }
        var pending: [UInt8] = []
        while let request = Sockets.readRequest(descriptor, &pending, connection: number) {
            shared.state.withLock { $0.requests.append(request) }
            for step in shared.handler(request).steps {
                guard play(step, on: descriptor, shared) else { return }
            }
        }
    }

    /// False when the connection is over.
    private static func play(_ step: Step, on descriptor: Int32, _ shared: Shared) -> Bool {
        switch step {
        case .bytes(let bytes):
            guard Sockets.write(bytes, to: descriptor) else {
                shared.state.withLock { $0.closedByClientCount += 1 }
                return false
            }
            return true
        case .wait(let duration):
            usleep(UInt32(duration / .microseconds(1)))
            return true
        case .waitForClose:
            var byte: UInt8 = 0
            while recv(descriptor, &byte, 1, 0) > 0 {}
            shared.state.withLock { $0.closedByClientCount += 1 }
            return false
        case .close:
            return false
        case .reset:
            var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
            setsockopt(
                descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
            return false
        }
    }
}
