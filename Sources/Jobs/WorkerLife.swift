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
            worker: id, free: free, driverSlots: freeDriverSlots, labels: offer.labels,
            grantsMax: max(0, min(64, offer.attemptsMax - running.count)),
            leaseInMilliseconds: offer.leaseInMilliseconds, endings: endings, pools: offer.pools)
    }

    /// Takes over the answer to a request that carried `sent` endings.
    ///
    /// - Returns: the grants to start; none when the worker is leaving, which hands them back.
    package mutating func claimed(_ reply: ClaimReply, sent: Int) -> [Grant] {
        endings.removeFirst(min(sent, endings.count))
        guard isClaiming else {
            endings += reply.grants.map { AttemptEnding(lease: $0.lease, outcome: .released) }
            return []
        }
        for grant in reply.grants {
            let resources = grant.task.spec.resources
            free = free.minus(resources)
            if grant.task.spec.kind == .driver { freeDriverSlots -= 1 }
            running[grant.lease.token] = Attempt(
                lease: grant.lease, job: grant.job.id, kind: grant.task.spec.kind,
                resources: resources, deadline: grant.task.deadlineText)
        }
        return reply.grants
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
        free = free.plus(attempt.resources)
        if attempt.kind == .driver { freeDriverSlots += 1 }
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
    package mutating func handBack() -> [AttemptEnding] {
        isClaiming = false
        for lease in leases { ended(lease.token, .released) }
        defer { endings = [] }
        return endings
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
