/// Claims, endings and heartbeats of the in-memory store.
extension JobShelf {
    mutating func end(_ ending: AttemptEnding, at now: Int64) -> EndingReply {
        let reply = tryToEnd(ending, at: now)
        counters.count(reply)
        return reply
    }

    private mutating func tryToEnd(_ ending: AttemptEnding, at now: Int64) -> EndingReply {
        guard let task = task(ending.lease.task) else { return .leaseLost }
        do throws(TaskLifeError) {
            let next = try lives.ending(task, ending, now)
            apply(next, was: task, at: now)
            return .committed
        } catch {
            if case .duplicate = error { return .duplicate }
            return .leaseLost
        }
    }

    /// Ends what is overdue: leases, then deadlines, the oldest first.
    mutating func sweep(at now: Int64) {
        expireOverdue(at: now)
        passDeadlines(at: now)
    }

    private mutating func expireOverdue(at now: Int64) {
        for id in timetable.overdueLeases(at: now, limit: limits.sweepMax) {
            guard let task = task(id), let next = try? lives.expiring(task, now) else { continue }
            apply(next, was: task, at: now)
        }
    }

    mutating func passDeadlines(at now: Int64) {
        for id in timetable.passedDeadlines(at: now, limit: limits.sweepMax) {
            // One that ended a job a moment ago took the job's other tasks along.
            guard let task = task(id), let next = try? lives.passingDeadline(task, now) else {
                continue
            }
            apply(next, was: task, at: now)
        }
    }

    mutating func grant(_ request: ClaimRequest, at now: Int64) -> [Grant] {
        let length = min(request.leaseInMilliseconds, ClaimRequest.leaseMaxInMilliseconds)
        var offer = request
        var grants: [Grant] = []
        while grants.count < request.grantsMax {
            guard let (task, isAhead) = nextTask(for: offer, at: now),
                let job = jobs[task.spec.job]?.record
            else { break }
            let length = min(
                task.spec.deadlines.heartbeat ?? length, ClaimRequest.leaseMaxInMilliseconds)
            let lease = Lease(
                task: task.spec.id, worker: request.worker, token: nextToken(at: now),
                expiry: now + length)
            guard let running = try? task.granting(lease, at: now) else { break }
            apply(running, was: task, at: now)
            jobs[task.spec.job]?.running[task.spec.id] = length
            if task.spec.kind == .driver {
                offer.driverSlots -= 1
                jobs[task.spec.job]?.record = job.granting(driverTo: request.worker, at: now)
                raised.insert(.job(task.spec.job))
            }
            if isAhead {
                offer.takeAhead(task.spec)
            } else {
                offer.free = offer.free.minus(task.spec.resources)
            }
            grants.append(
                Grant(task: running, lease: lease, job: job.spec, isAhead: isAhead))
        }
        return grants
    }

    /// By priority, then the job with the fewest running tasks, then age.
    private func nextTask(
        for request: ClaimRequest, at now: Int64
    ) -> (task: TaskRecord, isAhead: Bool)? {
        var best: (entry: QueueEntry, running: Int, task: TaskRecord, isAhead: Bool)?
        for job in jobs.values {
            guard let found = first(of: job, for: request, at: now) else { continue }
            let rank = (-found.entry.priority, job.running.count, found.entry.age)
            if let best, (-best.entry.priority, best.running, best.entry.age) < rank { continue }
            best = (found.entry, job.running.count, found.task, found.isAhead)
        }
        return best.map { ($0.task, $0.isAhead) }
    }

    /// The first of a job's waiting tasks that fits, or may come ahead. Only the first of each
    /// shape is looked at for that.
    private func first(
        of job: Job, for request: ClaimRequest, at now: Int64
    ) -> (entry: QueueEntry, task: TaskRecord, isAhead: Bool)? {
        var passed: Set<TaskShape> = []
        for entry in job.waiting {
            guard let task = job.tasks[entry.task],
                case .waiting(let notBefore) = task.state, notBefore <= now
            else { continue }
            if lives.fits(task.spec, request) { return (entry, task, false) }
            guard !request.ahead.isEmpty, passed.insert(TaskShape(task.spec)).inserted else {
                continue
            }
            if request.mayTakeAhead(task) { return (entry, task, true) }
        }
        return nil
    }

    // MARK: Workers

    mutating func heartbeat(
        _ worker: WorkerRecord, leases: [Lease], at now: Int64
    ) -> HeartbeatReply {
        workers[worker.id] = (worker, now)
        passDeadlines(at: now)
        var reply = HeartbeatReply(lost: [], cancelled: [])
        for lease in leases {
            guard let task = task(lease.task), lease.worker == worker.id,
                let length = jobs[task.spec.job]?.running[task.spec.id],
                let next = try? lives.extending(task, lease, now + length)
            else {
                reply.lost.append(lease)
                if task(lease.task)?.overdueToken == lease.token { reply.overdue.append(lease) }
                continue
            }
            apply(next, was: task, at: now)
            if task.cancelRequestedBy != nil { reply.cancelled.append(lease) }
        }
        expireOverdue(at: now)
        return reply
    }

    mutating func listedWorkers(at now: Int64) -> [WorkerRecord] {
        let lifetime = limits.workerLifetime.inMilliseconds
        workers = workers.filter { $0.value.at + lifetime > now }
        return workers.values.map(\.record).sorted {
            ($0.name, $0.id.rawValue) < ($1.name, $1.id.rawValue)
        }
    }
}
