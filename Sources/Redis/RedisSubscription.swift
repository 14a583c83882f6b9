import Synchronization

/// Listens to one channel on a connection and a thread of its own, and comes back after losses.
package final class RedisSubscription: Sendable {
    package enum Event: Sendable, Hashable {
        /// Listening has begun, again or for the first time: messages before it may be missed.
        case connected
        case message([UInt8])
    }

    private let isClosed: ClosedFlag

    /// - Parameter handle: called on the subscription's thread; must not block.
    package init(
        _ endpoint: RedisEndpoint, channel: String, _ options: RedisOptions = RedisOptions(),
        handle: @escaping @Sendable (Event) -> Void
    ) {
        let isClosed = ClosedFlag()
        self.isClosed = isClosed
        RedisThread.start("redis-signals") {
            let listener = RedisListener(
                endpoint: endpoint, channel: channel, options: options, isClosed: isClosed,
                handle: handle)
            listener.run()
        }
    }

    deinit { isClosed.set() }

    /// Ends the thread within a quarter of a second.
    package func close() { isClosed.set() }
}

final class ClosedFlag: Sendable {
    private let value = Mutex(false)

    var isSet: Bool { value.withLock { $0 } }

    func set() { value.withLock { $0 = true } }
}

/// The subscription's thread.
private struct RedisListener {
    let endpoint: RedisEndpoint
    let channel: String
    let options: RedisOptions
    let isClosed: ClosedFlag
    let handle: @Sendable (RedisSubscription.Event) -> Void

    /// How often the thread looks whether it should end.
    private static let tick = Duration.milliseconds(250)
    /// A silent connection is asked for a sign of life this often.
    private static let pingInterval = Duration.seconds(5)

    func run() {
        var backoff = Backoff()
        while !isClosed.isSet {
            do throws(RedisError) {
                try listen { backoff.reset() }
            } catch {
                // The loss itself is told by the `connected` that follows it.
                var wait = backoff.next()
                while wait > .zero, !isClosed.isSet {
                    sleepBriefly(min(wait, RedisListener.tick))
                    wait -= RedisListener.tick
                }
            }
        }
    }

    private func listen(onConnected: () -> Void) throws(RedisError) {
        let connection = try RedisConnection(endpoint, options)
        try connection.send([RedisCommand("SUBSCRIBE", channel)])
        if case .error(let error) = try connection.receive() { throw .server(error) }
        onConnected()
        handle(.connected)
        var silence = Duration.zero
        var isPinged = false
        while !isClosed.isSet {
            guard connection.waitForInput(RedisListener.tick) else {
                silence += RedisListener.tick
                guard silence >= RedisListener.pingInterval else { continue }
                guard !isPinged else { throw .lost("no answer to PING") }
                try connection.send([RedisCommand("PING")])
                isPinged = true
                silence = .zero
                continue
            }
            silence = .zero
            isPinged = false
            deliver(try connection.receive())
        }
    }

    private func deliver(_ reply: RESPValue) {
        guard let parts = reply.array, parts.count == 3, parts[0].string == "message",
            let bytes = parts[2].bytes
        else { return }  // PING's answer.
        handle(.message(bytes))
    }
}
