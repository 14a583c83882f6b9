internal import Crypto
import Foundation
import JobChannel

/// Hands each incoming connection to whoever started the process on its other end.
///
/// A process proves who it is with a random token that only its environment holds.
actor ChannelHub {
    private let listener: ChannelListener
    private var expected: [String: CheckedContinuation<Arrival?, Never>] = [:]
    private var early: [String: Arrival] = [:]

    struct Arrival: Sendable {
        let connection: ChannelConnection
        let pid: Int32
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
        for waiting in expected.values { waiting.resume(returning: nil) }
        expected = [:]
    }

    nonisolated func close() { listener.close() }

    nonisolated func makeToken() -> String {
        SymmetricKey(size: .bits256).withUnsafeBytes { Array($0).hex }
    }

    /// The connection of the process that holds `token`; nil after `cancel(token)`.
    func arrival(with token: String) async -> Arrival? {
        if let arrival = early.removeValue(forKey: token) { return arrival }
        return await withCheckedContinuation { expected[token] = $0 }
    }

    /// Ends the wait for a process that will not come.
    func cancel(_ token: String) {
        expected.removeValue(forKey: token)?.resume(returning: nil)
        early.removeValue(forKey: token)?.connection.close()
    }

    private func greet(_ connection: ChannelConnection) async {
        guard let hello = try? await connection.receiveHello() else { return connection.close() }
        let arrival = Arrival(connection: connection, pid: hello.pid)
        if let waiting = expected.removeValue(forKey: hello.token) {
            waiting.resume(returning: arrival)
        } else if early.count < 256 {
            // A process can be faster than the code that waits for it.
            early[hello.token] = arrival
        } else {
            connection.close()
        }
    }
}
