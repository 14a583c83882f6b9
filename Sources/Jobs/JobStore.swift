/// Keeps jobs, tasks, leases, workers, builds and logs: the one place where cluster state lives.
///
/// Two implementations pass one contract suite: `InMemoryJobStore` applies the pure transitions of
/// `TaskRecord`, `JobRecord` and `BuildRecord` under a lock; `RedisJobStore` applies the same ones
/// as one function in Lua each. All times are the store's own clock. Every method may throw
/// `JobStoreError.unavailable`; a caller that retries gets the same effect once.
package protocol JobStore: Sendable {
    // MARK: Submitting

    /// Adds the job and its driver task, or answers the job that already has this id.
    ///
    /// - Throws: `JobStoreError.conflictingSubmission` when the id exists with another body,
    ///   `.full` when `activeJobsMax` jobs are active, `.refused` when `after` names unknown jobs.
    func submit(_ job: NewJob) async throws -> JobRecord

    func job(_ id: JobID) async throws -> JobRecord?

    /// Newest first.
    func jobs(limit: Int) async throws -> [JobRecord]

    /// Asks for the end of a job: waiting tasks are cancelled at once, running ones are told by
    /// their worker's next heartbeat. Answers the record afterwards; a terminal job stays as it is.
    func stop(_ job: JobID, by whom: String) async throws -> JobRecord?

    /// Begins a new life of a job that failed or was stopped (`JobRecord+NewLife.swift`). One that
    /// is active stays as it is, so that a repetition does no harm; nil for an unknown job.
    ///
    /// - Throws: `JobStoreError.refused` with the reason, `.full`.
    func retry(job: JobID) async throws -> JobRecord?

    /// Lets a task that failed or was cancelled wait again, and its job begin anew when that is
    /// over. A task that is open or done stays as it is; nil for an unknown one.
    ///
    /// - Throws: `JobStoreError.refused` with the reason, `.full`.
    func retry(task: TaskID) async throws -> TaskRecord?

    /// Forgets a job that is over, with its tasks and its log. Answers whether there was one.
    func delete(_ job: JobID) async throws -> Bool

    /// Shown to people; accepted only from the holder of the driver's lease.
    func report(_ phase: JobPhase, of job: JobID, under lease: Lease) async throws

    // MARK: Schedules

    /// Adds a schedule or replaces the one of this name. The same one again stays as it is.
    ///
    /// - Throws: `JobStoreError.refused` for what is no schedule, `.full` when there are
    ///   `schedulesMax`.
    func put(_ schedule: Schedule) async throws -> ScheduleRecord

    /// By name.
    func schedules() async throws -> [ScheduleRecord]

    /// Answers whether there was one. Jobs that it submitted stay.
    func deleteSchedule(_ name: String) async throws -> Bool

    /// Submits the jobs of schedules that are due and answers them. Whoever calls, and however
    /// often, one fire is one job (`Schedule.submission(at:)`). A fire that finds the store full is
    /// tried again by the next call.
    func fireSchedules() async throws -> [JobRecord]

    // MARK: Tasks

    /// Adds tasks that do not exist yet and answers the record of each, in order: a task that is
    /// already done comes back with its result. Only the job's current driver may enqueue.
    ///
    /// - Throws: `JobStoreError.leaseLost`, `.jobOver`, `.full`.
    func enqueue(_ tasks: [NewTask], under driverLease: Lease) async throws -> [TaskRecord]

    /// Ends tasks that the driver no longer wants: waiting ones at once, running ones as a stop
    /// does.
    ///
    /// - Throws: `JobStoreError.leaseLost`, `.jobOver`.
    func cancel(_ tasks: [TaskID], by whom: String, under driverLease: Lease) async throws

    /// Ends one task because a person asks: at once when it waits, through its worker when it
    /// runs. A driver's is a stop of its job. Answers the record afterwards; one that is over stays
    /// as it is.
    func cancelTask(_ task: TaskID, by whom: String) async throws -> TaskRecord?

    /// Tasks of the job that failed for good, with the cause and last lines of each attempt that
    /// is kept. In order of creation.
    func deadTasks(of job: JobID, limit: Int) async throws -> [TaskRecord]

    /// In order; nil where no such task exists.
    func tasks(_ ids: [TaskID]) async throws -> [TaskRecord?]

    /// In order of creation, the driver first.
    func tasks(of job: JobID, limit: Int) async throws -> [TaskRecord]

    /// Tasks of the job, without its driver, in the order in which they ended, so that whoever
    /// waits for a thousand need not ask for each: at most `limit` and
    /// `EndedTasks.tasksMax`, from a position that an earlier answer named.
    ///
    /// - Parameter start: nil for no tasks, only the position where the next one will end. One
    ///   that a store which lost its last second does not have (any more) is taken as 0: some are
    ///   then told again. A task that was retried stands where each of its lives ended.
    func ended(of job: JobID, from start: Int?, limit: Int) async throws -> EndedTasks

    /// Ends attempts, expires overdue leases and deadlines (at most `StoreLimits.sweepMax` of
    /// each), and grants new attempts, atomically.
    ///
    /// The caller's own endings go first: a lease that is overdue but was given to nobody else
    /// still counts, so that no finished work is thrown away after the store was away.
    /// Grants follow priority, then the job with the fewest running tasks, then age; each fits in
    /// what is left of `request.free` after the ones before it.
    func claim(_ request: ClaimRequest) async throws -> ClaimReply

    /// Ends attempts without claiming. Replies in order.
    func finish(_ endings: [AttemptEnding]) async throws -> [EndingReply]

    /// How many endings were not taken, and why.
    func counters() async throws -> StoreCounters

    /// Keeps the worker listed and its leases alive, and says which of them it must let go. Like
    /// a claim it ends what is overdue.
    func heartbeat(_ worker: WorkerRecord, leases: [Lease]) async throws -> HeartbeatReply

    /// Workers whose last heartbeat is younger than `WorkerRecord.lifetime`.
    func workers() async throws -> [WorkerRecord]

    /// Takes the worker off the list at a clean shutdown.
    func remove(_ worker: WorkerID) async throws

    /// What decides why a job stands where it stands; nil for an unknown one. One bounded read.
    func situation(of job: JobID) async throws -> JobSituation?

    /// What runs and waits in the whole cluster. One bounded read.
    func load() async throws -> ClusterLoad

    // MARK: Builds

    /// Asks for the right to compile `key`, or for what became of it. One worker compiles at a
    /// time.
    func beginBuild(_ key: String, by worker: WorkerID) async throws -> BuildRecord

    /// Ends the build granted by `token`. A failed build is kept so that the same script fails at
    /// once.
    func endBuild(_ key: String, token: Int64, outcome: BuildOutcome) async throws

    /// Forgets how a build ended, for a binary that is no longer kept: the next one who asks
    /// compiles again. A build that is not over stays.
    func forgetBuild(_ key: String) async throws

    // MARK: Logs

    /// Appends in order. The log is bounded: the oldest lines go, and readers are told how many.
    /// Unlike other calls, one that is repeated after `.unavailable` may append its lines twice.
    func appendLogs(_ lines: [LogLine], to job: JobID) async throws

    /// Lines after `cursor` (nil: from the oldest kept): `limit`, or all that there are yet. Who
    /// gets fewer has read to the end.
    func logs(of job: JobID, after cursor: LogCursor?, limit: Int) async throws -> LogPage

    // MARK: Waiting

    /// Yields soon after something changed, so that waiting needs no polling faster than a second.
    /// Signals are hints: coalesced, possibly spurious, possibly lost while the store is away.
    func signals() -> AsyncStream<StoreSignal>

    func close() async
}

