import Cluster
import Jobs
import Testing

@testable import Commands

@Suite struct TaskTableTests {
    @Test("Tasks are a table; a dead one's attempts tell their causes and last lines")
    func table() throws {
        let job = try #require(JobID(rawValue: "j"))
        let worker = WorkerID(rawValue: "w-1#0123ABCD")
        let spec = NewTask(
            id: .task(of: job, name: "score", inputDigest: "3fa9c1d2ff", occurrence: 1), job: job,
            kind: .task, name: "score", input: .inline([]), resources: Resources(), retry: .task)
        let record = TaskRecord(
            spec: spec, state: .failed(TaskFailure(kind: .crash, message: "x", signal: 9)),
            attempt: 2,
            history: [
                AttemptRecord(
                    number: 1, worker: worker, cause: "w-1#0123ABCD stopped answering", endedAt: 0),
                AttemptRecord(
                    number: 2, worker: worker, cause: "signal 9 (SIGKILL)", endedAt: 1_000,
                    lastLines: ["one", "\u{1B}[2Jtwo"]),
            ], createdAt: 0)
        let task = TaskDetails(record, withLines: true)
        #expect(
            TaskTable.render([task]) == """
                TASK              STATE   ATTEMPTS  WORKER  CAUSE
                score/3fa9c1d2/1  failed  2/4       w-1     signal 9 (SIGKILL)

                """)
        #expect(
            TaskTable.attempts(of: task, LoggedLines(of: [task])) == """

                score/3fa9c1d2/1
                  attempt 1 on w-1, 1970-01-01T00:00:00Z: w-1 stopped answering
                    (nobody could tell its last lines; the job's log has none of score there \
                until then)
                  attempt 2 on w-1, 1970-01-01T00:00:01Z: signal 9 (SIGKILL)
                    | one
                    | \u{FFFD}[2Jtwo

                """)
    }

    @Test("Of an attempt that the cluster ended, the log's last lines of its kind there are shown")
    func logged() throws {
        let job = try #require(JobID(rawValue: "j"))
        func record(_ kind: NewTask.Kind, _ name: String, _ history: [AttemptRecord]) -> TaskDetails
        {
            let spec = NewTask(
                id: .task(of: job, name: name, inputDigest: "3fa9c1d2ff", occurrence: 0), job: job,
                kind: kind, name: name, input: .inline([]), resources: Resources(), retry: .task)
            let state = TaskState.failed(TaskFailure(kind: .lost, message: "x"))
            return TaskDetails(
                TaskRecord(spec: spec, state: state, attempt: 2, history: history, createdAt: 0),
                withLines: true)
        }
        let (one, two) = (WorkerID(rawValue: "w-1#0123ABCD"), WorkerID(rawValue: "w-2#0123ABCD"))
        let score = record(
            .task, "score",
            [
                AttemptRecord(
                    number: 1, worker: one, cause: "start-to-close 5 s exceeded on \(one)",
                    endedAt: 10_000),
                AttemptRecord(
                    number: 2, worker: two, cause: "\(two) stopped answering", endedAt: 20_000),
            ])
        let driver = record(
            .driver, "driver",
            [
                AttemptRecord(
                    number: 1, worker: one, cause: "\(one) stopped answering", endedAt: 9_000)
            ])
        var logged = LoggedLines(of: [score, driver])
        #expect(!logged.isEmpty)
        func say(_ prefix: String, _ text: String, at time: Int64, _ stream: LogLine.Stream = .out)
        {
            logged.read(
                LogLine(
                    stream: stream, prefix: prefix, text: text, endsWithLineFeed: true, time: time))
        }
        for number in 0..<12 { say("(score pid=7, node=w-1) ", "\(number)", at: 9_000) }
        say("(score pid=7, node=w-1) ", "too late", at: 12_001)
        say("(scores pid=7, node=w-1) ", "another", at: 9_000)
        say("(score pid=8, node=w-2) ", "elsewhere, earlier", at: 9_000)
        say("", "driver's", at: 9_000)
        say("", "the system's", at: 9_000, .system)
        let first = (2..<12).map { "(score pid=7, node=w-1) \($0)" }
        #expect(logged.lines(of: score.id, attempt: 1) == first)
        #expect(logged.lines(of: score.id, attempt: 2).isEmpty)
        #expect(logged.lines(of: driver.id, attempt: 1) == ["driver's"])
        let text = TaskTable.attempts(of: score, logged)
        #expect(
            text.contains("the job's log has these of score there until then)\n    | (score pid=7"))
        #expect(text.contains("the job's log has none of score there until then)"))
    }
}
