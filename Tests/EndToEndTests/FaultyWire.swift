import Foundation
import Synchronization

/// A wire between our processes and a server, which a test can cut, stall and turn elsewhere.
///
/// It listens on a port of loopback and carries bytes to another one. One thread does all of it.
final class FaultyWire: Sendable {
    enum Mode: Sendable {
        case whole
        /// Connections are closed, new ones as soon as they are made: the host is gone.
        case cut
        /// Connections stay and new ones are taken, but no byte passes: the line is half open.
        case stalled
        /// What clients say arrives, and no answer comes back.
        case mute
    }

    private struct Order {
        var mode = Mode.whole
        var target: Int
        /// Grows when connections that stand are to be closed.
        var generation = 0
        var isOver = false
    }

    let port: Int
    private let listener: Int32
    private let order: Mutex<Order>

    var url: String { "redis://127.0.0.1:\(port)" }

    init(to target: Int) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        order = Mutex(Order(target: target))
        var address = FaultyWire.loopback(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = FaultyWire.with(&address) { bind(listener, $0, size) == 0 }
        guard isBound, listen(listener, 64) == 0,
            FaultyWire.with(&address, { getsockname(listener, $0, &size) == 0 })
        else { throw TestCluster.Failure(description: "no port for a wire") }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [self] in run() }
    }

    func set(_ mode: Mode) {
        order.withLock { order in
            order.mode = mode
            if mode == .cut { order.generation += 1 }
        }
    }

    /// From now on connections go to another port; those that stand are closed.
    func turn(to target: Int) {
        order.withLock { order in
            order.target = target
            order.generation += 1
        }
    }

    func close() { order.withLock { $0.isOver = true } }

    // MARK: The thread

    private struct Pair {
        let client: Int32
        let server: Int32
    }

    private func run() {
        var pairs: [Pair] = []
        var generation = 0
        while true {
            let now = order.withLock { $0 }
            if now.isOver || now.generation != generation {
                for pair in pairs { FaultyWire.close(pair) }
                pairs = []
                generation = now.generation
            }
            if now.isOver { break }
            accept(into: &pairs, now)
            if now.mode != .stalled { carry(&pairs, now.mode) } else { usleep(5_000) }
        }
        Foundation.close(listener)
    }

    private func accept(into pairs: inout [Pair], _ now: Order) {
        var polled = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
        guard poll(&polled, 1, 0) > 0 else { return }
        let client = Foundation.accept(listener, nil, nil)
        guard client >= 0 else { return }
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = FaultyWire.loopback(now.target)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isThrough =
            now.mode != .cut && FaultyWire.with(&address) { connect(server, $0, size) == 0 }
        var on: Int32 = 1
        for end in [client, server] {
            setsockopt(end, Int32(IPPROTO_TCP), TCP_NODELAY, &on, 4)
        }
        let pair = Pair(client: client, server: server)
        if isThrough { pairs.append(pair) } else { FaultyWire.close(pair) }
    }

    /// Waits a moment for bytes and hands on what came; takes out pairs that have ended.
    private func carry(_ pairs: inout [Pair], _ mode: Mode) {
        var polled = pairs.flatMap { [$0.client, $0.server] }.map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        polled.append(pollfd(fd: listener, events: Int16(POLLIN), revents: 0))
        guard poll(&polled, nfds_t(polled.count), 20) > 0 else { return }
        for (index, pair) in pairs.enumerated().reversed() {
            let isAlive =
                (polled[2 * index].revents == 0 || pass(pair.client, pair.server))
                && (polled[2 * index + 1].revents == 0
                    || pass(pair.server, mode == .mute ? nil : pair.client))
            if !isAlive {
                FaultyWire.close(pair)
                pairs.remove(at: index)
            }
        }
    }

    /// Hands on what has come, or drops it; false at the end of the stream.
    private func pass(_ source: Int32, _ target: Int32?) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(source, &buffer, buffer.count, 0)
        guard count > 0 else { return false }
        guard let target else { return true }
        var done = 0
        while done < count {
            let sent = buffer[done..<count].withUnsafeBytes {
                send(target, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { return false }
            done += sent
        }
        return true
    }

    private static func close(_ pair: Pair) {
        Foundation.close(pair.client)
        Foundation.close(pair.server)
    }

    private static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
        return address
    }

    private static func with<Value>(
        _ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>) -> Value
    ) -> Value {
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1, body)
        }
    }
}
