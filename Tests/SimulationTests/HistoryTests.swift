import Foundation
import Testing

@testable import Simulation

/// `script/simulate --seeds` runs more histories in less time, since it is optimised.
@Suite struct HistoryTests {
    static let historyCount = 10_000
    /// In so many histories every planted bug shows.
    static let plantedMax = 1_000
    static let width = max(1, ProcessInfo.processInfo.activeProcessorCount)

    @Test("No history breaks a promise, and everything that can go wrong does go wrong")
    func promisesHold() async {
        let summary = await Simulation.run(
            seedsFrom: 1, count: HistoryTests.historyCount, width: HistoryTests.width)
        for (seed, violations) in summary.failures {
            Issue.record("script/simulate --seed \(seed) --trace: \(violations)")
        }
        for kind in HistoryCounts.Kind.allCases {
            #expect(summary.counts[kind] > 0, "no history had \(kind.words)")
        }
    }

    @Test("A planted bug is found", arguments: PlantedBug.allCases)
    func plantedBugsAreFound(_ bug: PlantedBug) async throws {
        let found = await Simulation.firstSeed(
            finding: bug, from: 1, count: HistoryTests.plantedMax, width: HistoryTests.width)
        let seed = try #require(found, "\(HistoryTests.plantedMax) histories do not notice \(bug)")
        print("\(bug.rawValue): script/simulate --seed \(seed) --trace --plant \(bug.rawValue)")
        let report = await Simulation.run(seed: seed, planting: bug)
        #expect(!report.violations.isEmpty)
    }

    @Test("A seed replays the same history, event by event", arguments: [1, 7, 42] as [UInt64])
    func historiesAreDeterministic(_ seed: UInt64) async {
        let first = await Simulation.run(seed: seed, isTraced: true)
        let second = await Simulation.run(seed: seed, isTraced: true)
        #expect(first.trace.count > 50)
        #expect(first.trace == second.trace)
        #expect(first.log.map(\.reply) == second.log.map(\.reply))
    }
}
