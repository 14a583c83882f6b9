/// What a job runs.
package enum Entrypoint: Hashable, Sendable, Codable {
    /// A Swift script, or a package's folder as a zip file whose name ends in ".zip"; compiled once
    /// per content. `arguments` follow the binary's name.
    case script(fileName: String, digest: String, arguments: [String])
    /// Any command, run by `/bin/sh -c`.
    case command(String)
}

/// A job as submitted. Two submissions with one id are the same job when they are equal.
package struct NewJob: Hashable, Sendable, Codable {
    package var id: JobID
    package var entrypoint: Entrypoint
    /// Hex SHA-256 of a zipped working directory.
    package var workingDirectory: String?
    /// Where that zip file is fetched from, https or http; nil: it is a blob.
    package var workingDirectoryURL: String?
    package var environment: [String: String]
    package var metadata: [String: String]
    package var driverResources: Resources
    /// Labels the driver's worker must have.
    package var driverLabels: Set<String>
    package var priority: Int
    /// The driver's: `scheduleToStart` bounds the wait in the queue, `scheduleToClose` the job.
    package var deadlines: Deadlines?
    /// Where its driver and all its tasks run; nil: the default pool.
    package var pool: String?
    /// The driver waits until all of these succeeded; when one fails or is stopped, so is this job.
    package var after: [JobID]?

    package init(
        id: JobID, entrypoint: Entrypoint, workingDirectory: String? = nil,
        environment: [String: String] = [:], metadata: [String: String] = [:],
        driverResources: Resources = Resources(), driverLabels: Set<String> = [],
        priority: Int = 0, deadlines: Deadlines? = nil, pool: String? = nil,
        after: [JobID]? = nil
    ) {
        self.id = id
        self.entrypoint = entrypoint
        self.workingDirectory = workingDirectory
        self.environment = environment
        self.metadata = metadata
        self.driverResources = driverResources
        self.driverLabels = driverLabels
        self.priority = priority
        self.deadlines = deadlines
        self.pool = pool
        self.after = after
    }

    package var poolName: String { pool ?? Pool.defaultName }
}

/// What a job that is not over is doing, for people who wait.
package enum JobPhase: Hashable, Sendable, Codable {
    case queued
    case compiling(worker: String)
    case running(worker: String)
}

package enum JobState: Hashable, Sendable, Codable {
    case active(JobPhase)
    /// A stop was asked for; the driver is being ended.
    case stopping(by: String)
    case succeeded(result: Payload?)
    case failed(TaskFailure)
    case stopped(by: String)

    package var isTerminal: Bool {
        switch self {
        case .active, .stopping: false
        case .succeeded, .failed, .stopped: true
        }
    }
}

/// A job and where it stands. Its transitions stand in `JobRecord+Life.swift`.
package struct JobRecord: Hashable, Sendable, Codable {
    package let spec: NewJob
    package var state: JobState
    /// On the store's clock, milliseconds since 1970.
    package let submittedAt: Int64
    package var startedAt: Int64?
    package var endedAt: Int64?
    /// Times the driver was started.
    package var driverAttempts: Int
    package var tasksTotal: Int
    package var tasksSucceeded: Int
    package var tasksFailed: Int
    /// Attempts that did not succeed and were tried again.
    package var tasksRetried: Int
    /// Grows when a job that is over is retried; tasks of earlier lives are asked for anew.
    package var lives = 1
    /// The jobs of `spec.after` that are not done yet, in that order.
    package var waitsFor: [JobID] = []

    package init(spec: NewJob, state: JobState, submittedAt: Int64) {
        self.spec = spec
        self.state = state
        self.submittedAt = submittedAt
        startedAt = nil
        endedAt = nil
        driverAttempts = 0
        tasksTotal = 0
        tasksSucceeded = 0
        tasksFailed = 0
        tasksRetried = 0
    }
}
