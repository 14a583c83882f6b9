import Foundation
import Jobs
import Synchronization

/// Carries the lines of one job from its processes to the store, in order and in batches.
///
/// `append` is called by output pumps on threads of their own and blocks while `linesMax` lines wait:
/// the job then waits for the store. When nothing could be stored for `stallMax`, lines are dropped and
/// counted instead, so that a store that is away does not stop the job.
final class JobLog: Sendable {
    static let linesMax = 20_000
    static let batchMax = 500
    static let stallMax = Duration.seconds(3)
    /// How long a line waits for company.
    static let delay = Duration.milliseconds(20)

    private struct State {
        var lines: [LogLine] = []
        var droppedCount = 0
        var isShipping = false
        var lastProgress = ContinuousClock.now
    }
    private let state = Mutex(State())
    private let job: JobID
    private let store: any JobStore

    init(job: JobID, store: any JobStore) {
        self.job = job
        self.store = store
    }

    func append(_ stream: LogLine.Stream, prefix: String, text: String, endsWithLineFeed: Bool) {
        let line = LogLine(
            stream: stream, prefix: prefix, text: text, endsWithLineFeed: endsWithLineFeed,
            time: Int64(Date().timeIntervalSince1970 * 1_000))
        while true {
            enum Outcome { case taken(start: Bool), full }
            let outcome: Outcome = state.withLock { state in
                if state.lines.count >= JobLog.linesMax {
                    if ContinuousClock.now - state.lastProgress < JobLog.stallMax { return .full }
                    state.droppedCount += 1
                    return .taken(start: false)
                }
                if state.lines.isEmpty { state.lastProgress = .now }
                state.lines.append(line)
                defer { state.isShipping = true }
                return .taken(start: !state.isShipping)
            }
            switch outcome {
            case .taken(let start):
                if start { Task { await ship() } }
                return
            case .full:
                usleep(2_000)
            }
        }
    }

    /// A line of the system itself ("worker-2 stopped answering; the task runs again").
    func note(_ text: String) {
        append(.system, prefix: "", text: text, endsWithLineFeed: true)
    }

    /// Returns when every line appended before is in the store, or `limit` has passed.
    func flush(within limit: Duration = .seconds(5)) async {
        let deadline = ContinuousClock.now + limit
        while ContinuousClock.now < deadline {
            let isIdle = state.withLock { !$0.isShipping && $0.lines.isEmpty }
            if isIdle { return }
            try? await Task.sleep(for: .milliseconds(2))
        }
    }

    private func ship() async {
        var pause = JobLog.delay
        while true {
            try? await Task.sleep(for: pause)
            let batch = takeBatch()
            if batch.isEmpty {
                let isDone = state.withLock { state in
                    guard state.lines.isEmpty && state.droppedCount == 0 else { return false }
                    state.isShipping = false
                    return true
                }
                if isDone { return }
                continue
            }
            do {
                try await store.appendLogs(batch, to: job)
                state.withLock { $0.lastProgress = .now }
                pause = batch.count == JobLog.batchMax ? .zero : JobLog.delay
            } catch {
                // Back to the front, in order; the store is away and will be asked again.
                state.withLock { $0.lines.insert(contentsOf: batch, at: 0) }
                pause = min(.seconds(1), max(.milliseconds(50), pause * 2))
            }
        }
    }

    private func takeBatch() -> [LogLine] {
        state.withLock { state in
            var batch = Array(state.lines.prefix(JobLog.batchMax))
            state.lines.removeFirst(batch.count)
            if state.lines.isEmpty && state.droppedCount > 0 {
                batch.append(
                    LogLine(
                        stream: .system, prefix: "",
                        text: "\(state.droppedCount) lines dropped: the log could not be stored",
                        time: Int64(Date().timeIntervalSince1970 * 1_000)))
                state.droppedCount = 0
            }
            return batch
        }
    }
}
