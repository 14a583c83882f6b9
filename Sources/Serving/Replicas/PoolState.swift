import Synchronization

/// Everything a pool of replicas knows, changed under one lock: which replicas there are, which
/// requests are where, and what is to be done outside the lock.
///
/// Frames are sent under the lock. So what a replica reads has the order of the decisions: a
/// prediction let in after a model's commit comes after that commit at every replica.
struct PoolState: Sendable {
    /// A replica and what is between it and the gateway.
    struct Replica: Sendable {
        var life: ReplicaLife
        let startedAt: Duration
        var process: (any ReplicaProcess)?
        var socket: ReplicaSocket?
        /// It has answered the greeting: orders can be sent.
        var hasGreeted = false
        /// It was told that nothing more comes.
        var isDismissed = false
        /// The order under which it loads what is served, with the number of that model.
        var startOrder: (call: UInt64, modelNumber: Int)?

        var takesOrders: Bool { hasGreeted && life.state != .draining }
    }

    /// A request that somebody waits for.
    struct Pending: Sendable {
        let request: PredictRequest
        let continuation: CheckedContinuation<Reply, Never>
    }

    /// The model all replicas answer with.
    struct Served: Sendable {
        let version: ServableVersion
        let directory: String
        /// Grows with each load.
        let number: Int
    }

    /// An order whose outcome an install waits for; nil: the replica was lost.
    struct OpenOrder: Sendable {
        let replica: ReplicaID
        let continuation: CheckedContinuation<ModelOrder.Outcome?, Never>
    }

    /// What follows from a change, done once the lock is let go.
    enum Effect: Sendable {
        case answer(CheckedContinuation<Reply, Never>, Reply)
        case settle(CheckedContinuation<ModelOrder.Outcome?, Never>, ModelOrder.Outcome?)
        case launch(ReplicaID)
        case end(ReplicaID, (any ReplicaProcess)?, ReplicaSocket?)
        case log(PoolEvent)
    }

    var router: Router
    var autoscaler: Autoscaler
    var replicas: [ReplicaID: Replica] = [:]
    var pending: [Router.Ticket: Pending] = [:]
    var orders: [UInt64: OpenOrder] = [:]
    var served: Served?
    var pace = ReplacementPace()
    /// No replica starts before.
    var restsUntil = Duration.zero
    var lastStartFailure: String?
    var restartCount = 0
    var isInstalling = false
    var isStopping = false
    private var lastReplicaNumber = 0
    private var lastOrder: UInt64 = 0
    private var lastModelNumber = 0
    private var chance = SystemRandomNumberGenerator()
    private let rules: HealthRules

    init(_ settings: ReplicaSettings, connectionsMax: Int) {
        router = Router(
            ongoingMax: settings.maxOngoingRequests,
            queuedMax: settings.maxQueuedRequests < 0
                ? connectionsMax : settings.maxQueuedRequests,
            queueTime: settings.queueTime)
        autoscaler = Autoscaler(settings.autoscaling)
        rules = settings.health
    }

    mutating func nextOrder() -> UInt64 {
        lastOrder += 1
        return lastOrder
    }

    mutating func nextModelNumber() -> Int {
        lastModelNumber += 1
        return lastModelNumber
    }

    func count(_ state: ReplicaLife.State) -> Int {
        replicas.values.count { $0.life.state == state }
    }
}

/// What a pool tells the log.
enum PoolEvent: Sendable {
    case ready(ReplicaID, pid: Int32?, after: Duration)
    case lost(ReplicaID, cause: String, retried: Int)
    case scaled(Autoscaler.Decision)
}

// MARK: Requests

