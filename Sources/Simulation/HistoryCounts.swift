/// How often what a history is for has happened in it: without these, no violation means nothing.
package struct HistoryCounts: Sendable, Hashable {
    package enum Kind: String, CaseIterable, Sendable {
        case expiries = "leases that ran out"
        case lateEndings = "endings refused because the lease was lost"
        case duplicateEndings = "endings told twice"
        case lostLeases = "leases lost at a heartbeat"
        case driverRestarts = "drivers started again"
        case memoised = "calls answered from an earlier driver's work"
        case unanswered = "calls that got no answer"
        case unheard = "calls taken after their caller gave up"
        case doubled = "calls taken twice"
        case forgotten = "writes forgotten by a crash of the store"
        case submittedAgain = "submissions repeated"
        case succeeded = "jobs that succeeded"
        case failed = "jobs that failed"
        case stopped = "jobs that were stopped"
        case kills = "workers killed"
        case retirements = "workers that left in order"
        case calls = "calls taken by the store"
    }

    private var counts = [Int](repeating: 0, count: Kind.allCases.count)

    package init() {}

    package subscript(_ kind: Kind) -> Int {
        get { counts[Self.place[kind] ?? 0] }
        set { counts[Self.place[kind] ?? 0] = newValue }
    }

    private static let place = Dictionary(
        uniqueKeysWithValues: zip(Kind.allCases, Kind.allCases.indices))

    package mutating func add(_ other: HistoryCounts) {
        for index in counts.indices { counts[index] += other.counts[index] }
    }
}
