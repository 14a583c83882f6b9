import Jobs

/// Something that must never happen, and did.
package struct Violation: Sendable, Hashable, CustomStringConvertible {
    package enum Promise: String, Sendable, CaseIterable {
        case oneResult = "at most one committed result per task"
        case fencing = "only the current lease acts"
        case noOverlap = "leases of one task do not overlap"
        case tokensGrow = "tokens never repeat nor go backwards"
        case expiry = "an overdue lease ends at the next claim"
        case living = "a living lease is not taken away"
        case monotone = "what is over stays as it is"
        case fits = "grants fit in what was offered"
        case memory = "what is acknowledged is known"
        case memo = "a call is answered by its own task, and by one result"
        case terminal = "every acknowledged submission comes to an end"
        case rest = "a worker that has ended all attempts is free"
    }
    package let promise: Promise
    package let what: String
    /// Milliseconds since the history began.
    package let at: Int64

    package var description: String { "\(promise.rawValue): \(what) (at \(at) ms)" }
}

/// Watches every call that a store takes, in the order in which it takes them, and holds the
/// answers against the promises.
///
/// It knows leases, endings and results from the calls alone and asks the store nothing, so a store
/// that is wrong cannot mislead it.
struct HistoryChecker: Sendable {
    private struct Held {
        let lease: Lease
        let length: Int64
        var expiry: Int64
        /// Ended, or expired by a claim.
        var isOver = false
    }

    private(set) var violations: [Violation] = []
    private(set) var counts = HistoryCounts()
    /// Never forgotten, whatever the store forgets.
    private var highestToken: Int64 = 0
    private var held: [TaskID: Held] = [:]
    private var endedTokens: Set<Int64> = []
    private(set) var results: [TaskID: Payload] = [:]
    private var terminalTasks: [TaskID: TaskState] = [:]
    private(set) var jobs: [JobID: JobRecord] = [:]
    private var now: Int64 = 0

    var tasks: [TaskID] { held.keys.sorted { $0.rawValue < $1.rawValue } }

    mutating func observe(_ call: StoreCall, _ reply: StoreReply, at now: Int64) {
        self.now = now
        switch (call, reply) {
        case (.submit, .job(let record?)), (.stop, .job(let record?)): see(record)
        case (.job(let id), .job(nil)), (.stop(let id, _), .job(nil)):
            expect(jobs[id] == nil, .memory, "\(id) is gone")
        case (.job, .job(let record?)): see(record)
        case (.report(_, _, let lease), .done): expectCurrent(lease, "reported a phase")
        case (.enqueue(_, let lease), .tasks(let records)):
            expectCurrent(lease, "enqueued tasks")
            for record in records.compactMap({ $0 }) { see(record) }
        case (.cancel(_, _, let lease), .done): expectCurrent(lease, "cancelled tasks")
        case (.tasks, .tasks(let records)), (.deadTasks, .tasks(let records)),
            (.cancelTask, .tasks(let records)):
            for record in records.compactMap({ $0 }) { see(record) }
        case (.claim(let request), .claimed(let reply)): observe(request, reply)
        case (.finish(let endings), .finished(let replies)): observe(endings, replies)
        case (.heartbeat(_, let leases), .beaten(let reply)): observe(leases, reply)
        default: break
        }
    }

