import Foundation
import Jobs
import Synchronization

/// Carries the lines of one job from its processes to the store, in order and in batches.
///
/// `append` is called by output pumps on threads of their own and blocks while the queue is full:
/// the job then waits for the store. When nothing could be stored for `stallMax`, lines are dropped
/// and counted instead, so that a store that is away does not stop the job. So are lines beyond
/// what `LogAllowance` takes of a flood; a job that floods does not wait for the store any more. A
/// line in the log says how many are missing, in their place.
final class JobLog: Sendable {
    static let linesMax = 20_000
    static let bytesMax = 16 << 20
    static let batchMax = 500
    static let batchMaxInBytes = 1 << 20
    static let stallMax = Duration.seconds(3)
    /// How long a line waits for company.
    static let delay = Duration.milliseconds(20)

    private let queue: Mutex<Queue>
    private let wakeup = Wakeup()
    private let job: JobID
    private let store: any JobStore

    init(job: JobID, store: any JobStore, allowance: LogAllowance = LogAllowance()) {
        self.job = job
        self.store = store
        queue = Mutex(Queue(allowance: allowance))
    }

    /// - Parameter waits: whether to block the thread while the queue is full; asynchronous code
    ///   must not, and loses the line instead.
    func append(
        _ stream: LogLine.Stream, prefix: String, text: String, endsWithLineFeed: Bool,
        waits: Bool = true
    ) {
        let line = LogLine(
            stream: stream, prefix: prefix, text: text, endsWithLineFeed: endsWithLineFeed,
            time: JobLog.now)
        while true {
            switch queue.withLock({ $0.take(line, waits: waits) }) {
            case .taken(isFirst: true):
                Task { await ship() }
                return
            case .taken, .dropped:
                return
            case .full:
                usleep(2_000)
            }
        }
    }

    /// A line of the system itself ("The driver runs again …").
    func note(_ text: String) {
        append(.system, prefix: "", text: text, endsWithLineFeed: true, waits: false)
    }

    /// Returns when every line appended before is in the store, or `limit` has passed.
    func flush(within limit: Duration = .seconds(5)) async {
        if queue.withLock({ $0.isAllStored }) { return }
        let number = queue.withLock { $0.nextWaiter() }
        let timer = Task {
            try await Task.sleep(for: limit)
            queue.withLock { $0.waiters.removeValue(forKey: number) }?.continuation.resume()
        }
        await withCheckedContinuation { continuation in
            let isStored = queue.withLock { $0.isStored(orWait: continuation, as: number) }
            if isStored {
                continuation.resume()
            } else if queue.withLock({ $0.beginsShipping() }) {
                // What a flood dropped last is still to be told.
                Task { await ship() }
            } else {
                wakeup.wake()
            }
        }
        timer.cancel()
    }

    /// Runs while there are lines; one at a time.
    private func ship() async {
        var pause = JobLog.delay
        while true {
            await wakeup.wait(atMost: pause)
            guard let batch = queue.withLock({ $0.takeBatch() }) else { return }
            do {
                try await store.appendLogs(batch, to: job)
                let satisfied = queue.withLock { $0.stored(batch) }
                for waiter in satisfied { waiter.resume() }
                pause = queue.withLock { $0.holdsBatch } ? .zero : JobLog.delay
            } catch {
                // The store is away and will be asked again.
                queue.withLock { $0.putBack(batch) }
                pause = min(.seconds(1), max(.milliseconds(50), pause * 2))
            }
        }
    }

    fileprivate static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1_000) }
}

extension JobLog {
    /// The lines that wait, and who waits for them.
    private struct Queue {
        enum Taken { case taken(isFirst: Bool), dropped, full }

        private var lines: [LogLine] = []
        private var allowance: LogAllowance
        private var droppedCount = 0
        private var floodedCount = 0
        /// Of all lines that are not stored yet.
        private var bytes = 0
        /// Lines ever taken, and ever stored; what is between is in `lines` or on its way.
        private var takenCount = 0
        private var storedCount = 0
        private var isShipping = false
        private var lastProgress = ContinuousClock.now
        private var lastWaiter = 0
        var waiters: [Int: (target: Int, continuation: CheckedContinuation<Void, Never>)] = [:]

