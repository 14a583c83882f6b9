import Jobs

/// A worker process of a history: the real `WorkerLife`, and what stands around it.
final class SimulatedWorker {
    let key: WorkerKey
    var life: WorkerLife
    /// The grants of tasks that run in an executor, by token.
    var tasks: [Int64: Grant] = [:]
    /// When each of them began.
    var begun: [Int64: Int64] = [:]
    var drivers: [Int64: SimulatedDriver] = [:]
    var isClaimUnderWay = false
    /// The wait for the next claim; nil while none is waited for.
    var wait: Int?
    var waitCount = 0
    /// A wake-up that came while nobody waited.
    var isWoken = false
    /// What a leaving worker still has to say.
    var parting: [AttemptEnding]?
    var isGone = false
    var pausedUntil: Int64 = 0
    var cutUntil: Int64 = 0
    var pace: Int64 = 100
    /// How far its wall clock is ahead of the store's.
    var clockError: Int64 = 0
    let pools: Set<String>

    init(_ key: WorkerKey) {
        self.key = key
        pools = HistoryPlan.pools(ofSlot: key.slot)
        life = WorkerLife(
            id: WorkerID(rawValue: "worker-\(key.slot + 1)#\(key.incarnation)"),
            offer: WorkerLife.Offer(
                resources: HistoryPlan.resources(ofSlot: key.slot), driverSlots: 2, attemptsMax: 8,
                labels: ["toolchain"], leaseInMilliseconds: 4_000))
    }

    var isFree: Bool {
        isGone
            || life.running.isEmpty && life.endings.isEmpty && life.free == life.offer.resources
                && life.freeDriverSlots == life.offer.driverSlots
    }

    /// Whether what runs here takes no more than there is.
    var keepsWithinItsMeans: Bool {
        let free = life.free
        return free.milliCPUs >= 0 && free.memoryInBytes >= 0 && free.gpus >= 0
            && free.custom.values.allSatisfy { $0 >= 0 } && life.freeDriverSlots >= 0
    }

    var isAtRest: Bool { isGone || isFree && tasks.isEmpty && drivers.isEmpty && parting == nil }

    var record: WorkerRecord {
        WorkerRecord(
            id: life.id, name: "worker-\(key.slot + 1)", host: "host-\(key.slot + 1)",
            pid: Int32(key.incarnation), total: life.offer.resources, free: life.free,
            labels: life.offer.labels, version: "simulated", runningTasks: life.running.count,
            pools: pools)
    }
}

/// What `Worker` does around its life: the claim loop, heartbeats, processes, leaving.
extension History {
    static let heartbeatInterval: Int64 = 1_000

    func isAlive(_ key: WorkerKey) -> Bool {
        workers[key.slot].key == key && !workers[key.slot].isGone
    }

    func startWorker(_ slot: Int, incarnation: Int) {
        let worker = SimulatedWorker(WorkerKey(slot: slot, incarnation: incarnation))
        if slot < workers.count {
            worker.cutUntil = workers[slot].cutUntil  // the machine's network
            workers[slot] = worker
        } else {
            workers.append(worker)
        }
        note("\(worker.life.id) starts")
        add(.worker(worker.key, .heartbeatDue), after: dice.number(in: 0...1_000))
        pause(worker.key, for: dice.number(in: 1...200))
    }

    func killWorker(_ slot: Int) {
        guard !workers[slot].isGone else { return }
        store.count(.kills)
        leave(slot)
    }

    private func leave(_ slot: Int) {
        workers[slot].isGone = true
        let incarnation = workers[slot].key.incarnation + 1
        add(.restart(slot: slot, incarnation: incarnation), after: dice.tail(100, 3_000))
    }

