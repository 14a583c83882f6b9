/// The bounds of a job store. Reaching one answers `JobStoreError.full` with its name and value.
package struct StoreLimits: Sendable, Hashable {
    /// Jobs that are not over.
    package var activeJobsMax = 1_000
    /// Jobs that are over and kept for people; the oldest go first.
    package var endedJobsMax = 10_000
    package var tasksPerJobMax = 100_000
    /// Different combinations of kind, resources and labels that wait at one time in the cluster.
    package var shapesMax = 256
    /// Jobs that one job waits for (`NewJob.after`).
    package var afterMax = 32
    /// Jobs that wait for one another in a row.
    package var chainMax = 64
    package var schedulesMax = 256
    package var taskNameMaxInBytes = 512
    /// A job as submitted, as JSON.
    package var jobMaxInBytes = 1 << 20
    package var logLinesMax = 100_000
    package var logMaxInBytes = 64 << 20
    /// How long a job that is over is kept, and a build after its last use.
    package var retention = Duration.seconds(7 * 24 * 3_600)
    /// A worker whose heartbeat is older than this is not listed.
    package var workerLifetime = WorkerRecord.lifetime
    /// How long a builder may be silent before another one begins.
    package var buildLeaseInMilliseconds = BuildRecord.leaseInMilliseconds
    /// Overdue leases that one claim expires, and delayed tasks that it makes claimable.
    package var sweepMax = 64

    package init() {}

    package var retentionInMilliseconds: Int64 { retention.inMilliseconds }

    /// - Throws: `.full` when a submission is larger than the store keeps.
    func check(jobSizeInBytes: Int) throws(JobStoreError) {
        guard jobSizeInBytes <= jobMaxInBytes else {
            throw .full("a job has at most \(jobMaxInBytes) bytes, this one \(jobSizeInBytes)")
        }
    }

    /// - Throws: `.full` for a job that no store takes.
    func check(_ job: NewJob) throws(JobStoreError) {
        try check(job.driverResources, job.driverLabels)
        try check(job.driver.deadlines)
        guard Pool.isValid(job.poolName) else {
            throw .full("a pool's name matches [A-Za-z0-9][A-Za-z0-9._-]{0,63}: \(job.poolName)")
        }
        guard job.after?.count ?? 0 <= afterMax else {
            throw .full("a job waits for at most \(afterMax) others")
        }
    }

    /// - Throws: `.full` for a task that no store takes.
    func check(_ task: NewTask, of job: JobID) throws(JobStoreError) {
        guard task.job == job, task.id.job == job else {
            throw .full("a task belongs to the job of the driver that asks for it: \(task.id)")
        }
        guard task.name.utf8.count <= taskNameMaxInBytes,
            task.id.rawValue.utf8.count <= taskNameMaxInBytes + 256
        else { throw .full("a task's name has at most \(taskNameMaxInBytes) bytes") }
        guard task.kind == .task else { throw .full("a job has one driver") }
        try check(task.resources, task.labels)
        try check(task.deadlines)
        if case .inline(let bytes) = task.input, bytes.count > Payload.inlineMax {
            throw .full("an inline input has at most \(Payload.inlineMax) bytes")
        }
    }
}

extension StoreLimits {
    static let customResourcesMax = 16
    static let labelsMax = 32
    static let labelMaxInBytes = 128

    /// - Throws: `.full` for deadlines that no store keeps.
    func check(_ deadlines: Deadlines) throws(JobStoreError) {
        guard deadlines.isValid else {
            throw .full("a deadline lies between 1 and \(Deadlines.max) ms: \(deadlines)")
        }
    }

    /// - Throws: `.full` for resources or labels that no worker can offer.
    func check(_ resources: Resources, _ labels: Set<String>) throws(JobStoreError) {
        guard resources.milliCPUs >= 0, resources.memoryInBytes >= 0, resources.gpus >= 0 else {
            throw .full("resources are 0 or more: \(resources)")
        }
        guard resources.custom.count <= StoreLimits.customResourcesMax,
            resources.custom.allSatisfy({ name, amount in
                (1...64).contains(name.utf8.count) && (1...1_000_000_000).contains(amount)
            })
        else {
            throw .full(
                "a task has at most \(StoreLimits.customResourcesMax) custom resources, names of 1 "
                    + "to 64 bytes, 1 to 1,000,000,000 thousandths: \(resources.custom)")
        }
        guard labels.count <= StoreLimits.labelsMax,
            labels.allSatisfy({ (1...StoreLimits.labelMaxInBytes).contains($0.utf8.count) })
        else {
            throw .full(
                "a task has at most \(StoreLimits.labelsMax) labels of 1 to "
                    + "\(StoreLimits.labelMaxInBytes) bytes")
        }
    }
}

extension Duration {
    var inMilliseconds: Int64 {
        components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
    }
}

extension TaskID {
    /// The job whose task this is; nil for a name that `TaskID.task` cannot have made.
    package var job: JobID? {
        rawValue.firstIndex(of: "/").flatMap { JobID(rawValue: String(rawValue[..<$0])) }
    }
}

extension NewTask {
    /// Priorities beyond this count as this.
    package static let priorityMax = 1_000

    /// The priority that decides: −1000 … 1000.
    package var effectivePriority: Int {
        max(-NewTask.priorityMax, min(priority, NewTask.priorityMax))
    }
}