        init(allowance: LogAllowance) { self.allowance = allowance }

        var holdsBatch: Bool {
            lines.count >= JobLog.batchMax || bytes >= JobLog.batchMaxInBytes
        }

        mutating func take(_ line: LogLine, waits: Bool) -> Taken {
            if isFilled(to: 1) {
                let isStalled = ContinuousClock.now - lastProgress >= JobLog.stallMax
                if waits && !isStalled && !allowance.isFlooded {
                    allowance.waited(until: .now)
                    return .full
                }
                if isStalled || !allowance.isFlooded {
                    droppedCount += 1
                    return .dropped
                }
                allowance.dropsUntilRoom()
            }
            let hasRoom = !isFilled(to: 0.5)
            guard allowance.takes(bytes: line.text.utf8.count, at: .now, hasRoom: hasRoom) else {
                floodedCount += 1
                return .dropped
            }
            if takenCount == storedCount { lastProgress = .now }
            markDropped()
            put(line)
            return .taken(isFirst: beginsShipping())
        }

        /// - Parameter share: of what the queue holds.
        private func isFilled(to share: Double) -> Bool {
            Double(takenCount - storedCount) >= Double(JobLog.linesMax) * share
                || Double(bytes) >= Double(JobLog.bytesMax) * share
        }

        /// Whether the caller is the one who has to ship from now on.
        mutating func beginsShipping() -> Bool {
            defer { isShipping = true }
            return !isShipping
        }

        private mutating func put(_ line: LogLine) {
            lines.append(line)
            bytes += line.text.utf8.count
            takenCount += 1
        }

        private mutating func markDropped() {
            if droppedCount > 0 {
                mark("\(droppedCount) lines dropped: the log could not be stored")
                droppedCount = 0
            }
            if floodedCount > 0 {
                mark("\(floodedCount) lines dropped: the job printed more than a log takes")
                floodedCount = 0
            }
        }

        private mutating func mark(_ text: String) {
            put(LogLine(stream: .system, prefix: "", text: text, time: JobLog.now))
        }

        /// Nil, and the end of shipping, when nothing waits.
        mutating func takeBatch() -> [LogLine]? {
            // A flood that goes on is told when it ends, or when somebody waits for all of it.
            if lines.isEmpty, droppedCount > 0 || !waiters.isEmpty { markDropped() }
            guard !lines.isEmpty else {
                isShipping = false
                return nil
            }
            var count = 0
            var size = 0
            while count < min(lines.count, JobLog.batchMax), size < JobLog.batchMaxInBytes {
                size += lines[count].text.utf8.count
                count += 1
            }
            defer { lines.removeFirst(count) }
            return Array(lines[..<count])
        }

        mutating func putBack(_ batch: [LogLine]) {
            lines.insert(contentsOf: batch, at: 0)
        }

        mutating func stored(_ batch: [LogLine]) -> [CheckedContinuation<Void, Never>] {
            storedCount += batch.count
            bytes -= batch.reduce(0) { $0 + $1.text.utf8.count }
            lastProgress = .now
            let satisfied = waiters.filter { $0.value.target <= storedCount }
            for number in satisfied.keys { waiters[number] = nil }
            return satisfied.values.map(\.continuation)
        }

        /// How many lines will have been stored when all is, the marks of dropped ones included.
        private var target: Int {
            takenCount + (droppedCount > 0 ? 1 : 0) + (floodedCount > 0 ? 1 : 0)
        }

        var isAllStored: Bool { target <= storedCount }

        mutating func nextWaiter() -> Int {
            lastWaiter += 1
            return lastWaiter
        }

        /// Whether all is stored; else keeps the caller until it is. A mark of dropped lines
        /// counts.
        mutating func isStored(
            orWait continuation: CheckedContinuation<Void, Never>, as number: Int
        ) -> Bool {
            if isAllStored { return true }
            waiters[number] = (target, continuation)
            return false
        }
    }
}
