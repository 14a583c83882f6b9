import Jobs

/// A fault in the code under test, put there on purpose: the checker must find each of them.
package enum PlantedBug: String, CaseIterable, Sendable {
    /// Whoever ran an attempt may end the one that runs now.
    case noFencing = "no-fencing"
    /// A claim leaves overdue leases as they are.
    case noExpiry = "no-expiry"
    /// Two calls of one task with equal inputs have one name.
    case noOccurrence = "no-occurrence"
    /// Any heartbeat keeps the current lease alive, whoever holds it.
    case anyHeartbeat = "any-heartbeat"
    /// Tokens are counted only by what the store remembers.
    case tokensForget = "tokens-forget"
    /// A driver's session goes on waiting for tasks that the store has forgotten.
    case waitsForNobody = "waits-for-nobody"
    /// A driver's session believes that the list of ends tells every end.
    case trustsTheList = "trusts-the-list"
    /// A worker is granted tasks of pools that it does not serve.
    case anyPool = "any-pool"
    /// What a worker has left of a custom resource is not looked at.
    case overcommit = "overcommit"
    /// The oldest task goes first, whatever its priority.
    case ignoresPriority = "ignores-priority"
    /// A job's driver does not wait for the jobs it comes after.
    case ignoresAfter = "ignores-after"
    /// Deadlines are kept, and end nothing.
    case noDeadlines = "no-deadlines"
    /// What failed is tried again at once.
    case noDelay = "no-delay"
    /// A job's new life runs again what had succeeded.
    case forgetsResults = "forgets-results"
    /// A task that is retried keeps the attempts it has used.
    case keepsAttempts = "keeps-attempts"
    /// A fire is named by the moment at which a head notices it, and so is a job of each head.
    case firesTwice = "fires-twice"
    /// A fire that a head missed is counted as done.
    case losesFires = "loses-fires"
    /// The store takes a caller's clock for its own.
    case callersClock = "callers-clock"

    var lives: TaskLives {
        var lives = TaskLives()
        switch self {
        case .noFencing, .noDelay: lives.ending = ending
        case .noExpiry:
            lives.expiring = { (task, _) throws(TaskLifeError) in throw .notOverdue(task.spec.id) }
        case .anyHeartbeat:
            lives.extending = { (task, lease, expiry) throws(TaskLifeError) in
                guard case .running(let current) = task.state else {
                    throw .leaseLost(task.spec.id)
                }
                return try task.extending(current, until: expiry)
            }
        case .tokensForget: lives.tokenAfter = { last, _ in last + 1 }
        case .anyPool, .overcommit: lives.fits = fits
        case .ignoresPriority: lives.priority = { _ in 0 }
        case .ignoresAfter: lives.holding = { $0 }
        case .noDeadlines:
            lives.passingDeadline = { (task, _) throws(TaskLifeError) in
                throw .notOverdue(task.spec.id)
            }
        case .forgetsResults, .keepsAttempts: lives.reviving = reviving
        case .firesTwice, .losesFires: lives.firing = firing
        case .noOccurrence, .waitsForNobody, .trustsTheList, .callersClock: break
        }
        return lives
    }

    private func ending(
        _ task: TaskRecord, _ told: AttemptEnding, _ now: Int64
    ) throws(TaskLifeError) -> TaskRecord {
        var told = told
        if self == .noFencing, case .running(let current) = task.state { told.lease = current }
        var next = try TaskLives().ending(task, told, now)
        if self == .noDelay, case .waiting = next.state { next.state = .waiting(notBefore: now) }
        return next
    }

    private func fits(_ task: NewTask, _ request: ClaimRequest) -> Bool {
        var (task, request) = (task, request)
        switch self {
        case .anyPool: request.pools.insert(task.pool)
        default: task.resources.custom = [:]
        }
        return TaskLives().fits(task, request)
    }

    private func reviving(
        _ task: TaskRecord, _ life: Int, _ now: Int64
    ) throws(TaskLifeError) -> TaskRecord {
        var old = task
        if self == .forgetsResults, case .succeeded = task.state {
            old.state = .cancelled(by: JobRecord.endOfJob)
        }
        var next = try old.reviving(in: life, at: now)
        if self == .keepsAttempts { next.attempt = task.attempt }
        return next
    }

    private func firing(
        _ schedule: ScheduleRecord, _ now: Int64
    ) throws(JobStoreError) -> (job: NewJob, after: ScheduleRecord)? {
        guard let fire = try TaskLives().firing(schedule, now) else { return nil }
        if self == .losesFires {
            // Found more than two seconds late, as after an outage.
            return now - schedule.nextFire > 2_000 ? nil : fire
        }
        var job = fire.job
        job.id = JobID(rawValue: "\(job.id)-\(now)") ?? job.id
        return (job, schedule)
    }
}
