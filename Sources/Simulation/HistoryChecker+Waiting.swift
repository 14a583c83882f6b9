import Jobs

/// What waits, for what, and how long: submissions, retries, cancels, deadlines, queues.
extension HistoryChecker {
    // MARK: Jobs

    mutating func submitted(_ job: NewJob) {
        guard accounts[.driver(of: job.id)] == nil else { return }
        lives[job.id] = 1
        activeJobs.insert(job.id)
        var driver = job.driver
        driver.pool = job.poolName
        let account = keep(driver, of: job.id)
        guard let after = job.after else { return account.begin(at: now) }
        if after.contains(where: { hasFailed($0) }) {
            finish(account)
        } else if undone(among: after).isEmpty {
            account.begin(at: now)
        } else {
            counts[.heldDrivers] += 1
        }
    }

    /// The jobs that this one still waits for, in their order.
    func undone(before id: JobID) -> [JobID] {
        let spec = accounts[.driver(of: id)].flatMap { _ in jobs[id]?.spec }
        return undone(among: spec?.after ?? [])
    }

    private func undone(among ids: [JobID]) -> [JobID] {
        ids.filter { accounts[.driver(of: $0)]?.result == nil }
    }

    private func hasFailed(_ id: JobID) -> Bool {
        accounts[.driver(of: id)].map { $0.isOver && $0.result == nil } ?? false
    }

    mutating func stopped(_ id: JobID) {
        guard activeJobs.remove(id) != nil, let driver = accounts[.driver(of: id)] else { return }
        if driver.isRunning {
            endTasks(of: id)
            driver.isWished = true
        } else {
            finish(driver)
        }
    }

    /// What waits is over; what runs is told to end.
    private func endTasks(of id: JobID) {
        for task in tasksOfJob[id] ?? [] where !task.isOver && !task.isDriver {
            if task.isRunning { task.isWished = true } else { task.isOver = true }
        }
    }

    /// A task has come to its end in this life; with a driver its job has, and those that wait for
    /// the job go on or end as well.
    mutating func finish(_ account: TaskAccount) {
        account.isRunning = false
        account.isOver = true
        account.isUnsure = false
        guard account.isDriver else { return }
        let id = account.spec.job
        activeJobs.remove(id)
        endTasks(of: id)
        for (follower, record) in jobs where record.spec.after?.contains(id) ?? false {
            guard let driver = accounts[.driver(of: follower)], driver.isHeld, !driver.isOver else {
                continue
            }
            if account.result == nil {
                finish(driver)
            } else if undone(before: follower).isEmpty {
                driver.begin(at: now)
            }
        }
    }

    // MARK: Tasks

    mutating func asked(_ task: NewTask, _ lease: Lease, _ record: TaskRecord?) {
        guard let job = lease.task.job, let life = lives[job] else { return }
        if let known = accounts[task.id] {
            if known.life < life, known.isOver, known.result == nil { revive(known, in: life) }
        } else {
            var task = task
            task.pool = jobs[job]?.spec.poolName ?? task.pool
            keep(task, of: job).begin(at: now)
        }
        if let record { see(record) }
    }

    @discardableResult
    private mutating func keep(_ task: NewTask, of job: JobID) -> TaskAccount {
        let account = TaskAccount(task, life: lives[job] ?? 1)
        accounts[task.id] = account
        tasksOfJob[job, default: []].append(account)
        list(account)
        return account
    }

    private mutating func list(_ account: TaskAccount) {
        guard !account.isListed else { return }
        account.isListed = true
        open.append(account)
    }

    private mutating func revive(_ account: TaskAccount, in life: Int) {
        if !account.isDriver { counts[.retriedTasks] += 1 }
        account.revive(in: life, at: now)
        list(account)
    }

    mutating func cancelled(_ id: TaskID) {
        guard let account = accounts[id] else { return }
        if account.isDriver { return stopped(account.spec.job) }
        if account.isRunning { account.isWished = true } else { account.isOver = true }
        account.isUnsure = false
    }

    // MARK: New lives

    mutating func retried(_ id: JobID, in life: Int) {
        guard life > lives[id] ?? 1, let driver = accounts[.driver(of: id)] else { return }
        counts[.retriedJobs] += 1
        expect(driver.isOver && driver.result == nil, .newLife, "\(id) did not fail")
        expect(life == (lives[id] ?? 1) + 1, .newLife, "\(id) leaves out a life")
        for task in tasksOfJob[id] ?? [] where task.isRunning {
            expect(false, .newLife, "\(id) begins anew while \(task.id) runs")
        }
        lives[id] = life
        activeJobs.insert(id)
        revive(driver, in: life)
    }

    mutating func retried(_ id: TaskID, _ record: TaskRecord) {
        guard let account = accounts[id] else { return }
        if record.life > lives[account.spec.job] ?? 1 { retried(account.spec.job, in: record.life) }
        guard case .waiting = record.state, !account.isDriver else { return }
        // Of one that a deadline may have ended the record tells whether it waits anew.
        let isNew = account.isUnsure && record.scheduledAt == now
        if account.isOver || isNew { revive(account, in: lives[account.spec.job] ?? 1) }
    }

    // MARK: Time

    mutating func expireLeases() {
        for account in open where account.isRunning && account.expiry <= now {
            counts[.expiries] += 1
            // A lost worker is no fault of the task's.
            fail(account, isRetried: true)
        }
    }

    mutating func strikeDeadlines() {
        for account in open where !account.isOver && !account.spec.deadlines.isEmpty {
            if account.isRunning {
                guard let strike = account.strike, strike.at <= now else { continue }
                counts[.deadlines] += 1
                fail(account, isRetried: !strike.isFinal)
            } else {
                switch account.hasWaitedTooLong(at: now) {
                case true?:
                    counts[.deadlines] += 1
                    finish(account)
                case nil: account.isUnsure = true
                case false?: break
                }
            }
        }
        for account in open where account.isOver { account.isListed = false }
        open.removeAll { !$0.isListed }
    }

    // MARK: Queues

    /// Whether a worker that asks so could certainly be given it.
    private func isClaimable(_ account: TaskAccount, _ offer: ClaimRequest) -> Bool {
        guard !account.isOver, !account.isRunning, !account.isHeld, !account.isUnsure,
            account.latest <= now
        else { return false }
        let spec = account.spec
        return offer.pools.contains(spec.pool) && spec.resources.fits(in: offer.free)
            && spec.labels.isSubset(of: offer.labels)
            && (!account.isDriver || offer.driverSlots > 0)
    }

    mutating func expectFirst(_ grant: Grant, _ offer: ClaimRequest) {
        let priority = grant.task.spec.priority
        for account in open
        where account.spec.priority > priority && isClaimable(account, offer) {
            expect(
                false, .priority,
                "\(grant.lease.task) of priority \(priority) goes before \(account.id) of "
                    + "\(account.spec.priority)")
        }
    }

    mutating func expectNothingLeft(_ offer: ClaimRequest) {
        for account in open where isClaimable(account, offer) {
            expect(false, .idle, "\(account.id) waits, though it fits at \(offer.worker)")
        }
    }
}