    func workerActs(_ event: WorkerEvent, _ key: WorkerKey) {
        switch event {
        case .claimDue(let wait):
            guard workers[key.slot].wait == wait else { return }
            claim(key)
        case .heartbeatDue: heartbeat(key, isRegular: true)
        case .aheadDue(let tokens):
            if workers[key.slot].life.handBackWaiting(tokens) > 0 { wake(key) }
        case .attemptEnds(let token, let outcome): attemptEnds(token, outcome, key)
        case .driverStarts(let token): driverStarts(token, key)
        case .arrives(let token, let bytes, let isForDriver):
            arrives(bytes, token, key, isForDriver: isForDriver)
        case .driverExits(let token, let end): driverExits(token, end, key)
        case .sessionSends(let token): sessionSends(token, key)
        case .sessionLooks(let token): sessionPolls(token, key)
        case .leaves:
            guard let parting = workers[key.slot].parting else { return }
            send(.finish(parting), from: .worker(key, .leave))
        }
    }

    func heard(_ reply: StoreReply?, for request: WorkerRequest, by key: WorkerKey) {
        switch request {
        case .claim(let sent): claimed(reply, sent: sent, key)
        case .heartbeat(let isRegular): beaten(reply, key, isRegular: isRegular)
        case .enqueue(let token, let count): sessionSent(reply, token, count, key)
        case .place(let token): sessionPlaced(reply, token, key)
        case .look(let token, let start): sessionLooked(reply, from: start, token, key)
        case .ask(let token, let ids): sessionAsked(reply, ids, token, key)
        case .report: break  // for people only
        case .leave:
            if reply != nil {
                send(.remove(workers[key.slot].life.id), from: .worker(key, .report))
            }
            leave(key.slot)
        }
    }

    // MARK: Claiming

    private func claim(_ key: WorkerKey) {
        let slot = key.slot
        guard workers[slot].life.isClaiming, !workers[slot].isClaimUnderWay else { return }
        workers[slot].wait = nil
        workers[slot].isClaimUnderWay = true
        var request = workers[slot].life.claimRequest
        request.pools = workers[slot].pools
        send(.claim(request), from: .worker(key, .claim(sent: request.endings.count)))
    }

    private func claimed(_ reply: StoreReply?, sent: Int, _ key: WorkerKey) {
        let slot = key.slot
        workers[slot].isClaimUnderWay = false
        var length = dice.number(in: 500...1_500)
        if case .claimed(let reply)? = reply {
            for grant in workers[slot].life.claimed(reply, sent: sent) { start(grant, key) }
            let ahead = reply.grants.filter(\.isAhead).map(\.lease.token)
            if !ahead.isEmpty { add(.worker(key, .aheadDue(ahead)), after: paced(50, key)) }
            length = workers[slot].life.pauseInMilliseconds(after: reply)
        }
        if !workers[slot].life.isClaiming { return handBack(key) }
        if length == 0 || workers[slot].isWoken {
            workers[slot].isWoken = false
            claim(key)
        } else {
            pause(key, for: length)
        }
    }

    private func pause(_ key: WorkerKey, for length: Int64) {
        workers[key.slot].waitCount += 1
        let wait = workers[key.slot].waitCount
        workers[key.slot].wait = wait
        add(.worker(key, .claimDue(wait: wait)), after: paced(length, key))
    }

    func paced(_ length: Int64, _ key: WorkerKey) -> Int64 {
        max(1, length * (isStormy ? workers[key.slot].pace : 100) / 100)
    }

    private func wake(_ key: WorkerKey) {
        if workers[key.slot].wait != nil { claim(key) } else { workers[key.slot].isWoken = true }
    }