extension PoolState {
    /// Lets a request in; nil when its reply comes later, else why it is refused.
    mutating func admit(
        _ ticket: Router.Ticket, _ request: PredictRequest,
        _ continuation: CheckedContinuation<Reply, Never>, at now: Duration
    ) -> Reply? {
        guard served != nil else { return PoolReply.notLoaded(request) }
        guard !isStopping else { return PoolReply.stopping(request) }
        switch router.admit(ticket, at: now, chance: &chance) {
        case .assigned(let replica):
            pending[ticket] = Pending(request: request, continuation: continuation)
            replicas[replica]?.socket?.send(.predict(call: ticket.number, request))
        case .queued:
            pending[ticket] = Pending(request: request, continuation: continuation)
        case .refused(let count):
            return PoolReply.queueFull(request, count: count, bound: router.queuedMax)
        }
        return nil
    }

    /// A replica's reply; nobody may wait for it any more.
    mutating func finish(_ ticket: Router.Ticket, with reply: Reply) -> [Effect] {
        send(router.finish(ticket, chance: &chance))
        guard let pending = pending.removeValue(forKey: ticket) else { return [] }
        return [.answer(pending.continuation, reply)]
    }

    /// The client has gone: a waiting request gives up its place, one at work is left alone.
    mutating func withdraw(_ ticket: Router.Ticket) -> [Effect] {
        guard let pending = pending.removeValue(forKey: ticket) else { return [] }
        if router.isWaiting(ticket) { send(router.finish(ticket, chance: &chance)) }
        return [.answer(pending.continuation, PoolReply.stopping(pending.request))]
    }

    mutating func expire(at now: Duration) -> [Effect] {
        router.expire(at: now).compactMap { ticket in
            guard let pending = pending.removeValue(forKey: ticket) else { return nil }
            return .answer(
                pending.continuation, PoolReply.late(pending.request, after: router.queueTime))
        }
    }

    private mutating func send(_ assignments: [Router.Assignment]) {
        var assignments = assignments[...]
        while let next = assignments.popFirst() {
            if let request = pending[next.ticket]?.request {
                replicas[next.replica]?.socket?.send(.predict(call: next.ticket.number, request))
            } else {
                // Its client left while it was at a replica that was lost: the place is free.
                assignments += router.finish(next.ticket, chance: &chance)
            }
        }
    }
}

// MARK: Replicas

extension PoolState {
    /// Brings the number of replicas towards what is wanted and looks after each of them.
    mutating func control(at now: Duration) -> [Effect] {
        var effects = expire(at: now)
        guard !isStopping else { return effects }
        if served != nil, let decision = autoscaler.step(load: router.load, at: now) {
            effects.append(.log(.scaled(decision)))
        }
        for id in Array(replicas.keys) { effects += tick(id, at: now) }
        let wanted = wantedCount
        let kept = replicas.filter { $0.value.life.state != .draining }
        if kept.count < wanted, now >= restsUntil {
            for _ in kept.count..<wanted { effects.append(start(at: now)) }
        } else if kept.count > wanted {
            drain(kept, downTo: wanted, at: now)
        }
        dismissIdle()
        return effects
    }

    /// Without a model there is nothing to answer with; a load needs one replica to try it.
    private var wantedCount: Int {
        if isInstalling { return max(1, autoscaler.target) }
        return served == nil ? 0 : autoscaler.target
    }

    private mutating func start(at now: Duration) -> Effect {
        lastReplicaNumber += 1
        let id = ReplicaID(lastReplicaNumber)
        replicas[id] = Replica(
            life: ReplicaLife(startingAt: now, rules: rules), startedAt: now)
        return .launch(id)
    }

    private mutating func tick(_ id: ReplicaID, at now: Duration) -> [Effect] {
        guard let deed = replicas[id]?.life.tick(at: now) else { return [] }
        switch deed {
        case .nothing: return []
        case .ask:
            replicas[id]?.socket?.send(.ping)
            return []
        case .kill(let cause): return lose(id, cause: cause, at: now)
        }
    }

    /// Those that have not begun go first, then those with least to do.
    private mutating func drain(
        _ kept: [ReplicaID: Replica], downTo wanted: Int, at now: Duration
    ) {
        let order = kept.map { id, replica in
            (id, rank: (replica.life.state == .ready ? 1 : 0, router.ongoingCount(of: id) ?? 0))
        }.sorted { $0.rank < $1.rank }
        for (id, _) in order.prefix(kept.count - wanted) {
            replicas[id]?.life.apply(.drain, at: now)
            router.close(id)
        }
    }

