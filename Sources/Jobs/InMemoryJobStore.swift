import Crypto
import Foundation
import Synchronization

/// A job store in this process: the pure lives under one lock. For tests and for `memory:`.
package final class InMemoryJobStore: JobStore {
    private let limits: StoreLimits
    private let now: @Sendable () -> Int64
    private let shelf: Mutex<JobShelf>
    private let hub = SignalHub()

    /// - Parameters:
    ///   - now: the store's clock, milliseconds since 1970.
    ///   - lives: the transitions it applies; only the simulation passes others.
    package init(
        limits: StoreLimits = StoreLimits(),
        now: @escaping @Sendable () -> Int64 = InMemoryJobStore.systemClock,
        lives: TaskLives = TaskLives()
    ) {
        self.limits = limits
        self.now = now
        shelf = Mutex(JobShelf(limits: limits, lives: lives))
    }

    /// The computer's clock, milliseconds since 1970.
    package static let systemClock: @Sendable () -> Int64 = {
        Int64(Date().timeIntervalSince1970 * 1_000)
    }

    // MARK: Submitting

    package func submit(_ job: NewJob) async throws -> JobRecord {
        try limits.check(jobSizeInBytes: StoreCoding.encode(job).count)
        return try change { shelf throws(JobStoreError) in try shelf.submit(job, at: now()) }
    }

    package func job(_ id: JobID) async throws -> JobRecord? {
        change { $0.jobs[id]?.record }
    }

    package func jobs(limit: Int) async throws -> [JobRecord] {
        change { shelf in
            shelf.jobs.values.sorted { $0.number > $1.number }.prefix(max(0, limit)).map(\.record)
        }
    }

    package func stop(_ job: JobID, by whom: String) async throws -> JobRecord? {
        change { $0.stop(job, by: whom.prefix(maxBytes: AttemptRecord.causeMaxInBytes), at: now()) }
    }

    package func retry(job: JobID) async throws -> JobRecord? {
        try change { shelf throws(JobStoreError) in try shelf.retry(job: job, at: now()) }
    }

    package func retry(task: TaskID) async throws -> TaskRecord? {
        try change { shelf throws(JobStoreError) in try shelf.retry(task: task, at: now()) }
    }

    package func delete(_ job: JobID) async throws -> Bool {
        change { $0.delete(job) }
    }

    package func report(_ phase: JobPhase, of job: JobID, under lease: Lease) async throws {
        try change { shelf throws(JobStoreError) in
            try shelf.report(phase, of: job, under: lease, at: now())
        }
    }

    // MARK: Schedules

    package func put(_ schedule: Schedule) async throws -> ScheduleRecord {
        try change { shelf throws(JobStoreError) in try shelf.put(schedule, at: now()) }
    }

    package func schedules() async throws -> [ScheduleRecord] {
        change { $0.schedules.values.sorted { $0.schedule.name < $1.schedule.name } }
    }

    package func deleteSchedule(_ name: String) async throws -> Bool {
        change { $0.schedules.removeValue(forKey: name) != nil }
    }

    package func fireSchedules() async throws -> [JobRecord] {
        try change { shelf throws(JobStoreError) in try shelf.fireSchedules(at: now()) }
    }

    // MARK: Tasks

    package func enqueue(
        _ tasks: [NewTask], under driverLease: Lease
    ) async throws -> [TaskRecord] {
        try change { shelf throws(JobStoreError) in
            try shelf.enqueue(tasks, under: driverLease, at: now())
        }
    }

    package func cancel(
        _ tasks: [TaskID], by whom: String, under driverLease: Lease
    ) async throws {
        try change { shelf throws(JobStoreError) in
            try shelf.cancel(
                tasks, by: whom.prefix(maxBytes: AttemptRecord.causeMaxInBytes),
                under: driverLease, at: now())
        }
    }

    package func cancelTask(_ task: TaskID, by whom: String) async throws -> TaskRecord? {
        change {
            $0.cancelTask(
                task, by: whom.prefix(maxBytes: AttemptRecord.causeMaxInBytes), at: now())
        }
    }

    package func deadTasks(of job: JobID, limit: Int) async throws -> [TaskRecord] {
        change { Array($0.deadTasks(of: job).prefix(max(0, limit))) }
    }

    package func tasks(_ ids: [TaskID]) async throws -> [TaskRecord?] {
        change { shelf in ids.map { shelf.task($0) } }
    }

    package func tasks(of job: JobID, limit: Int) async throws -> [TaskRecord] {
        change { shelf in
            guard let job = shelf.jobs[job] else { return [] }
            return job.order.prefix(max(0, limit)).compactMap { job.tasks[$0] }
        }
    }

    package func ended(
        of job: JobID, from start: Int?, limit: Int
    ) async throws -> EndedTasks {
        change { $0.ended(of: job, from: start, limit: limit) }
    }

    package func claim(_ request: ClaimRequest) async throws -> ClaimReply {
        change { shelf in
            let moment = now()
            let endings = request.endings.map { shelf.end($0, at: moment) }
            shelf.sweep(at: moment)
            let grants = shelf.grant(request, at: moment)
            return ClaimReply(
                endings: endings, grants: grants,
                nextDueInMilliseconds: shelf.timetable.nextDue(after: moment))
        }
    }

    package func finish(_ endings: [AttemptEnding]) async throws -> [EndingReply] {
        change { shelf in endings.map { shelf.end($0, at: now()) } }
    }

    package func counters() async throws -> StoreCounters { change { $0.counters } }

    package func heartbeat(
        _ worker: WorkerRecord, leases: [Lease]
    ) async throws -> HeartbeatReply {
        change { $0.heartbeat(worker, leases: leases, at: now()) }
    }

    package func workers() async throws -> [WorkerRecord] {
        change { $0.listedWorkers(at: now()) }
    }

    package func remove(_ worker: WorkerID) async throws {
        change { shelf in shelf.workers[worker] = nil }
    }

    package func situation(of job: JobID) async throws -> JobSituation? {
        change { $0.situation(of: job, at: now()) }
    }

    package func load() async throws -> ClusterLoad {
        change { $0.load(at: now()) }
    }

    // MARK: Builds

    package func beginBuild(_ key: String, by worker: WorkerID) async throws -> BuildRecord {
        change { shelf in
            let moment = now()
            let (answer, kept) = BuildRecord.beginning(
                shelf.builds[key], by: worker, at: moment, lease: limits.buildLeaseInMilliseconds,
                nextToken: { shelf.nextToken(at: moment) })
            shelf.builds[key] = kept
            return answer
        }
    }

    package func endBuild(_ key: String, token: Int64, outcome: BuildOutcome) async throws {
        try change { shelf throws(JobStoreError) in
            let kept = BuildRecord.ending(shelf.builds[key], token: token, outcome: outcome)
            guard let kept else { throw .leaseLost(TaskID(rawValue: "build/\(key)")) }
            shelf.builds[key] = kept
            shelf.raised.insert(.builds)
        }
    }

    package func forgetBuild(_ key: String) async throws {
        change { shelf in
            if case .ended = shelf.builds[key] { shelf.builds[key] = nil }
        }
    }

    // MARK: Logs

    package func appendLogs(_ lines: [LogLine], to job: JobID) async throws {
        change { shelf in
            guard shelf.jobs[job] != nil, !lines.isEmpty else { return }
            shelf.jobs[job]?.log.append(lines, limits: limits)
            shelf.raised.insert(.logs(job))
        }
    }

    package func logs(
        of job: JobID, after cursor: LogCursor?, limit: Int
    ) async throws -> LogPage {
        change { shelf in
            guard let log = shelf.jobs[job]?.log else {
                return LogPage(lines: [], next: cursor, droppedCount: 0)
            }
            return log.page(after: cursor, limit: limit)
        }
    }

    // MARK: Waiting

    package func signals() -> AsyncStream<StoreSignal> { hub.signals() }

    package func close() async { hub.finish() }

    private func change<Answer: Sendable, Failure: Error>(
        _ body: (inout JobShelf) throws(Failure) -> Answer
    ) throws(Failure) -> Answer {
        let (answer, raised) = try shelf.withLock {
            (shelf) throws(Failure) -> (Answer, Set<StoreSignal>) in
            defer { shelf.raised = [] }
            let answer = try body(&shelf)
            return (answer, shelf.raised)
        }
        for signal in raised { hub.publish(signal) }
        return answer
    }
}
