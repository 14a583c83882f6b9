/// What a worker holds and what it may say next: its decisions as a value, without clock or store.
///
/// `Worker` keeps one and carries its outcomes to the store and to processes; the simulation keeps
/// one per simulated worker. Every attempt that starts is ended exactly once, and what it took of
/// the machine is free again afterwards.
package struct WorkerLife: Sendable {
    /// What this worker can take at one time.
    package struct Offer: Sendable, Hashable {
        package var resources: Resources
        package var driverSlots: Int
        package var attemptsMax: Int
        package var labels: Set<String>
        package var pools: Set<String>
        package var leaseInMilliseconds: Int64

        package init(
            resources: Resources, driverSlots: Int, attemptsMax: Int, labels: Set<String>,
            leaseInMilliseconds: Int64, pools: Set<String> = [Pool.defaultName]
        ) {
            self.resources = resources
            self.driverSlots = driverSlots
            self.attemptsMax = attemptsMax
            self.labels = labels
            self.pools = pools
            self.leaseInMilliseconds = leaseInMilliseconds
        }
    }

    /// An attempt this worker holds a lease for.
    package struct Attempt: Sendable, Hashable {
        package let lease: Lease
        package let job: JobID
        package let kind: NewTask.Kind
        package let resources: Resources
        /// The deadline that strikes first in it, in words; nil when none does.
        package let deadline: String?
        /// Which attempt of its task it is, in which life of the task.
        package let number: Int
        package let life: Int
        let queue: WorkerQueue
        var actor: ActorTask?
    }

    package let id: WorkerID
    package let offer: Offer
    package private(set) var free: Resources
    package private(set) var freeDriverSlots: Int
    /// By the token of the lease.
    package private(set) var running: [Int64: Attempt] = [:]
    /// Attempts that ended and that the store has not taken yet, in the order of their ends.
    package private(set) var endings: [AttemptEnding] = []
    package private(set) var isClaiming = true
    /// Attempts that succeeded, and that failed, since this worker began.
    package private(set) var succeededCount = 0
    package private(set) var failedCount = 0
    /// Granted tasks that wait here for a slot of their job and shape, and how long such take.
    private var backlog = WorkerBacklog()
    /// Set by whoever sends heartbeats: whether the store took one lately enough that no lease
    /// which it extended can have ended.
    package var areLeasesCertain = true
    /// The labels of the actors that live here.
    private var homes: Set<String> = []
    private var actorCount = 0

    package init(id: WorkerID, offer: Offer) {
        self.id = id
        self.offer = offer
        free = offer.resources
        freeDriverSlots = offer.driverSlots
    }

    // MARK: Claiming

    /// What to ask for now. Whoever sends it sends no other before `claimed` or a failure; after a
    /// failure nothing has changed here, and the endings go with the next request.
    package var claimRequest: ClaimRequest {
        ClaimRequest(
            worker: id, free: free, driverSlots: freeDriverSlots,
            labels: labels,
            // An actor's attempt is as long as its life: its calls must find room beside it.
            grantsMax: max(0, min(64, offer.attemptsMax - (running.count - actorCount))),
            leaseInMilliseconds: offer.leaseInMilliseconds, endings: endings,
            ahead: backlog.offers, pools: offer.pools)
    }

    /// Takes over the answer to a request that carried `sent` endings.
    ///
    /// - Returns: the grants to start now; none when the worker is leaving, which hands them back.
    ///   Those that came ahead are started by `next(after:)`, or handed back.
    package mutating func claimed(_ reply: ClaimReply, sent: Int) -> [Grant] {
        endings.removeFirst(min(sent, endings.count))
        guard isClaiming else {
            endings += reply.grants.map { AttemptEnding(lease: $0.lease, outcome: .released) }
            return []
        }
        var starts: [Grant] = []
        var shapes = ShapeTexts()
        for grant in reply.grants {
            let spec = grant.task.spec
            let queue = WorkerQueue(spec, &shapes)
            let attempt = Attempt(
                lease: grant.lease, job: grant.job.id, kind: spec.kind, resources: spec.resources,
                deadline: grant.task.deadlineText,
                number: grant.task.attempt, life: grant.task.life, queue: queue,
                actor: ActorTask(spec))
            if grant.isAhead && backlog.usesSlots(queue) {
                backlog.add(grant, to: queue)
            } else if grant.isAhead && !spec.resources.fits(in: free) {
                // The slot it was to wait for went to something else meanwhile.
                endings.append(AttemptEnding(lease: grant.lease, outcome: .released))
                continue
            } else {
                take(attempt)
                starts.append(grant)
            }
            running[grant.lease.token] = attempt
        }
        return starts
    }

    private mutating func take(_ attempt: Attempt) {
        free = free.minus(attempt.resources)
        if attempt.kind == .driver { freeDriverSlots -= 1 }
        if attempt.isLife { actorCount += 1 }
        // Calls of an actor never come ahead: they have an order, and its home may change.
        if attempt.actor == nil { backlog.began(attempt.queue) }
    }

    /// How long to wait for a wake-up before the next claim, in milliseconds: not at all while
    /// there is something to tell, else until a delayed task is due, at most a second.
    package func pauseInMilliseconds(after reply: ClaimReply) -> Int64 {
        if !isClaiming || !endings.isEmpty || !reply.grants.isEmpty { return 0 }
        return min(1_000, max(1, reply.nextDueInMilliseconds.map { $0 + 1 } ?? 1_000))
    }

    /// Frees what the attempt held and keeps its ending for the next claim.
    ///
    /// - Parameters:
    ///   - outcome: nil when nothing may be said, because the lease is another worker's.
    ///   - lastLines: what the attempt printed last; kept by the store when it failed.
    /// - Returns: nil when no such attempt runs (any more), and nothing has changed.
    @discardableResult
    package mutating func ended(
        _ token: Int64, _ outcome: AttemptOutcome?, lastLines: [String] = []
    ) -> Attempt? {
        guard let attempt = running.removeValue(forKey: token) else { return nil }
        if !backlog.remove(token, from: attempt.queue) {
            free = free.plus(attempt.resources)
            if attempt.kind == .driver { freeDriverSlots += 1 }
            if attempt.isLife { actorCount -= 1 }
            backlog.ended(attempt.queue)
        }
        guard let outcome else { return attempt }
        var ending = AttemptEnding(lease: attempt.lease, outcome: outcome)
        switch outcome {
        case .succeeded: succeededCount += 1
        case .failed, .crashed:
            failedCount += 1
            ending.lastLines = lastLines
        case .released, .cancelled: break
        }
        endings.append(ending)
        return attempt
    }

    // MARK: Short tasks

    /// The task to start in the place of an attempt that has just ended, and that took so long
    /// from its start to its answer.
    package mutating func next(after ended: Attempt, microseconds: Int64) -> Grant? {
        backlog.note(ended.queue, microseconds: microseconds)
        guard isClaiming, let grant = backlog.first(of: ended.queue),
            let attempt = running[grant.lease.token]
        else { return nil }
        _ = backlog.remove(grant.lease.token, from: ended.queue)
        take(attempt)
        return grant
    }

    /// Whether an attempt is granted and waits for its slot.
    package func isWaiting(_ token: Int64) -> Bool {
        running[token].map { backlog.holds(token, in: $0.queue) } ?? false
    }

    /// Whether there is enough to do for a while, so that the next claim may wait for more endings
    /// to carry: every claim costs the store, and all who listen to it, as much as several tasks.
    package var mayGather: Bool { isClaiming && backlog.count >= 8 && endings.count < 64 }

    /// Hands back those of these attempts that still wait for a slot: the tasks before them take
    /// longer than was thought, and another worker may be idle.
    ///
    /// - Returns: how many there were.
    package mutating func handBackWaiting(_ tokens: [Int64]) -> Int {
        let waiting = tokens.filter(isWaiting)
        for token in waiting { ended(token, .released) }
        return waiting.count
    }

    // MARK: Actors

    /// An actor lives here from now on, or no more: only then are its calls asked for.
    package mutating func isHome(of instance: String, _ job: JobID, _ isHome: Bool) {
        let label = ActorTask.homeLabel(of: instance, job)
        if isHome { homes.insert(label) } else { homes.remove(label) }
    }

    /// Calls are asked for only while it is certain that the actors here still are the only ones of
    /// their names: not when their leases may have ended since the store was last heard of.
    private var labels: Set<String> {
        var labels = offer.labels
        if areLeasesCertain { labels.formUnion(homes) }
        if actorCount >= offer.attemptsMax { labels.remove(ActorTask.label) }
        return labels
    }

    // MARK: Leases

    /// What a heartbeat keeps alive, in the order of the grants.
    package var leases: [Lease] {
        running.values.map(\.lease).sorted { $0.token < $1.token }
    }

    package func isRunning(_ job: JobID) -> Bool { running.values.contains { $0.job == job } }

    // MARK: Leaving

    /// Nothing granted from now on is started.
    package mutating func stopClaiming() { isClaiming = false }

    /// Gives up every attempt that runs. Answers all that is to be told to the store, once.
    ///
    /// What belongs to an actor is not handed back unharmed: its state is gone, and a message may
    /// have been acted on. So it counts an attempt.
    package mutating func handBack() -> [AttemptEnding] {
        isClaiming = false
        for lease in leases {
            let isActor = running[lease.token]?.actor != nil
            ended(
                lease.token,
                isActor
                    ? .crashed(message: "its worker was stopped", exitCode: nil, signal: nil)
                    : .released)
        }
        defer { endings = [] }
        return endings
    }
}

extension WorkerLife.Attempt {
    fileprivate var isLife: Bool {
        if case .life = actor { true } else { false }
    }
}

extension Resources {
    /// What there is after `other` is given back.
    package func plus(_ other: Resources) -> Resources {
        Resources(
            milliCPUs: milliCPUs + other.milliCPUs,
            memoryInBytes: memoryInBytes + other.memoryInBytes, gpus: gpus + other.gpus,
            custom: custom.merging(other.custom) { $0 + $1 })
    }
}
