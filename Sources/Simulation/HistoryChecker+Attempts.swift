import Jobs

/// Claims, endings and heartbeats.
extension HistoryChecker {
    mutating func observe(_ request: ClaimRequest, _ reply: ClaimReply) {
        observe(request.endings, reply.endings)
        expireLeases()
        strikeDeadlines()
        var offer = request
        for grant in reply.grants {
            let resources = grant.task.spec.resources
            expect(
                grant.isAhead
                    ? take(grant, of: &offer)
                    : resources.fits(in: offer.free)
                        && (grant.task.spec.kind == .task || offer.driverSlots > 0),
                .fits, "\(request.worker) was granted \(grant.lease.task), which it cannot hold")
            expectFirst(grant, offer)
            observe(grant, request)
            if grant.isAhead { continue }
            offer.free = offer.free.minus(resources)
            if grant.task.spec.kind == .driver { offer.driverSlots -= 1 }
        }
        expect(
            reply.grants.count <= request.grantsMax, .fits,
            "\(request.worker) was granted more than it asked for")
        if reply.grants.count < request.grantsMax { expectNothingLeft(offer) }
    }

    /// Whether the worker offered to take such a task ahead.
    private func take(_ grant: Grant, of offer: inout ClaimRequest) -> Bool {
        guard grant.task.attempt == 1, grant.task.spec.deadlines.isEmpty,
            let index = offer.ahead.firstIndex(where: { $0.job == grant.job.id && $0.count > 0 })
        else { return false }
        offer.ahead[index].count -= 1
        return true
    }

    private mutating func observe(_ grant: Grant, _ request: ClaimRequest) {
        let lease = grant.lease
        let task = lease.task
        let highest = highestToken
        expect(
            lease.token > highest, .tokensGrow, "\(task) got token \(lease.token) after \(highest)")
        highestToken = max(highest, lease.token)
        guard let account = accounts[task] else {
            return expect(false, .memory, "\(task) is granted, and nobody asked for it")
        }
        if account.isRunning, let old = account.lease {
            expect(
                false, .noOverlap,
                "\(task) was granted to \(lease.worker) while \(old.worker) holds it")
        }
        expect(account.result == nil, .oneResult, "\(task) is run again after its result")
        expect(!account.isOver, .monotone, "\(task) is run again after its end")
        expect(!account.isHeld, .after, "\(task) does not wait for \(grant.job.after ?? [])")
        let wait = account.earliest - now
        expect(wait <= 0, .delays, "\(task) is granted \(wait) ms too early")
        expect(
            lease.worker == request.worker && grant.task.state == .running(lease), .fencing,
            "\(task)'s lease and record differ")
        expect(
            grant.task.attempt == account.attempt + 1 && grant.task.life == account.life,
            .attempts,
            "\(task) is in attempt \(grant.task.attempt) of life \(grant.task.life), not in "
                + "\(account.attempt + 1) of \(account.life)")
        expect(
            request.pools.contains(grant.job.poolName)
                && grant.task.spec.pool == grant.job.poolName,
            .pools, "\(task) of pool \(grant.job.poolName) is granted to \(request.worker)")
        count(grant, account)
        run(account, lease, request)
    }

    private mutating func run(_ account: TaskAccount, _ lease: Lease, _ request: ClaimRequest) {
        account.length = min(
            account.spec.deadlines.heartbeat ?? request.leaseInMilliseconds,
            ClaimRequest.leaseMaxInMilliseconds)
        account.lease = lease
        account.expiry = now + account.length
        account.grantedAt = now
        account.attempt += 1
        account.isRunning = true
        account.isUnsure = false
        expect(
            lease.expiry == account.expiry, .clock,
            "the lease of \(account.id) ends \(lease.expiry - account.expiry) ms too late")
    }

    private mutating func count(_ grant: Grant, _ account: TaskAccount) {
        if account.isDriver, grant.task.attempt > 1 { counts[.driverRestarts] += 1 }
        if grant.isAhead { counts[.aheadGrants] += 1 }
        if grant.job.pool != nil { counts[.pooledGrants] += 1 }
        if !grant.task.spec.resources.custom.isEmpty { counts[.licensedGrants] += 1 }
    }

    // MARK: Endings

    mutating func observe(_ endings: [AttemptEnding], _ replies: [EndingReply]) {
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
                expect(!isCurrent(lease), .living, "\(lease.task): a living lease may not end")
            }
        }
    }

    private mutating func commit(_ ending: AttemptEnding) {
        let lease = ending.lease
        expect(isCurrent(lease), .fencing, "\(lease.worker) ended \(lease.task) without its lease")
        guard let account = accounts[lease.task] else { return }
        endedTokens.insert(lease.token)
        account.isRunning = false
        switch ending.outcome {
        case .succeeded(let result):
            expect(account.result == nil, .oneResult, "\(lease.task) has two results")
            account.result = result
            finish(account)
        case .cancelled: finish(account)
        case .released:
            account.attempt -= 1
            if account.isWished { return finish(account) }
            account.earliest = now
            account.latest = now
        case .failed: fail(account, isRetried: account.spec.retry.retriesErrors)
        case .crashed: fail(account, isRetried: account.spec.retry.retriesCrashes)
        }
    }

    mutating func fail(_ account: TaskAccount, isRetried: Bool) {
        guard account.triesAgain(isRetried, at: now) else { return finish(account) }
        if account.latest > now { counts[.delayedTasks] += 1 }
    }

    // MARK: Leases

    mutating func observe(_ leases: [Lease], _ reply: HeartbeatReply) {
        strikeDeadlines()
        let (lost, cancelled) = (reply.lost, reply.cancelled)
        for lease in leases {
            guard !lost.contains(lease) else {
                counts[.lostLeases] += 1
                expect(!isCurrent(lease), .living, "\(lease.task): a living lease was lost")
                continue
            }
            expectCurrent(lease, "was kept alive")
            guard let account = accounts[lease.task], account.holds(lease) else { continue }
            account.expiry = now + account.length
            expect(
                account.isWished == cancelled.contains(lease), .cancels,
                "\(lease.worker) hears \(cancelled.contains(lease) ? "of" : "nothing of") a wish "
                    + "to end \(lease.task)")
        }
        expireLeases()
    }

    private func isCurrent(_ lease: Lease) -> Bool { accounts[lease.task]?.holds(lease) ?? false }

    mutating func expectCurrent(_ lease: Lease, _ what: String) {
        expect(isCurrent(lease), .fencing, "\(lease.task) of \(lease.worker) \(what) without lease")
    }
}