package struct WorkerRecord: Sendable, Codable, Hashable {
    package var id: WorkerID
    /// Shown to people, "worker-1".
    package var name: String
    package var host: String
    package var pid: Int32
    package var total: Resources
    package var free: Resources
    package var labels: Set<String>
    package var version: String
    package var runningTasks: Int
    /// The pools it serves; nil: the default one.
    package var pools: Set<String>?
    /// Drivers it takes at one time, and how many more it would take now; nil when it does not say.
    package var driverSlots: Int?
    package var freeDriverSlots: Int?
    /// Attempts that succeeded, and that failed, since the worker began; nil when it does not say.
    package var succeededCount: Int?
    package var failedCount: Int?
    /// What of its jobs waits for MLflow; at most `TrackingBacklog.countMax`.
    package var tracking: [TrackingBacklog]?
    /// Nil: others fetch no blobs from it.
    package var peer: PeerOffer?

    package var poolNames: Set<String> { pools ?? [Pool.defaultName] }

    /// A worker whose heartbeat is older than this is not listed.
    package static let lifetime = Duration.seconds(6)

    package init(
        id: WorkerID, name: String, host: String, pid: Int32, total: Resources, free: Resources,
        labels: Set<String>, version: String, runningTasks: Int, pools: Set<String>? = nil
    ) {
        self.id = id
        self.name = name
        self.host = host
        self.pid = pid
        self.total = total
        self.free = free
        self.labels = labels
        self.version = version
        self.runningTasks = runningTasks
        self.pools = pools
    }
}

