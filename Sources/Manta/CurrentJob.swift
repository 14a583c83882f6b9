import MLflow
import Synchronization

/// The job whose closure runs, for what a script calls without naming its cluster: `MLflow.run`.
struct CurrentJob: Sendable {
    var environment: DriverEnvironment
    /// Part of effect keys; nil when alone, where every start is a job of its own.
    var jobID: String?
    /// What the script's file is called.
    var script: String
    var counter = RunCounter()
    /// The run around the current one.
    var parent: Parent?

    struct Parent: Sendable {
        var run: SpoolBeginning.Parent
        var key: String
        /// Where it waits for MLflow, and what is inside it too.
        var place: SpoolPlace
    }

    @TaskLocal static var value: CurrentJob?

    /// The current job, or what the process's environment says of one.
    static func orFromEnvironment() throws -> CurrentJob {
        if let value { return value }
        let environment = try DriverEnvironment.current()
        return CurrentJob(environment: environment, jobID: environment.jobID, script: "")
    }

    /// What a restarted driver finds this run by: the n-th one that the job, or the run around it,
    /// begins; or the key that the script chose.
    func runKey(chosen: String?) -> String {
        let scope = parent?.key ?? "run"
        return "\(scope)/\(chosen ?? String(counter.next(in: scope)))"
    }
}

/// Numbers a job's runs in the order in which they begin.
final class RunCounter: Sendable {
    private let counts = Mutex<[String: Int]>([:])

    func next(in scope: String) -> Int {
        counts.withLock { counts in
            counts[scope, default: 0] += 1
            return counts[scope, default: 0]
        }
    }
}
