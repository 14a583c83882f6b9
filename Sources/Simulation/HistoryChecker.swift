import Jobs

/// Watches every call that a store takes, in the order in which it takes them, and holds the
/// answers against the promises.
///
/// It knows leases, endings and results from the calls alone and asks the store nothing, so a store
/// that is wrong cannot mislead it. What attempts do stands in `HistoryChecker+Attempts.swift`,
/// what waits in `HistoryChecker+Waiting.swift`.
struct HistoryChecker {
    private(set) var violations: [Violation] = []
    var counts = HistoryCounts()
    /// Never forgotten, whatever the store forgets.
    var highestToken: Int64 = 0
    var accounts: [TaskID: TaskAccount] = [:]
    /// Of those the ones that are not over, and maybe some that are.
    var open: [TaskAccount] = []
    var tasksOfJob: [JobID: [TaskAccount]] = [:]
    var endedTokens: Set<Int64> = []
    var jobs: [JobID: JobRecord] = [:]
    /// Jobs that are active, and how many lives each job has had.
    var activeJobs: Set<JobID> = []
    var lives: [JobID: Int] = [:]
    var schedules: [String: ScheduleAccount] = [:]
    var now: Int64 = 0

    var tasks: [TaskID] { accounts.keys.sorted { $0.rawValue < $1.rawValue } }

    mutating func observe(_ call: StoreCall, _ reply: StoreReply, at now: Int64) {
        self.now = now
        switch (call, reply) {
        case (.claim(let request), .claimed(let reply)): observe(request, reply)
        case (.finish(let endings), .finished(let replies)): observe(endings, replies)
        case (.heartbeat(_, let leases), .beaten(let reply)): observe(leases, reply)
        case (.submit(let job), .job(let record?)):
            submitted(job)
            see(record)
        case (.job(let id), .job(nil)), (.stop(let id, _), .job(nil)):
            expect(jobs[id] == nil, .memory, "\(id) is gone")
        case (.job, .job(let record?)): see(record)
        case (.stop(let id, _), .job(let record?)):
            stopped(id)
            see(record)
        case (.retryJob(let id), .job(let record?)):
            retried(id, in: record.lives)
            see(record)
        case (.report(_, _, let lease), .done): expectCurrent(lease, "reported a phase")
        case (.enqueue(let tasks, let lease), .tasks(let records)):
            expectCurrent(lease, "enqueued tasks")
            for (task, record) in zip(tasks, records) { asked(task, lease, record) }
        case (.cancel(let tasks, _, let lease), .done):
            expectCurrent(lease, "cancelled tasks")
            for task in tasks where task != lease.task { cancelled(task) }
        case (.cancelTask(let id, _), .tasks(let records)):
            cancelled(id)
            see(records)
        case (.retryTask(let id), .tasks(let records)):
            if let record = records.first ?? nil { retried(id, record) }
            see(records)
        case (.tasks, .tasks(let records)), (.deadTasks, .tasks(let records)): see(records)
        case (.ended, .ended(let ends)): see(ends)
        case (.put(let schedule), .schedule(let record)): put(schedule, record)
        case (.deleteSchedule(let name), .done): schedules[name] = nil
        case (.fireSchedules, .jobs(let records)): fired(records)
        default: break
        }
    }

    /// The store was set back to what `log` led to. Tokens are not: one that was granted and
    /// forgotten may still be in a worker's hands.
    mutating func rewind(to log: ArraySlice<SimulatedStore.Entry>) {
        var fresh = HistoryChecker()
        for entry in log { fresh.observe(entry.call, entry.reply, at: entry.time) }
        fresh.violations = violations
        fresh.counts = counts
        fresh.highestToken = highestToken
        self = fresh
    }

    mutating func count(_ kind: HistoryCounts.Kind, by number: Int = 1) { counts[kind] += number }

    mutating func expect(
        _ condition: Bool, _ promise: Violation.Promise, _ what: @autoclosure () -> String,
        at time: Int64? = nil
    ) {
        guard !condition else { return }
        violations.append(
            Violation(promise: promise, what: what(), at: (time ?? now) - HistoryPlan.start))
    }

    // MARK: Records

    mutating func see(_ records: [TaskRecord?]) {
        for record in records {
            if let record { see(record) }
        }
    }

    mutating func see(_ ends: EndedTasks) {
        for end in ends.tasks {
            switch end {
            case .other(let record): see(record)
            case .succeeded(let id, let result):
                expect(
                    accounts[id]?.result == result, .oneResult,
                    "\(id) has a result that nobody committed")
            }
        }
    }

    mutating func see(_ task: TaskRecord) {
        let id = task.spec.id
        guard let account = accounts[id] else {
            return expect(false, .memory, "\(id) is known, and nobody asked for it")
        }
        if let end = account.end {
            expect(task.state == end, .monotone, "\(id) changed after its end")
        }
        if account.isUnsure, task.state.isTerminal { finish(account) }
        switch task.state {
        case .running(let lease):
            expect(
                account.lease?.token == lease.token, .fencing,
                "\(id) runs under a lease that nobody was granted")
            expect(account.isRunning, .expiry, "\(id) still runs after its lease ended")
        case .succeeded(let result):
            expect(
                account.result == result, .oneResult, "\(id) has a result that nobody committed")
        case .waiting:
            expect(!account.isOver, .deadlines, "\(id) still waits after its end")
            expect(!account.isRunning, .living, "\(id) waits, and nobody ended its lease")
        case .failed, .cancelled: expect(account.isOver, .living, "\(id) was ended by nobody")
        }
        if task.state.isTerminal { account.end = task.state }
    }

    mutating func see(_ job: JobRecord) {
        let id = job.spec.id
        if let old = jobs[id] {
            expect(
                !old.state.isTerminal || job.lives > old.lives || job.state == old.state,
                .monotone, "\(id) changed after its end")
            expect(
                job.driverAttempts >= old.driverAttempts && job.tasksTotal >= old.tasksTotal
                    && job.tasksSucceeded >= old.tasksSucceeded && job.lives >= old.lives
                    && job.submittedAt == old.submittedAt, .monotone, "\(id) counts backwards")
        }
        jobs[id] = job
        expect(job.lives == lives[id], .newLife, "\(id) says it is in life \(job.lives)")
        guard let driver = accounts[.driver(of: id)] else { return }
        expect(
            job.state.isTerminal == driver.isOver, .monotone,
            "\(id) is \(job.state), unlike its driver")
        if case .succeeded(let result) = job.state {
            expect(
                driver.result == result ?? .inline([]), .oneResult,
                "\(id) succeeded with what its driver never said")
        }
        let awaited = driver.isHeld && !driver.isOver ? undone(before: id) : []
        expect(
            job.waitsFor == awaited, .reasons, "\(id) says it waits for \(job.waitsFor)")
    }
}