package struct HeartbeatReply: Sendable, Codable, Hashable {
    /// Leases that are no longer this worker's: end the attempt, keep nothing of it.
    package var lost: [Lease]
    /// Leases whose task was cancelled: end the attempt and report `.cancelled`.
    package var cancelled: [Lease]
    /// Those of `lost` whose attempt a deadline ended: the worker says so when it ends the process.
    package var overdue: [Lease]

    package init(lost: [Lease], cancelled: [Lease], overdue: [Lease] = []) {
        self.lost = lost
        self.cancelled = cancelled
        self.overdue = overdue
    }
}

package enum StoreSignal: Sendable, Hashable {
    /// A task became claimable.
    case work
    /// A task of this job ended.
    case tasks(JobID)
    /// A job's state or phase changed.
    case job(JobID)
    /// Lines were appended to this job's log.
    case logs(JobID)
    /// A build ended.
    case builds
    /// The connection was lost and is back: anything may have changed.
    case anything
}

package enum BuildOutcome: Sendable, Codable, Hashable {
    /// `binary` is a blob's digest, `description` what the binary says of itself (JSON).
    case succeeded(binary: String, description: [UInt8])
    /// The compiler's output, verbatim, at most `BuildRecord.diagnosticsMax` bytes.
    case failed(diagnostics: String)
    /// The builder was interrupted; someone else may begin.
    case abandoned
}

package enum BuildRecord: Sendable, Codable, Hashable {
    /// The caller holds the right to compile until `expiry` (store clock, ms); the worker extends
    /// it by calling `beginBuild` again.
    case granted(token: Int64, expiry: Int64)
    case building(by: WorkerID)
    case ended(BuildOutcome)

    package static let diagnosticsMax = 256 << 10
    package static let leaseInMilliseconds: Int64 = 10_000
}

package struct LogLine: Sendable, Codable, Hashable {
    package enum Stream: String, Sendable, Codable { case out, err, system }

    package var stream: Stream
    /// Empty for the driver; "(growTrees pid=503, node=worker-1) " for a task.
    package var prefix: String
    /// Without the line feed. Valid UTF-8; at most `LogLine.textMax` bytes.
    package var text: String
    /// False when the process ended, or a line was cut, without a line feed.
    package var endsWithLineFeed: Bool
    /// Milliseconds since 1970 on the worker's clock, for display only.
    package var time: Int64

    package static let textMax = 64 << 10

    package init(
        stream: Stream, prefix: String, text: String, endsWithLineFeed: Bool = true, time: Int64
    ) {
        self.stream = stream
        self.prefix = prefix
        self.text = text
        self.endsWithLineFeed = endsWithLineFeed
        self.time = time
    }
}

package struct LogCursor: Sendable, Codable, Hashable {
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }
}

package struct LogPage: Sendable, Codable, Hashable {
    package var lines: [LogLine]
    /// Where to go on; the argument's cursor when there was nothing new.
    package var next: LogCursor?
    /// Lines that were dropped between the cursor and the first line of this page.
    package var droppedCount: Int

    package init(lines: [LogLine], next: LogCursor?, droppedCount: Int) {
        self.lines = lines
        self.next = next
        self.droppedCount = droppedCount
    }
}

package enum JobStoreError: Error, Sendable, Hashable {
    case conflictingSubmission(JobID)
    case leaseLost(TaskID)
    case jobOver(JobID)
    /// A bound was reached: which one, and its value.
    case full(String)
    case unavailable(String)
    /// What was asked makes no sense as things stand: why, and what to do.
    case refused(String)
    /// What the store holds is not what we wrote.
    case corrupt(String)
}