    /// A draining replica without requests is told that nothing more comes, and ends.
    private mutating func dismissIdle() {
        for (id, replica) in replicas where replica.life.state == .draining {
            guard !replica.isDismissed, router.ongoingCount(of: id) ?? 0 == 0,
                let socket = replica.socket
            else { continue }
            socket.finish()
            replicas[id]?.isDismissed = true
        }
    }

    /// The process runs and its socket is read from now on; false where nobody wants it any more.
    mutating func attach(
        _ id: ReplicaID, _ process: any ReplicaProcess, _ socket: ReplicaSocket
    ) -> Bool {
        guard replicas[id] != nil, !isStopping else { return false }
        replicas[id]?.process = process
        replicas[id]?.socket = socket
        return true
    }

    /// It can take orders: the first is to load what is served.
    mutating func greeted(_ id: ReplicaID, at now: Duration) -> [Effect] {
        replicas[id]?.hasGreeted = true
        return bringUp(id, at: now)
    }

    /// Orders the served model, or opens the replica at once where none is.
    mutating func bringUp(_ id: ReplicaID, at now: Duration) -> [Effect] {
        guard let replica = replicas[id], replica.hasGreeted, replica.life.state == .starting
        else { return [] }
        guard let served else { return open(id, at: now) }
        let call = nextOrder()
        replicas[id]?.startOrder = (call, served.number)
        let order = ModelOrder(directory: served.directory, version: served.version)
        replica.socket?.send(.prepare(call: call, ReplicaJSON.encode(order)))
        return []
    }

    mutating func open(_ id: ReplicaID, at now: Duration) -> [Effect] {
        guard let replica = replicas[id], replica.life.state == .starting else { return [] }
        replicas[id]?.life.apply(.loaded, at: now)
        replicas[id]?.startOrder = nil
        lastStartFailure = nil
        send(router.open(id, chance: &chance))
        return [.log(.ready(id, pid: replica.process?.pid, after: now - replica.startedAt))]
    }

    /// The outcome of an order: of an install that waits for it, or of the replica's own start.
    mutating func prepared(
        _ id: ReplicaID, call: UInt64, _ outcome: ModelOrder.Outcome, at now: Duration
    ) -> [Effect] {
        if let order = orders.removeValue(forKey: call) {
            return [.settle(order.continuation, outcome)]
        }
        guard let start = replicas[id]?.startOrder, start.call == call else { return [] }
        replicas[id]?.startOrder = nil
        switch outcome {
        case .refused(let reason): return lose(id, cause: "model not loaded: \(reason)", at: now)
        case .ready:
            // A load may have come in between.
            guard start.modelNumber == served?.number else { return bringUp(id, at: now) }
            replicas[id]?.socket?.send(.commit(call: call))
            return open(id, at: now)
        }
    }

    /// The replica is gone or has to go; what it had goes elsewhere.
    mutating func lose(_ id: ReplicaID, cause: String, at now: Duration) -> [Effect] {
        guard let replica = replicas.removeValue(forKey: id) else { return [] }
        let orphanCount = router.ongoingCount(of: id) ?? 0
        let (assigned, failed) = router.lose(id, chance: &chance)
        send(assigned)
        var effects: [Effect] = [.end(id, replica.process, replica.socket)]
        for ticket in failed {
            guard let pending = pending.removeValue(forKey: ticket) else { continue }
            effects.append(.answer(pending.continuation, PoolReply.lostTwice(pending.request)))
        }
        for (call, order) in orders where order.replica == id {
            orders[call] = nil
            effects.append(.settle(order.continuation, nil))
        }
        guard !isStopping, !replica.isDismissed else { return effects }
        restartCount += 1
        lastStartFailure = cause
        restsUntil = now + pace.delay(afterLifeOf: now - replica.startedAt)
        effects.append(.log(.lost(id, cause: cause, retried: orphanCount - failed.count)))
        return effects
    }
}