    /// The store was set back to what `log` led to. Tokens are not: one that was granted and
    /// forgotten may still be in a worker's hands.
    mutating func rewind(to log: ArraySlice<SimulatedStore.Entry>) {
        var fresh = HistoryChecker()
        for entry in log { fresh.observe(entry.call, entry.reply, at: entry.time) }
        held = fresh.held
        endedTokens = fresh.endedTokens
        results = fresh.results
        terminalTasks = fresh.terminalTasks
        jobs = fresh.jobs
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

    // MARK: Attempts

    private mutating func observe(_ request: ClaimRequest, _ reply: ClaimReply) {
        observe(request.endings, reply.endings)
        for (task, lease) in held where !lease.isOver && lease.expiry <= now {
            held[task]?.isOver = true
            counts[.expiries] += 1
        }
        var free = request.free
        var slots = request.driverSlots
        for grant in reply.grants {
            observe(grant, request)
            free = free.minus(grant.task.spec.resources)
            if grant.task.spec.kind == .driver { slots -= 1 }
        }
        expect(
            free.milliCPUs >= 0 && free.memoryInBytes >= 0 && free.gpus >= 0 && slots >= 0
                && reply.grants.count <= request.grantsMax,
            .fits, "\(request.worker) was granted more than it offered")
    }

    private mutating func observe(_ grant: Grant, _ request: ClaimRequest) {
        let lease = grant.lease
        let task = lease.task
        let highest = highestToken
        expect(
            lease.token > highest, .tokensGrow,
            "\(task) got token \(lease.token) after \(highest)")
        highestToken = max(highest, lease.token)
        if let old = held[task], !old.isOver {
            expect(
                false, .noOverlap,
                "\(task) was granted to \(lease.worker) while \(old.lease.worker) holds it")
        }
        expect(results[task] == nil, .oneResult, "\(task) is run again after its result")
        expect(terminalTasks[task] == nil, .monotone, "\(task) is run again after its end")
        expect(
            lease.worker == request.worker && grant.task.state == .running(lease), .fencing,
            "\(task)'s lease and record differ")
        if grant.task.spec.kind == .driver, grant.task.attempt > 1 { counts[.driverRestarts] += 1 }
        held[task] = Held(lease: lease, length: request.leaseInMilliseconds, expiry: lease.expiry)
    }

    private mutating func observe(_ endings: [AttemptEnding], _ replies: [EndingReply]) {
        expect(endings.count == replies.count, .memory, "an ending has no answer")
        for (ending, reply) in zip(endings, replies) {
            let lease = ending.lease
            switch reply {
            case .committed: commit(ending)
            case .duplicate:
                counts[.duplicateEndings] += 1
                expect(
                    endedTokens.contains(lease.token), .memory,
                    "\(lease.task) says twice what it never said")
            case .leaseLost:
                counts[.lateEndings] += 1
                expect(!isLiving(lease), .living, "\(lease.task): a living lease may not end")
            }
        }
    }

    private mutating func commit(_ ending: AttemptEnding) {
        let lease = ending.lease
        expect(isCurrent(lease), .fencing, "\(lease.worker) ended \(lease.task) without its lease")
        held[lease.task]?.isOver = true
        endedTokens.insert(lease.token)
        guard case .succeeded(let result) = ending.outcome else { return }
        expect(results[lease.task] == nil, .oneResult, "\(lease.task) has two results")
        results[lease.task] = result
    }

    private mutating func observe(_ leases: [Lease], _ reply: HeartbeatReply) {
        let lost = Set(reply.lost)
        for lease in leases {
            if lost.contains(lease) {
                counts[.lostLeases] += 1
                expect(!isLiving(lease), .living, "\(lease.task): a living lease was lost")
            } else {
                expectCurrent(lease, "was kept alive")
                if let length = held[lease.task]?.length, isCurrent(lease) {
                    held[lease.task]?.expiry = now + length
                }
            }
        }
    }

    private func isCurrent(_ lease: Lease) -> Bool {
        guard let held = held[lease.task] else { return false }
        return held.lease.token == lease.token && held.lease.worker == lease.worker && !held.isOver
    }

    private func isLiving(_ lease: Lease) -> Bool {
        isCurrent(lease) && (held[lease.task]?.expiry ?? 0) > now
    }

    private mutating func expectCurrent(_ lease: Lease, _ what: String) {
        expect(isCurrent(lease), .fencing, "\(lease.task) of \(lease.worker) \(what) without lease")
    }

    // MARK: Records

    private mutating func see(_ task: TaskRecord) {
        let id = task.spec.id
        if let end = terminalTasks[id] {
            expect(task.state == end, .monotone, "\(id) changed after its end")
        }
        switch task.state {
        case .running(let lease):
            expect(
                held[id]?.lease.token == lease.token, .fencing,
                "\(id) runs under a lease that nobody was granted")
            expect(
                held[id]?.isOver == false, .expiry, "\(id) still runs after its lease ran out")
        case .succeeded(let result):
            expect(results[id] == result, .oneResult, "\(id) has a result that nobody committed")
        case .waiting, .failed, .cancelled: break
        }
        if task.state.isTerminal { terminalTasks[id] = task.state }
    }

    private mutating func see(_ job: JobRecord) {
        let id = job.spec.id
        if let old = jobs[id] {
            expect(
                !old.state.isTerminal || job.state == old.state, .monotone,
                "\(id) changed after its end")
            expect(
                job.driverAttempts >= old.driverAttempts && job.tasksTotal >= old.tasksTotal
                    && job.tasksSucceeded >= old.tasksSucceeded
                    && job.tasksFailed >= old.tasksFailed, .monotone, "\(id) counts backwards")
        }
        if case .succeeded(let result) = job.state {
            let committed = results[.driver(of: id)]
            expect(
                committed == result ?? .inline([]), .oneResult,
                "\(id) succeeded with what its driver never said")
        }
        jobs[id] = job
    }
}
