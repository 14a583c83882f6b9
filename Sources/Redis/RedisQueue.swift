import Foundation

/// Commands on their way to a connection, shared by the lanes of one client.
final class RedisQueue: @unchecked Sendable {
    /// A command, and who waits for its reply.
    struct Item {
        let command: RedisCommand
        /// Whether it may be sent again when its reply was lost.
        let isRepeatable: Bool
        let deadline: ContinuousClock.Instant
        let answer: CheckedContinuation<Result<RESPValue, RedisError>, Never>
    }

    /// One batch takes at most this many commands and bytes (one command may be larger).
    private static let batchCountMax = 64
    private static let batchSizeMax = 1 << 20

    // Guarded by `condition`; a condition variable is what lets a thread wait for items.
    private let condition = NSCondition()
    private var items: [Item] = []
    private var isClosed = false
    private let pendingMax: Int

    init(pendingMax: Int) { self.pendingMax = pendingMax }

    func add(_ item: Item) {
        condition.lock()
        let refusal: RedisError? =
            if isClosed {
                .closed
            } else if items.count >= pendingMax {
                .unavailable("\(pendingMax) commands already wait")
            } else {
                nil
            }
        if refusal == nil {
            items.append(item)
            condition.signal()
        }
        condition.unlock()
        if let refusal { item.answer.resume(returning: .failure(refusal)) }
    }

    /// Waits for commands and takes a batch; nil when the client is closed and nothing is left.
    func take() -> [Item]? {
        condition.lock()
        defer { condition.unlock() }
        while items.isEmpty && !isClosed { condition.wait() }
        guard !items.isEmpty else { return nil }
        var size = 0
        var count = 0
        while count < min(items.count, RedisQueue.batchCountMax), size < RedisQueue.batchSizeMax {
            size += items[count].command.body.count
            count += 1
        }
        let batch = Array(items.prefix(count))
        items.removeFirst(count)
        return batch
    }

    /// Puts back what was not done; what has no time left is answered with `error`.
    func giveBack(_ batch: [Item], because error: RedisError) {
        let now = ContinuousClock.now
        condition.lock()
        let isLate = isClosed
        let (kept, late) = (
            batch.filter { !isLate && $0.deadline > now },
            batch.filter { isLate || $0.deadline <= now }
        )
        items.insert(contentsOf: kept, at: 0)
        condition.unlock()
        for item in late { item.answer.resume(returning: .failure(error)) }
    }

    /// Answers commands whose time ran out while the server was away.
    func dropOverdue(because error: RedisError) {
        condition.lock()
        let all = items
        items = []
        condition.unlock()
        giveBack(all, because: error)
    }

    /// Sleeps, or less when the client is closed meanwhile.
    ///
    /// In slices, because a condition waits until a time of day: a clock that is set back by an
    /// hour would make it wait for as long.
    func pause(_ duration: Duration) {
        let end = ContinuousClock.now + duration
        while true {
            condition.lock()
            let isOver = isClosed
            condition.unlock()
            let left = end - ContinuousClock.now
            if isOver || left <= .zero { return }
            sleepBriefly(max(.milliseconds(1), min(left, .milliseconds(20))))
        }
    }

    func close() {
        condition.lock()
        isClosed = true
        condition.broadcast()
        condition.unlock()
    }
}
