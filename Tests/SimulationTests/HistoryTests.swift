import Testing

@testable import Simulation

/// A debug build runs some fifty histories a second; `script/simulate --histories` runs more.
@Suite struct HistoryTests {
    static let historyCount = 2_000

    @Test("No history breaks a promise, and everything that can go wrong does go wrong")
    func promisesHold() async {
        let summary = await Simulation.run(
            seedsFrom: 1, count: HistoryTests.historyCount, width: 2)
        for (seed, violations) in summary.failures {
            Issue.record("script/simulate --seed \(seed): \(violations)")
        }
        for kind in HistoryCounts.Kind.allCases {
            #expect(summary.counts[kind] > 0, "no history had \(kind.rawValue)")
        }
    }

    @Test("A planted bug is found", arguments: PlantedBug.allCases)
    func plantedBugsAreFound(_ bug: PlantedBug) async throws {
        let summary = await Simulation.run(
            seedsFrom: 1, count: 500, planting: bug, width: 2, failuresMax: 1)
        let found = try #require(summary.failures.first, "500 histories do not notice \(bug)")
        print("\(bug.rawValue): script/simulate --seed \(found.seed) --plant \(bug.rawValue)")
        let again = await Simulation.run(seed: found.seed, planting: bug)
        #expect(again.violations == found.violations)
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
