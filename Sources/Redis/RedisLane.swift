/// One thread's work: keeps a connection and feeds it from the queue.
struct RedisLane {
    private let endpoint: RedisEndpoint
    private let options: RedisOptions
    private let queue: RedisQueue
    private var connection: RedisConnection?
    private var backoff = Backoff()

    init(_ endpoint: RedisEndpoint, _ options: RedisOptions, _ queue: RedisQueue) {
        self.endpoint = endpoint
        self.options = options
        self.queue = queue
    }

    /// Returns when the queue is closed and empty.
    mutating func run() {
        while let batch = queue.take() {
            if let connection, connection.isStale { self.connection = nil }
            do throws(RedisError) {
                serve(batch, on: try connected())
            } catch {
                refuse(batch, because: error)
            }
        }
    }

    private mutating func connected() throws(RedisError) -> RedisConnection {
        if let connection { return connection }
        let fresh = try RedisConnection(endpoint, options)
        connection = fresh
        return fresh
    }

    /// No connection: nothing of the batch was done.
    private mutating func refuse(_ batch: [RedisQueue.Item], because error: RedisError) {
        if case .server = error {
            // Wrong password and the like do not pass by waiting.
            for item in batch { item.answer.resume(returning: .failure(error)) }
            return
        }
        queue.giveBack(batch, because: error)
        queue.pause(backoff.next())
        queue.dropOverdue(because: error)
    }

    private mutating func serve(_ batch: [RedisQueue.Item], on connection: RedisConnection) {
        var answered = 0
        var postponed: [RedisQueue.Item] = []
        do throws(RedisError) {
            try connection.send(batch.map(\.command))
            while answered < batch.count {
                let reply = try connection.receive()
                if case .error(let error) = reply, error.isTransient {
                    postponed.append(batch[answered])
                } else {
                    batch[answered].answer.resume(returning: .success(reply))
                }
                answered += 1
            }
            if postponed.isEmpty { backoff.reset() }
        } catch {
            self.connection = nil
            giveUpOrRepeat(batch[answered...], because: error)
        }
        guard !postponed.isEmpty else { return }
        // The server loads its data, or became a replica: another connection may do better.
        self.connection = nil
        queue.giveBack(postponed, because: .unavailable("the server asks to wait"))
        queue.pause(backoff.next())
    }

    /// The connection broke with these unanswered: they may or may not have been done.
    private func giveUpOrRepeat(_ items: ArraySlice<RedisQueue.Item>, because error: RedisError) {
        var items = items
        if case .replyTooLarge = error {
            // Asking again would answer as much again.
            items.popFirst()?.answer.resume(returning: .failure(error))
        }
        for item in items where !item.isRepeatable {
            item.answer.resume(returning: .failure(error))
        }
        queue.giveBack(items.filter(\.isRepeatable), because: error)
    }
}
