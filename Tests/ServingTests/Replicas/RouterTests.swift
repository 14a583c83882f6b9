import Testing

@testable import Serving

@Suite struct RouterTests {
    private static func ticket(_ number: Int) -> Router.Ticket {
        Router.Ticket(number: UInt64(number))
    }

    private static func router(
        replicas: Int, ongoing: Int = 2, queued: Int = 3
    ) -> (Router, SeededChance) {
        var router = Router(ongoingMax: ongoing, queuedMax: queued, queueTime: .seconds(10))
        var chance = SeededChance(7)
        for number in 0..<replicas { _ = router.open(ReplicaID(number), chance: &chance) }
        return (router, chance)
    }

    @Test("Two replicas share requests evenly, and a full house queues, then refuses")
    func bounds() {
        var (router, chance) = Self.router(replicas: 2)
        for number in 0..<4 {
            guard case .assigned = router.admit(Self.ticket(number), at: .zero, chance: &chance)
            else { return #expect(Bool(false), "\(number) found no room") }
        }
        #expect(router.ongoingCount(of: ReplicaID(0)) == 2)
        #expect(router.ongoingCount(of: ReplicaID(1)) == 2)
        for number in 4..<7 {
            #expect(router.admit(Self.ticket(number), at: .zero, chance: &chance) == .queued)
        }
        #expect(
            router.admit(Self.ticket(7), at: .zero, chance: &chance) == .refused(queuedCount: 3))
        #expect(router.load == 7 && router.ongoingCount == 4)
    }

    @Test("Those who wait go in the order they came, and nobody overtakes them")
    func order() {
        var (router, chance) = Self.router(replicas: 1, ongoing: 1)
        _ = router.admit(Self.ticket(0), at: .zero, chance: &chance)
        _ = router.admit(Self.ticket(1), at: .zero, chance: &chance)
        _ = router.admit(Self.ticket(2), at: .zero, chance: &chance)
        var served: [UInt64] = []
        for number in 0..<2 {
            let next = router.finish(Self.ticket(number), chance: &chance)
            #expect(router.admit(Self.ticket(3 + number), at: .zero, chance: &chance) == .queued)
            served += next.map(\.ticket.number)
        }
        #expect(served == [1, 2])
    }

    @Test("Who has waited too long is told so, and does not take a place later")
    func expiry() {
        var (router, chance) = Self.router(replicas: 1, ongoing: 1)
        _ = router.admit(Self.ticket(0), at: .zero, chance: &chance)
        _ = router.admit(Self.ticket(1), at: .seconds(1), chance: &chance)
        _ = router.admit(Self.ticket(2), at: .seconds(5), chance: &chance)
        #expect(router.expire(at: .seconds(10)).isEmpty)
        #expect(router.expire(at: .seconds(11)) == [Self.ticket(1)])
        #expect(router.queuedCount == 1)
        #expect(router.finish(Self.ticket(0), chance: &chance).map(\.ticket) == [Self.ticket(2)])
    }

    @Test("A lost replica's requests go elsewhere once, before those who wait")
    func retry() {
        var (router, chance) = Self.router(replicas: 2, ongoing: 2)
        for number in 0..<5 { _ = router.admit(Self.ticket(number), at: .zero, chance: &chance) }
        let (assigned, failed) = router.lose(ReplicaID(0), chance: &chance)
        #expect(assigned.isEmpty && failed.isEmpty, "the other one is full")
        #expect(router.queuedCount == 3)
        let orphans = (0..<4).filter { number in
            // Finishing one that waits gives nobody a place; finishing one at work does.
            var copy = router
            return copy.finish(Self.ticket(number), chance: &chance).isEmpty
        }
        #expect(orphans.count == 2)
        let next = router.open(ReplicaID(2), chance: &chance)
        #expect(next.map(\.ticket) == orphans.map(Self.ticket), "before ticket 4")
        #expect(next.allSatisfy { $0.replica == ReplicaID(2) })
        let second = router.lose(ReplicaID(2), chance: &chance)
        #expect(second.failed == orphans.map(Self.ticket), "a second loss fails them")
    }

