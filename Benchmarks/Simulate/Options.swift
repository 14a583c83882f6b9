import Foundation
import Simulation

/// What `script/simulate` was asked to do.
struct Options {
    enum Work: Equatable {
        /// Runs many histories and says which broke a promise.
        case many(Int)
        /// One history again, with everything that happens in it or only its sum.
        case replay(isTraced: Bool)
        /// Looks for the first history that finds each planted bug.
        case plants(within: Int)
    }

    var work = Work.many(1_000)
    var seed: UInt64 = 1
    var isJSON = false
    var bug: PlantedBug?
    var width = max(1, ProcessInfo.processInfo.activeProcessorCount)

    static let usage = """
        usage: script/simulate [--seeds N] [--seed N [--trace]] [--plants] [--plant BUG]
                               [--width N] [--json]
          --seeds N     runs N histories and prints the seeds that break a promise (default 1000)
          --seed N      replays one history; with --seeds, the first of them
          --trace       with everything that happens in it
          --plant BUG   puts a bug into the code under test: \
        \(PlantedBug.allCases.map(\.rawValue).joined(separator: ", "))
          --plants      says for every such bug which seed finds it first, among --seeds N
          --width N     histories at one time (default: the processors)
          --json        one JSON object instead of text
        exit codes: 0 no violation (with --plants: every bug found), 1 otherwise, 2 wrong arguments
        """

    /// Answers nil for arguments that `usage` does not know.
    init?(_ arguments: some Sequence<String>) {
        var rest = arguments.makeIterator()
        var count: Int?
        var (hasSeed, isTraced, looksForPlants) = (false, false, false)
        while let name = rest.next() {
            switch name {
            case "--json": isJSON = true
            case "--trace": isTraced = true
            case "--plants": looksForPlants = true
            case "--seed":
                guard let number = rest.next().flatMap({ UInt64($0) }) else { return nil }
                seed = number
                hasSeed = true
            case "--seeds":
                guard let number = Options.number(rest.next(), upTo: 1_000_000_000) else {
                    return nil
                }
                count = number
            case "--width":
                guard let number = Options.number(rest.next(), upTo: 256) else { return nil }
                width = number
            case "--plant":
                guard let known = rest.next().flatMap({ PlantedBug(rawValue: $0) }) else {
                    return nil
                }
                bug = known
            default: return nil
            }
        }
        let isReplay = isTraced || (hasSeed && count == nil && !looksForPlants)
        if isTraced, count != nil || looksForPlants || isJSON { return nil }
        if looksForPlants, bug != nil { return nil }
        work = looksForPlants ? .plants(within: count ?? 1_000) : .many(count ?? 1_000)
        if isReplay { work = .replay(isTraced: isTraced) }
    }

    private static func number(_ text: String?, upTo most: Int) -> Int? {
        text.flatMap { Int($0) }.flatMap { (1...most).contains($0) ? $0 : nil }
    }
}
