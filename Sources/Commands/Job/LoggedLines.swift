import Cluster
import Jobs

/// What a job's log holds of attempts that the cluster ended by itself, whose last lines no worker
/// told.
///
/// A line of the log says which kind of task printed it, in which process, on which worker; not in
/// which attempt. So these are the last lines of that kind, there, until then: often the attempt's
/// own, but another task's too when several ran.
struct LoggedLines {
    /// Lines of one attempt that are shown.
    static let shownMax = 10
    /// The worker's clock, and what was on its way when the attempt ended.
    static let slackInMilliseconds: Int64 = 2_000

    private struct Wanted {
        let task: String
        let number: Int
        let prefixStart: String
        let prefixEnd: String
        /// Milliseconds since 1970.
        let times: ClosedRange<Int64>
        var lines: [String] = []

        func takes(_ line: LogLine) -> Bool {
            guard line.stream != .system, times.contains(line.time) else { return false }
            return prefixStart.isEmpty
                ? line.prefix.isEmpty
                : line.prefix.hasPrefix(prefixStart) && line.prefix.hasSuffix(prefixEnd)
        }
    }
    private var wanted: [Wanted] = []

    /// - Parameter tasks: as the head lists dead ones.
    init(of tasks: [TaskDetails]) {
        for task in tasks {
            var before: Int64 = 0
            for attempt in task.attempts {
                let end = max(before, attempt.endedAt + LoggedLines.slackInMilliseconds)
                if attempt.linesUnknown == true {
                    wanted.append(
                        Wanted(
                            task: task.id, number: attempt.number,
                            prefixStart: task.kind == "driver" ? "" : "(\(task.name) pid=",
                            prefixEnd: ", node=\(attempt.worker)) ", times: before...end))
                }
                before = max(before, attempt.endedAt)
            }
        }
    }

    /// Whether there is anything to look for.
    var isEmpty: Bool { wanted.isEmpty }

    /// The next line of the log.
    mutating func read(_ line: LogLine) {
        for index in wanted.indices where wanted[index].takes(line) {
            if wanted[index].lines.count == LoggedLines.shownMax {
                wanted[index].lines.removeFirst()
            }
            wanted[index].lines.append(line.prefix + line.text)
        }
    }

    /// What was found of an attempt, oldest first.
    func lines(of task: String, attempt number: Int) -> [String] {
        wanted.first { $0.task == task && $0.number == number }?.lines ?? []
    }
}
