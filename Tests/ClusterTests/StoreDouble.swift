import Jobs
import Synchronization

/// A job store in memory whose calls are counted, and can be made to fail.
final class StoreDouble: JobStore {
    enum Call: Hashable, Sendable {
        case submit, enqueue, tasks, claim, finish, heartbeat, appendLogs, beginBuild, endBuild
    }

    let inner: InMemoryJobStore
    private struct State {
        var counts: [Call: Int] = [:]
        var failures: [Call: [any Error]] = [:]
        var standing: [Call: any Error] = [:]
        var delays: [Call: Duration] = [:]
        var batches: [[LogLine]] = []
        var endings: [AttemptEnding] = []
    }
    private let state = Mutex(State())

    init(_ inner: InMemoryJobStore = InMemoryJobStore()) { self.inner = inner }

    func count(of call: Call) -> Int { state.withLock { $0.counts[call, default: 0] } }

    /// The batches of lines that were stored, in order.
    var batches: [[LogLine]] { state.withLock { $0.batches } }
    var storedLines: [String] { batches.flatMap { $0 }.map(\.text) }
    /// What workers said of their attempts.
    var endings: [AttemptEnding] { state.withLock { $0.endings } }

    /// The next calls fail so, one error each.
    func fail(_ call: Call, _ errors: (any Error)...) {
        state.withLock { $0.failures[call, default: []] += errors }
    }

    /// Every call fails so, until nil is set.
    func failAlways(_ call: Call, with error: (any Error)?) {
        state.withLock { $0.standing[call] = error }
    }

    /// Every call takes so long.
    func slow(_ call: Call, by delay: Duration) { state.withLock { $0.delays[call] = delay } }

    private func pass(_ call: Call) async throws {
        let (failure, delay): ((any Error)?, Duration?) = state.withLock { state in
            state.counts[call, default: 0] += 1
            let delay = state.delays[call]
            if state.failures[call]?.isEmpty == false {
                return (state.failures[call]?.removeFirst(), delay)
            }
            return (state.standing[call], delay)
        }
        if let delay { try await Task.sleep(for: delay) }
        if let failure { throw failure }
    }

    func submit(_ job: NewJob) async throws -> JobRecord {
        try await pass(.submit)
        return try await inner.submit(job)
    }

    func job(_ id: JobID) async throws -> JobRecord? { try await inner.job(id) }
    func jobs(limit: Int) async throws -> [JobRecord] { try await inner.jobs(limit: limit) }

    func stop(_ job: JobID, by whom: String) async throws -> JobRecord? {
        try await inner.stop(job, by: whom)
    }

    func delete(_ job: JobID) async throws -> Bool { try await inner.delete(job) }

    func cancel(_ tasks: [TaskID], by whom: String, under driverLease: Lease) async throws {
        try await inner.cancel(tasks, by: whom, under: driverLease)
    }

    func retry(job: JobID) async throws -> JobRecord? { try await inner.retry(job: job) }
    func retry(task: TaskID) async throws -> TaskRecord? { try await inner.retry(task: task) }

    func put(_ schedule: Schedule) async throws -> ScheduleRecord { try await inner.put(schedule) }
    func schedules() async throws -> [ScheduleRecord] { try await inner.schedules() }

    func deleteSchedule(_ name: String) async throws -> Bool {
        try await inner.deleteSchedule(name)
    }

    func fireSchedules() async throws -> [JobRecord] { try await inner.fireSchedules() }

    func cancelTask(_ task: TaskID, by whom: String) async throws -> TaskRecord? {
        try await inner.cancelTask(task, by: whom)
    }

    func deadTasks(of job: JobID, limit: Int) async throws -> [TaskRecord] {
        try await inner.deadTasks(of: job, limit: limit)
    }

    func report(_ phase: JobPhase, of job: JobID, under lease: Lease) async throws {
        try await inner.report(phase, of: job, under: lease)
    }

    func enqueue(_ tasks: [NewTask], under driverLease: Lease) async throws -> [TaskRecord] {
        try await pass(.enqueue)
        return try await inner.enqueue(tasks, under: driverLease)
    }

    func tasks(_ ids: [TaskID]) async throws -> [TaskRecord?] {
        try await pass(.tasks)
        return try await inner.tasks(ids)
    }

    func tasks(of job: JobID, limit: Int) async throws -> [TaskRecord] {
        try await inner.tasks(of: job, limit: limit)
    }

    func ended(of job: JobID, from start: Int?, limit: Int) async throws -> EndedTasks {
        try await pass(.tasks)
        return try await inner.ended(of: job, from: start, limit: limit)
    }

    func claim(_ request: ClaimRequest) async throws -> ClaimReply {
        try await pass(.claim)
        state.withLock { $0.endings += request.endings }
        return try await inner.claim(request)
    }

    func finish(_ endings: [AttemptEnding]) async throws -> [EndingReply] {
        try await pass(.finish)
        state.withLock { $0.endings += endings }
        return try await inner.finish(endings)
    }

    func heartbeat(_ worker: WorkerRecord, leases: [Lease]) async throws -> HeartbeatReply {
        try await pass(.heartbeat)
        return try await inner.heartbeat(worker, leases: leases)
    }

    func counters() async throws -> StoreCounters { try await inner.counters() }
    func workers() async throws -> [WorkerRecord] { try await inner.workers() }

    func situation(of job: JobID) async throws -> JobSituation? {
        try await inner.situation(of: job)
    }

    func load() async throws -> ClusterLoad { try await inner.load() }

    func remove(_ worker: WorkerID) async throws { try await inner.remove(worker) }

    func beginBuild(_ key: String, by worker: WorkerID) async throws -> BuildRecord {
        try await pass(.beginBuild)
        return try await inner.beginBuild(key, by: worker)
    }

    func endBuild(_ key: String, token: Int64, outcome: BuildOutcome) async throws {
        try await pass(.endBuild)
        try await inner.endBuild(key, token: token, outcome: outcome)
    }

    func forgetBuild(_ key: String) async throws { try await inner.forgetBuild(key) }

    func appendLogs(_ lines: [LogLine], to job: JobID) async throws {
        try await pass(.appendLogs)
        try await inner.appendLogs(lines, to: job)
        state.withLock { $0.batches.append(lines) }
    }

    func logs(of job: JobID, after cursor: LogCursor?, limit: Int) async throws -> LogPage {
        try await inner.logs(of: job, after: cursor, limit: limit)
    }

    func signals() -> AsyncStream<StoreSignal> { inner.signals() }
    func close() async { await inner.close() }
}

extension JobID {
    /// For ids that a test writes down itself.
    init(_ text: String) throws {
        guard let id = JobID(rawValue: text) else {
            throw NeverHappened(what: "'\(text)' is an id")
        }
        self = id
    }
}