    @Test("A queue that is full keeps no retry out")
    func retryBeyondBound() {
        var (router, chance) = Self.router(replicas: 1, ongoing: 2, queued: 0)
        _ = router.admit(Self.ticket(0), at: .zero, chance: &chance)
        _ = router.admit(Self.ticket(1), at: .zero, chance: &chance)
        #expect(router.lose(ReplicaID(0), chance: &chance).failed.isEmpty)
        #expect(router.queuedCount == 2)
        #expect(router.open(ReplicaID(1), chance: &chance).count == 2)
    }

    @Test("A closing replica finishes what it has and gets nothing more")
    func closing() {
        var (router, chance) = Self.router(replicas: 2, ongoing: 100)
        for number in 0..<10 { _ = router.admit(Self.ticket(number), at: .zero, chance: &chance) }
        router.close(ReplicaID(0))
        let kept = router.ongoingCount(of: ReplicaID(0))
        for number in 10..<20 {
            #expect(
                router.admit(Self.ticket(number), at: .zero, chance: &chance)
                    == .assigned(ReplicaID(1)))
        }
        #expect(router.ongoingCount(of: ReplicaID(0)) == kept)
    }

    @Test("Under any history the counts hold: each request ends once, no replica has too many")
    func property() {
        for seed in 0..<200 {
            var chance = SeededChance(UInt64(seed))
            var router = Router(ongoingMax: 3, queuedMax: 5, queueTime: .seconds(4))
            var atWork: [Router.Ticket: ReplicaID] = [:]
            var waiting: Set<Router.Ticket> = []
            var open: Set<ReplicaID> = []
            var next = 0
            func place(_ assigned: [Router.Assignment]) {
                for one in assigned {
                    #expect(waiting.remove(one.ticket) != nil, "assigned without waiting")
                    atWork[one.ticket] = one.replica
                    #expect(open.contains(one.replica))
                }
            }
            for step in 0..<300 {
                let now = Duration.seconds(step)
                next += 1
                switch Int.random(in: 0..<10, using: &chance) {
                case 0...4:
                    switch router.admit(Self.ticket(next), at: now, chance: &chance) {
                    case .assigned(let replica): atWork[Self.ticket(next)] = replica
                    case .queued: waiting.insert(Self.ticket(next))
                    case .refused(let count): #expect(count >= 5)
                    }
                case 5, 6:
                    guard let ticket = atWork.keys.min(by: { $0.number < $1.number }) else { break }
                    atWork[ticket] = nil
                    place(router.finish(ticket, chance: &chance))
                case 7:
                    let late = router.expire(at: now)
                    #expect(late.allSatisfy { waiting.remove($0) != nil })
                case 8:
                    open.insert(ReplicaID(next))
                    place(router.open(ReplicaID(next), chance: &chance))
                default:
                    guard let replica = open.min(by: { $0.number < $1.number }) else { break }
                    open.remove(replica)
                    let lost = atWork.filter { $0.value == replica }.map(\.key)
                    for ticket in lost { atWork[ticket] = nil }
                    waiting.formUnion(lost)
                    let (assigned, failed) = router.lose(replica, chance: &chance)
                    #expect(failed.allSatisfy { waiting.remove($0) != nil })
                    place(assigned)
                }
                #expect(router.queuedCount == waiting.count)
                #expect(router.ongoingCount == atWork.count)
                #expect(
                    Dictionary(grouping: atWork.values, by: \.self).allSatisfy { $1.count <= 3 })
            }
        }
    }

    @Test("With many replicas, two choices keep the fullest close to the mean")
    func balance() {
        var (router, chance) = Self.router(replicas: 50, ongoing: 1_000)
        for number in 0..<5_000 {
            _ = router.admit(Self.ticket(number), at: .zero, chance: &chance)
        }
        let counts = (0..<50).compactMap { router.ongoingCount(of: ReplicaID($0)) }
        // One choice would leave about 100 ± 25; two leave it within ln ln n of the mean.
        #expect((counts.max() ?? 0) <= 105 && (counts.min() ?? 0) >= 90)
    }
}

/// Chance that is the same in every run (SplitMix64).
struct SeededChance: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
