import Jobs

/// One history: a small cluster in virtual time, every event of which follows from one seed.
///
/// One queue of events, one thread, one source of chance. The store and its lives, the worker's
/// decisions and the channel's frames are the real ones; processes, network and clocks are
/// simulated. See `docs/RELIABILITY.md`.
final class History {
    let plan: HistoryPlan
    let bug: PlantedBug?
    let store: SimulatedStore
    var dice: Dice
    private(set) var now = HistoryPlan.start
    private var queue = EventQueue()
    var workers: [SimulatedWorker] = []
    var clients: [SimulatedClient] = []
    private var calls: [Int: PendingCall] = [:]
    private var nextCall = 0
    private var storeDownUntil: Int64 = 0
    private var storeFrozenUntil: Int64 = 0
    var headDownUntil = [Int64](repeating: 0, count: HistoryPlan.headCount)
    var keeper: ScheduleKeeper?
    /// Grows when the store forgets, so that what was seen before is not held against it.
    private(set) var lossCount = 0
    private var results: UInt64 = 0
    private let isTraced: Bool
    private(set) var trace: [String] = []

    /// A call of the store that is under way.
    private final class PendingCall {
        let call: StoreCall
        let caller: Caller
        /// The caller has its answer, or gave up.
        var isSettled = false
        var arrivals = 0
        /// Copies of the request and the reply that are still under way.
        var copies = 0

        init(call: StoreCall, caller: Caller) {
            self.call = call
            self.caller = caller
        }
    }

    /// A simulated minute in which nothing fails any more is enough for every retry to end.
    static let patience: Int64 = 120_000
    /// More events than any history needs; reached only when something asks without end.
    static let eventsMax = 60_000

    init(seed: UInt64, bug: PlantedBug? = nil, isTraced: Bool = false) {
        var dice = Dice(seed: seed)
        plan = HistoryPlan(dice: &dice)
        self.dice = dice
        self.bug = bug
        self.isTraced = isTraced
        store = SimulatedStore(lives: bug?.lives ?? TaskLives())
    }

    func run() async {
        for slot in 0..<plan.workerCount { startWorker(slot, incarnation: 1) }
        for (index, job) in plan.jobs.enumerated() {
            clients.append(SimulatedClient(job: job))
            add(.client(index), at: job.submittedAt)
            if let stop = job.stoppedAt { add(.userStops(index), at: stop) }
        }
        if let scheduled = plan.schedule {
            keeper = ScheduleKeeper(plan: scheduled)
            add(.schedule, at: scheduled.putAt)
            for head in 0..<HistoryPlan.headCount { add(.headFires(head), at: now) }
        }
        for (at, fault) in plan.faults { add(.fault(fault), at: at) }
        var count = 0
        while let (time, event) = queue.popFirst() {
            now = max(now, time)
            if isAtRest { break }
            count += 1
            if count > History.eventsMax || now > plan.faultsEnd + History.patience { break }
            await handle(event)
            // What follows the first violation proves nothing.
            if !store.checker.violations.isEmpty { return }
        }
        await checkEnd()
    }

    private var isAtRest: Bool {
        guard now >= plan.faultsEnd, keeper?.isFinished ?? true else { return false }
        for client in clients where !client.isFinished { return false }
        for worker in workers where !worker.isAtRest { return false }
        return true
    }

    private func checkEnd() async {
        // Whoever is not acknowledged asks again, so that nobody may be left.
        for client in clients {
            expect(client.isFinished, .terminal, "\(client.job.spec.id) never ends")
        }
        expect(keeper?.isFinished ?? true, .terminal, "the job of a schedule never ends")
        guard store.checker.violations.isEmpty else { return }
        for worker in workers {
            expect(worker.isFree, .rest, "\(worker.life.id) keeps what nobody uses")
        }
        let ids = store.checker.tasks
        _ = await store.answer(.tasks(ids), at: now)
        for client in clients {
            _ = await store.answer(.job(client.job.spec.id), at: now)
        }
        for client in clients { count(client) }
    }

    private func count(_ client: SimulatedClient) {
        switch store.checker.jobs[client.job.spec.id]?.state {
        case .succeeded?: store.count(.succeeded)
        case .failed?: store.count(.failed)
        case .stopped?: store.count(.stopped)
        case .active?, .stopping?, nil: break
        }
    }

    // MARK: Words of the simulation

    var isStormy: Bool { now < plan.faultsEnd }

    func add(_ event: Event, after delay: Int64) { queue.add(event, at: now + max(0, delay)) }

    private func add(_ event: Event, at time: Int64) { queue.add(event, at: time) }

    func note(_ text: @autoclosure () -> String) {
        guard isTraced else { return }
        let millis = now - HistoryPlan.start
        let digits = String(millis % 1_000)
        let padded = String(repeating: "0", count: 3 - digits.count) + digits
        trace.append("\(millis / 1_000).\(padded)  \(text())")
    }

    func expect(
        _ condition: Bool, _ promise: Violation.Promise, _ what: @autoclosure () -> String
    ) {
        store.checker.expect(condition, promise, what(), at: now)
    }

    /// What one run of a task's code gives: never the same twice, so that nobody can mistake one
    /// run for another.
    func freshResult() -> [UInt8] {
        results += 1
        return withUnsafeBytes(of: results.bigEndian) { Array($0) }
    }

    // MARK: Calls of the store

