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
            TaskTable.attempts(of: task) == """

                score/3fa9c1d2/1
                  attempt 1 on w-1, 1970-01-01T00:00:00Z: w-1 stopped answering
                  attempt 2 on w-1, 1970-01-01T00:00:01Z: signal 9 (SIGKILL)
                    | one
                    | \u{FFFD}[2Jtwo

                """)
    }
}
