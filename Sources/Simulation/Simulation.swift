import Jobs

/// What one seed came to.
package struct HistoryReport: Sendable {
    package let seed: UInt64
    /// What must never happen, and did; empty for a good history.
    package let violations: [Violation]
    package let counts: HistoryCounts
    /// One line per event, when asked for: seconds since the beginning, and what happened.
    package let trace: [String]
    /// Every call that the store took, with the time on its clock and its answer.
    package let log: [(time: Int64, call: StoreCall, reply: StoreReply)]
    /// Whether the store forgot what it had acknowledged; then `log` is what is left.
    package let hasForgotten: Bool
}

/// Runs histories: clusters in virtual time with faults from a seed.
package enum Simulation {
    /// Runs the history of `seed`, the same events in the same order wherever it is run.
    ///
    /// - Parameter bug: planted in the code under test.
    package static func run(
        seed: UInt64, planting bug: PlantedBug? = nil, isTraced: Bool = false
    ) async -> HistoryReport {
        let history = History(seed: seed, bug: bug, isTraced: isTraced)
        await history.run()
        let checker = history.store.checker
        return HistoryReport(
            seed: seed, violations: checker.violations, counts: checker.counts,
            trace: history.trace,
            log: history.store.log.map { ($0.time, $0.call, $0.reply) },
            hasForgotten: history.lossCount > 0)
    }

    /// What many histories came to.
    package struct Summary: Sendable {
        package fileprivate(set) var historyCount = 0
        package fileprivate(set) var counts = HistoryCounts()
        /// Of the histories that broke a promise, in the order of their seeds.
        package fileprivate(set) var failures: [(seed: UInt64, violations: [Violation])] = []
    }

    /// Runs the histories of `count` seeds from `first` on, `width` at a time.
    ///
    /// - Parameters:
    ///   - failuresMax: no more are begun after so many have broken a promise.
    ///   - progress: hears of the sum after each history.
    package static func run(
        seedsFrom first: UInt64, count: Int, planting bug: PlantedBug? = nil, width: Int,
        failuresMax: Int = 10, progress: @Sendable (Summary) -> Void = { _ in }
    ) async -> Summary {
        var summary = Summary()
        var next = 0
        await withTaskGroup(of: HistoryReport.self) { group in
            func begin() {
                guard next < count, summary.failures.count < failuresMax else { return }
                let seed = first &+ UInt64(next)
                next += 1
                group.addTask { await run(seed: seed, planting: bug) }
            }
            for _ in 0..<max(1, width) { begin() }
            for await report in group {
                summary.historyCount += 1
                summary.counts.add(report.counts)
                if !report.violations.isEmpty {
                    summary.failures.append((report.seed, report.violations))
                }
                progress(summary)
                begin()
            }
        }
        summary.failures.sort { $0.seed < $1.seed }
        return summary
    }

    /// The smallest seed from `first` on whose history finds the planted bug; nil when none of
    /// `count` does.
    package static func firstSeed(
        finding bug: PlantedBug, from first: UInt64, count: Int, width: Int
    ) async -> UInt64? {
        // Batches, because of histories that run side by side a later one may end earlier.
        var seed = first
        while seed < first &+ UInt64(count) {
            let size = min(width, Int(first &+ UInt64(count) &- seed))
            let summary = await run(
                seedsFrom: seed, count: size, planting: bug, width: width, failuresMax: .max)
            if let found = summary.failures.first { return found.seed }
            seed += UInt64(size)
        }
        return nil
    }
}