    /// Sends a call on its way. Its caller hears once: the reply, or nil when none came in time.
    func send(_ call: StoreCall, from caller: Caller) {
        let id = nextCall
        nextCall += 1
        calls[id] = PendingCall(call: call, caller: caller)
        let weather = plan.weather
        let isCut = caller.worker.map { workers[$0.slot].cutUntil > now } ?? false
        // The client's patience with one call.
        let timeout = dice.number(in: 1_000...3_000)
        add(.callGivenUp(id), after: timeout)
        if isCut || (isStormy && dice.happens(perMille: weather.requestsLost)) {
            return note("lost on its way: \(call.summary)")
        }
        travel(.callArrives(id), id)
        if isStormy, dice.happens(perMille: weather.requestsDoubled) {
            travel(.callArrives(id), id)
        }
    }

    private func travel(_ event: Event, _ id: Int) {
        calls[id]?.copies += 1
        add(event, after: dice.tail(1, isStormy ? plan.weather.delayMax : 8))
    }

    private func callArrives(_ id: Int) async {
        guard let pending = calls[id] else { return }
        if storeFrozenUntil > now {
            return add(.callArrives(id), after: storeFrozenUntil - now + dice.number(in: 0...5))
        }
        calls[id]?.copies -= 1
        guard storeDownUntil <= now else {
            return add(.callGivenUp(id), after: dice.number(in: 1...20))  // refused
        }
        calls[id]?.arrivals += 1
        if pending.arrivals > 1 { store.count(.doubled) }
        if pending.isSettled { store.count(.unheard) }
        store.count(.calls)
        let clockError = pending.caller.worker.map { workers[$0.slot].clockError } ?? 0
        let reply = await store.answer(
            pending.call, at: now, clock: now + (bug == .callersClock ? clockError : 0))
        note("\(pending.call.summary) → \(reply.summary)")
        hint(after: pending.call, reply)
        let isCut = pending.caller.worker.map { workers[$0.slot].cutUntil > now } ?? false
        if isCut || (isStormy && dice.happens(perMille: plan.weather.repliesLost)) {
            note("its reply is lost")
        } else if pending.arrivals == 1 {
            travel(.callAnswered(id, reply), id)
        }
    }

    private func settle(_ id: Int, _ reply: StoreReply?) {
        guard let pending = calls[id] else { return }
        if reply != nil { calls[id]?.copies -= 1 }
        if !pending.isSettled {
            calls[id]?.isSettled = true
            if reply == nil { store.count(.unanswered) }
            hear(reply, for: pending.caller)
        }
        if let left = calls[id], left.isSettled, left.copies <= 0 { calls[id] = nil }
    }

    private func hear(_ reply: StoreReply?, for caller: Caller) {
        switch caller {
        case .worker(let key, let request):
            guard isAlive(key) else { return }
            heard(reply, for: request, by: key)
        // A head that died takes the answers with it that were on their way through it.
        case .client(let index, let request, let epoch):
            clientHeard(isLiving(epoch) ? reply : nil, for: request, by: index)
        case .schedule(let epoch): keeperHeard(isLiving(epoch) ? reply : nil)
        case .head: break  // looks again soon
        }
    }

    // MARK: Events

    private func handle(_ event: Event) async {
        if let key = event.worker, !isAlive(key) { return }
        // A stopped process meets all that came meanwhile when it wakes, in order.
        if let key = receiver(of: event), workers[key.slot].pausedUntil > now {
            return add(event, at: workers[key.slot].pausedUntil)
        }
        switch event {
        case .callArrives(let id): await callArrives(id)
        case .callGivenUp(let id): settle(id, nil)
        case .callAnswered(let id, let reply): settle(id, reply)
        case .fault(let fault): await strike(fault)
        case .restart(let slot, let incarnation): startWorker(slot, incarnation: incarnation)
        case .client(let index): clientActs(index)
        case .userStops(let index): userStops(index)
        case .schedule: keeperActs()
        case .headFires(let head): headFires(head)
        case .hint(let slot, let signal): workerHears(signal, slot)
        case .worker(let key, let what): workerActs(what, key)
        }
    }

    private func receiver(of event: Event) -> WorkerKey? {
        switch event {
        case .worker(let key, _): key
        case .callAnswered(let id, _), .callGivenUp(let id):
            calls[id]?.caller.worker.flatMap { isAlive($0) ? $0 : nil }
        default: nil
        }
    }

    // MARK: Faults

    private func strike(_ fault: HistoryPlan.Fault) async {
        note("FAULT \(fault)")
        switch fault {
        case .killWorker(let slot): killWorker(slot)
        case .retireWorker(let slot): retireWorker(slot)
        case .pauseWorker(let slot, let time): workers[slot].pausedUntil = now + time
        case .cutWorker(let slot, let time): workers[slot].cutUntil = now + time
        case .paceWorker(let slot, let percent): workers[slot].pace = percent
        case .killDriver(let slot): killDriver(slot)
        case .freezeStore(let time): storeFrozenUntil = now + time
        case .stopStore(let time): storeDownUntil = now + time
        case .setClock(let slot, let error): workers[slot].clockError = error
        case .killHead(let head, let time): headDownUntil[head] = now + time
        case .crashStore(let forgetting, let time):
            storeDownUntil = now + time
            let count = await store.forget(after: now - forgetting)
            guard count > 0 else { return }
            store.count(.forgotten, by: count)
            lossCount += 1
            clientsLookAgain()
            keeperLooksAgain()
            note("the store forgot \(count) calls")
        }
    }

    /// Signals are hints: some come late, some not at all.
    private func hint(after call: StoreCall, _ reply: StoreReply) {
        guard let signal = call.signal(reply) else { return }
        for slot in workers.indices where dice.happens(perMille: 800) {
            add(
                .hint(slot: slot, signal), after: dice.tail(1, isStormy ? plan.weather.delayMax : 8)
            )
        }
    }
}

extension SimulatedStore {
    func count(_ kind: HistoryCounts.Kind, by number: Int = 1) { checker.count(kind, by: number) }
}
