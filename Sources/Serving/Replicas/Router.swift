/// Says which replica takes which request: a value that decides and does nothing itself.
///
/// Of two replicas drawn by chance among those with room, the one with fewer requests in progress
/// takes the next one. That comes close to the best choice among all, and many gateways that do so
/// do not run to the same replica together (Mitzenmacher, "The power of two choices in randomized
/// load balancing", 2001). Where none has room, requests wait in the order they came in; where too
/// many wait already, a further one is refused at once.
///
/// A request that loses its replica waits once more, before all others; when it loses a second
/// one it fails, since it may be what ends them.
struct Router: Sendable {
    /// A request between its admission and its end.
    struct Ticket: Hashable, Sendable {
        let number: UInt64
    }

    /// What becomes of a request that comes in.
    enum Admission: Equatable, Sendable {
        case assigned(ReplicaID)
        case queued
        case refused(queuedCount: Int)
    }

    /// A waiting request that a replica takes now.
    struct Assignment: Equatable, Sendable {
        let ticket: Ticket
        let replica: ReplicaID
    }

    private struct Entry {
        let deadline: Duration
        var place: ReplicaID?
        var hasBeenRetried = false
    }

    private struct Slot {
        let id: ReplicaID
        var ongoingCount = 0
        /// False while it finishes what it has before it goes.
        var isOpen = true
    }

    let ongoingMax: Int
    let queuedMax: Int
    let queueTime: Duration
    private var slots: [Slot] = []
    private var entries: [Ticket: Entry] = [:]
    private var queue = TicketQueue()
    /// Those that lost a replica, first to go.
    private var retries = TicketQueue()
    private(set) var queuedCount = 0

    init(ongoingMax: Int, queuedMax: Int, queueTime: Duration) {
        self.ongoingMax = ongoingMax
        self.queuedMax = queuedMax
        self.queueTime = queueTime
    }

    /// Requests at replicas.
    var ongoingCount: Int { entries.count - queuedCount }

    /// Everything that is neither answered nor refused.
    var load: Int { entries.count }

    /// Nil for a replica that is not here.
    func ongoingCount(of replica: ReplicaID) -> Int? {
        slots.first { $0.id == replica }?.ongoingCount
    }

    /// True while it is at no replica.
    func isWaiting(_ ticket: Ticket) -> Bool {
        entries[ticket].map { $0.place == nil } ?? false
    }

    // MARK: Requests

    /// Lets a request in, or not. `now` is the time since any one origin.
    mutating func admit(
        _ ticket: Ticket, at now: Duration, chance: inout some RandomNumberGenerator
    ) -> Admission {
        precondition(entries[ticket] == nil, "a ticket is used once")
        // Nobody overtakes those who wait.
        if queuedCount == 0, let index = choose(&chance) {
            slots[index].ongoingCount += 1
            entries[ticket] = Entry(deadline: now + queueTime, place: slots[index].id)
            return .assigned(slots[index].id)
        }
        guard queuedCount < queuedMax else { return .refused(queuedCount: queuedCount) }
        entries[ticket] = Entry(deadline: now + queueTime)
        queue.append(ticket)
        queuedCount += 1
        return .queued
    }

    /// The request is answered, or nobody waits for it any more. Unknown tickets change nothing.
    mutating func finish(
        _ ticket: Ticket, chance: inout some RandomNumberGenerator
    ) -> [Assignment] {
        guard let entry = entries.removeValue(forKey: ticket) else { return [] }
        guard let place = entry.place else {
            queuedCount -= 1
            return []
        }
        if let index = index(of: place) { slots[index].ongoingCount -= 1 }
        return assignWaiting(&chance)
    }

    /// Those that have waited too long; they are forgotten here.
    mutating func expire(at now: Duration) -> [Ticket] {
        guard queuedCount > 0 else { return [] }
        let late = entries.filter { $0.value.place == nil && $0.value.deadline <= now }.map(\.key)
        for ticket in late { entries[ticket] = nil }
        queuedCount -= late.count
        return late
    }

    // MARK: Replicas

    /// A replica takes requests from now on.
    mutating func open(
        _ replica: ReplicaID, chance: inout some RandomNumberGenerator
    ) -> [Assignment] {
        if let index = index(of: replica) {
            slots[index].isOpen = true
        } else {
            slots.append(Slot(id: replica))
        }
        return assignWaiting(&chance)
    }

    /// A replica takes no further requests and keeps those it has.
    mutating func close(_ replica: ReplicaID) {
        if let index = index(of: replica) { slots[index].isOpen = false }
    }

    /// A replica is gone, with all requests it had: most go to another one, some have failed.
    mutating func lose(
        _ replica: ReplicaID, chance: inout some RandomNumberGenerator
    ) -> (assigned: [Assignment], failed: [Ticket]) {
        guard let index = index(of: replica) else { return ([], []) }
        slots.remove(at: index)
        var failed: [Ticket] = []
        let orphans = entries.filter { $0.value.place == replica }.map(\.key)
            .sorted { $0.number < $1.number }
        for ticket in orphans {
            if entries[ticket]?.hasBeenRetried == true {
                entries[ticket] = nil
                failed.append(ticket)
            } else {
                entries[ticket]?.place = nil
                entries[ticket]?.hasBeenRetried = true
                // It was let in already, so the queue's bound does not concern it.
                retries.append(ticket)
                queuedCount += 1
            }
        }
        return (assignWaiting(&chance), failed)
    }

    // MARK: Choosing

    private mutating func assignWaiting(
        _ chance: inout some RandomNumberGenerator
    ) -> [Assignment] {
        var assigned: [Assignment] = []
        while queuedCount > 0, let index = choose(&chance), let ticket = nextWaiting() {
            slots[index].ongoingCount += 1
            entries[ticket]?.place = slots[index].id
            queuedCount -= 1
            assigned.append(Assignment(ticket: ticket, replica: slots[index].id))
        }
        return assigned
    }

    /// The queues keep tickets that have ended meanwhile; those are passed over here.
    private mutating func nextWaiting() -> Ticket? {
        while let ticket = retries.popFirst() ?? queue.popFirst() {
            if let entry = entries[ticket], entry.place == nil { return ticket }
        }
        return nil
    }

    private func choose(_ chance: inout some RandomNumberGenerator) -> Int? {
        let roomy = slots.indices.filter { hasRoom(slots[$0]) }
        guard roomy.count > 2 else {
            return roomy.min { slots[$0].ongoingCount < slots[$1].ongoingCount }
        }
        let first = Int.random(in: 0..<roomy.count, using: &chance)
        let step = Int.random(in: 1..<roomy.count, using: &chance)
        let (one, other) = (roomy[first], roomy[(first + step) % roomy.count])
        return slots[other].ongoingCount < slots[one].ongoingCount ? other : one
    }

    private func hasRoom(_ slot: Slot) -> Bool { slot.isOpen && slot.ongoingCount < ongoingMax }

    private func index(of replica: ReplicaID) -> Int? { slots.firstIndex { $0.id == replica } }
}

/// First in, first out, at a constant cost.
private struct TicketQueue: Sendable {
    private var tickets: [Router.Ticket] = []
    private var head = 0

    mutating func append(_ ticket: Router.Ticket) { tickets.append(ticket) }

    mutating func popFirst() -> Router.Ticket? {
        guard head < tickets.count else { return nil }
        defer {
            head += 1
            // What was taken is let go in one piece, when it is the greater part.
            if head > 64, head * 2 > tickets.count {
                tickets.removeFirst(head)
                head = 0
            }
        }
        return tickets[head]
    }
}