    private func start(_ grant: Grant, _ key: WorkerKey) {
        let token = grant.lease.token
        if grant.task.spec.kind == .driver { return startDriver(grant, key) }
        workers[key.slot].tasks[token] = grant
        workers[key.slot].begun[token] = now
        expect(
            workers[key.slot].keepsWithinItsMeans, .fits,
            "\(workers[key.slot].life.id) runs more than it has room for")
        let outcome: AttemptOutcome
        if isStormy, dice.happens(perMille: plan.weather.attemptsCrash) {
            outcome = .crashed(message: "the executor ended", exitCode: nil, signal: 9)
        } else if isStormy, dice.happens(perMille: plan.weather.attemptsThrow) {
            outcome = .failed(message: "the task threw")
        } else {
            outcome = .succeeded(.inline(freshResult()))
        }
        let terms = plan.jobs.first { $0.spec.id == grant.job.id }?.terms[grant.task.spec.name]
        let isShort = terms?.isShort ?? false && !dice.happens(perMille: 30)
        add(
            .worker(key, .attemptEnds(token: token, outcome)),
            after: isShort ? dice.number(in: 0...3) : dice.tail(5, 4_000))
    }

    private func attemptEnds(_ token: Int64, _ outcome: AttemptOutcome?, _ key: WorkerKey) {
        let worker = workers[key.slot]
        worker.tasks[token] = nil
        worker.drivers[token] = nil
        let time = now - (worker.begun.removeValue(forKey: token) ?? now)
        guard let attempt = worker.life.ended(token, outcome) else { return }
        // The task that waits for this place begins in it at once.
        if let next = worker.life.next(after: attempt, microseconds: time * 1_000) {
            start(next, key)
            store.count(.startedAhead)
        }
        wake(key)
    }

    // MARK: Leases

    private func heartbeat(_ key: WorkerKey, isRegular: Bool) {
        let worker = workers[key.slot]
        send(
            .heartbeat(worker.record, leases: worker.life.leases),
            from: .worker(key, .heartbeat(isRegular: isRegular)))
    }

    private func beaten(_ reply: StoreReply?, _ key: WorkerKey, isRegular: Bool) {
        if isRegular {
            add(.worker(key, .heartbeatDue), after: paced(History.heartbeatInterval, key))
        }
        guard case .beaten(let reply)? = reply else { return }
        for lease in reply.lost { end(lease.token, .leaseLost, key) }
        for lease in reply.cancelled { end(lease.token, .stop, key) }
    }

    private func end(_ token: Int64, _ reason: SimulatedDriver.Ending, _ key: WorkerKey) {
        if workers[key.slot].life.isWaiting(token) {
            workers[key.slot].life.ended(token, reason == .stop ? .cancelled(by: "stop") : nil)
            wake(key)
        } else if workers[key.slot].drivers[token] != nil {
            endDriver(token, reason, key)
        } else if workers[key.slot].tasks[token] != nil {
            let killed = AttemptOutcome.crashed(message: "killed", exitCode: nil, signal: 9)
            add(.worker(key, .attemptEnds(token: token, killed)), after: dice.number(in: 1...50))
        }
    }

    func workerHears(_ signal: StoreSignal, _ slot: Int) {
        let worker = workers[slot]
        guard !worker.isGone, worker.pausedUntil <= now else { return }
        switch signal {
        case .work: wake(worker.key)
        case .tasks(let job):
            for (token, driver) in worker.drivers.sorted(by: { $0.key < $1.key })
            where driver.grant.job.id == job {
                sessionLooks(token, worker.key)
            }
        case .job(let job):
            if worker.life.isRunning(job) { heartbeat(worker.key, isRegular: false) }
        case .logs, .builds, .anything: break
        }
    }

    // MARK: Leaving

    func retireWorker(_ slot: Int) {
        guard !workers[slot].isGone, workers[slot].life.isClaiming else { return }
        store.count(.retirements)
        workers[slot].life.stopClaiming()
        if !workers[slot].isClaimUnderWay { handBack(workers[slot].key) }
    }

    /// Ends what runs, then says so.
    private func handBack(_ key: WorkerKey) {
        workers[key.slot].parting = workers[key.slot].life.handBack()
        workers[key.slot].tasks = [:]
        workers[key.slot].begun = [:]
        workers[key.slot].drivers = [:]
        add(.worker(key, .leaves), after: dice.tail(5, 5_000))
    }
}
