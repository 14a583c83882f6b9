internal import Crypto
import Foundation
import JobChannel

/// Hands each incoming connection to whoever started the process on its other end.
///
/// A process proves who it is with a random token that only its environment holds. Tokens that were
/// not made here, or were used or cancelled, are refused.
actor ChannelHub {
    private let listener: ChannelListener
    private var expected: [String: Expectation] = [:]
    private var isClosed = false

    struct Arrival: Sendable {
        let connection: ChannelConnection
        let pid: Int32
    }

    private enum Expectation {
        /// Made; neither the process nor its waiter came yet.
        case open
        case waitedFor(CheckedContinuation<Arrival?, Never>)
        /// A process can be faster than the code that waits for it.
        case arrived(Arrival)
    }

    nonisolated var path: String { listener.path }

    init(path: String) throws {
        listener = try ChannelListener(path: path)
    }

    /// Accepts until `close`.
    func run() async {
        await withDiscardingTaskGroup { group in
            for await connection in listener.connections {
                group.addTask { await self.greet(connection) }
            }
        }
        isClosed = true
        for token in Array(expected.keys) { cancel(token) }
    }

    nonisolated func close() { listener.close() }

    /// A token for one process to come; `arrival` or `cancel` uses it up.
    func makeToken() -> String {
        let token = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0).hex }
        if !isClosed { expected[token] = .open }
        return token
    }

    /// The connection of the process that holds `token`; nil after `cancel(token)` or `close`.
    func arrival(with token: String) async -> Arrival? {
        switch expected[token] {
        case .arrived(let arrival)?:
            expected[token] = nil
            return arrival
        case .open?:
            return await withCheckedContinuation { expected[token] = .waitedFor($0) }
        case .waitedFor?, nil:
            return nil
        }
    }

    /// Ends the wait for a process that will not come.
    func cancel(_ token: String) {
        switch expected.removeValue(forKey: token) {
        case .waitedFor(let waiter)?: waiter.resume(returning: nil)
        case .arrived(let arrival)?: arrival.connection.close()
        case .open?, nil: break
        }
    }

    private func greet(_ connection: ChannelConnection) async {
        // Whoever says no hello, or says it wrongly, has been told by `receiveHello`.
        guard let hello = try? await connection.receiveHello() else { return connection.close() }
        let arrival = Arrival(connection: connection, pid: hello.pid)
        switch expected[hello.token] {
        case .waitedFor(let waiter)?:
            expected[hello.token] = nil
            waiter.resume(returning: arrival)
        case .open?:
            expected[hello.token] = .arrived(arrival)
        case .arrived?, nil:
            // The peer may be gone already; either way the connection ends here.
            try? connection.send(
                ChannelMessage(.refused(request: 0, reason: "no process has this token")))
            connection.close()
        }
    }
}
