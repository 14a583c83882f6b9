/// How often what a history is for has happened in it: without these, no violation means nothing.
package struct HistoryCounts: Sendable, Hashable {
    package enum Kind: Int, CaseIterable, Sendable {
        case expiries, lateEndings, duplicateEndings, lostLeases, deadlines, driverRestarts
        case memoised, unanswered, unheard, doubled, forgotten, submittedAgain, fires
        case heldDrivers, retriedJobs, retriedTasks, delayedTasks, pooledGrants, licensedGrants
        case aheadGrants, startedAhead
        case succeeded, failed, stopped, kills, retirements, calls

        package var words: String {
            switch self {
            case .expiries: "leases that ran out"
            case .lateEndings: "endings refused because the lease was lost"
            case .duplicateEndings: "endings told twice"
            case .lostLeases: "leases lost at a heartbeat"
            case .deadlines: "attempts and waits that a deadline ended"
            case .driverRestarts: "drivers started again"
            case .memoised: "calls answered from an earlier driver's work"
            case .unanswered: "calls that got no answer"
            case .unheard: "calls taken after their caller gave up"
            case .doubled: "calls taken twice"
            case .forgotten: "writes forgotten by a crash of the store"
            case .submittedAgain: "submissions repeated"
            case .fires: "jobs submitted on a schedule"
            case .heldDrivers: "drivers that waited for other jobs"
            case .retriedJobs: "jobs begun anew"
            case .retriedTasks: "tasks of earlier lives begun anew"
            case .delayedTasks: "attempts put off after a failure"
            case .pooledGrants: "grants in a pool of their own"
            case .licensedGrants: "grants of a custom resource"
            case .aheadGrants: "grants ahead of a slot"
            case .startedAhead: "tasks begun in the slot of the one before"
            case .succeeded: "jobs that succeeded"
            case .failed: "jobs that failed"
            case .stopped: "jobs that were stopped"
            case .kills: "workers killed"
            case .retirements: "workers that left in order"
            case .calls: "calls taken by the store"
            }
        }
    }

    private var counts = [Int](repeating: 0, count: Kind.allCases.count)

    package init() {}

    package subscript(_ kind: Kind) -> Int {
        get { counts[kind.rawValue] }
        set { counts[kind.rawValue] = newValue }
    }

    package mutating func add(_ other: HistoryCounts) {
        for index in counts.indices { counts[index] += other.counts[index] }
    }
}
