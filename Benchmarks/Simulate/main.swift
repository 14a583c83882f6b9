import Foundation
import Simulation

// `script/simulate` starts this: replays one history, or runs many and says which broke a promise.

func write(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

func writeJSON(_ object: [String: Any]) {
    guard
        let data = try? JSONSerialization.data(
            withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
    else { return }
    write(String(decoding: data, as: UTF8.self))
}

func json(_ counts: HistoryCounts) -> [String: Int] {
    Dictionary(
        uniqueKeysWithValues: HistoryCounts.Kind.allCases.map { ("\($0)", counts[$0]) })
}

func json(_ violations: [Violation]) -> [[String: Any]] {
    violations.map {
        ["promise": $0.promise.rawValue, "what": $0.what, "atMilliseconds": $0.at]
    }
}

func seconds(since start: ContinuousClock.Instant) -> Double {
    let time = ContinuousClock.now - start
    return Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
}

/// Keeps one line of a terminal up to date; says nothing where nobody looks.
func showProgress(_ summary: Simulation.Summary, of count: Int) {
    guard isatty(2) == 1 else { return }
    let isLast = summary.historyCount == count
    guard isLast || summary.historyCount.isMultiple(of: 100) else { return }
    let text = "\r\(summary.historyCount) of \(count), \(summary.failures.count) with a violation"
    FileHandle.standardError.write(Data((text + (isLast ? "\n" : "")).utf8))
}

func replay(_ options: Options, isTraced: Bool) async -> Int32 {
    let report = await Simulation.run(
        seed: options.seed, planting: options.bug, isTraced: isTraced)
    if options.isJSON {
        writeJSON([
            "seed": options.seed, "violations": json(report.violations),
            "counts": json(report.counts),
        ])
    } else {
        for line in report.trace { write(line) }
        for violation in report.violations { write("VIOLATION \(violation)") }
        write("seed \(options.seed): \(report.violations.isEmpty ? "no violation" : "violated")")
    }
    return report.violations.isEmpty ? 0 : 1
}

func runMany(_ count: Int, _ options: Options) async -> Int32 {
    let start = ContinuousClock.now
    let summary = await Simulation.run(
        seedsFrom: options.seed, count: count, planting: options.bug, width: options.width
    ) { showProgress($0, of: count) }
    let time = seconds(since: start)
    if options.isJSON {
        writeJSON([
            "firstSeed": options.seed, "histories": summary.historyCount, "seconds": time,
            "counts": json(summary.counts),
            "failures": summary.failures.map {
                ["seed": $0.seed, "violations": json($0.violations)] as [String: Any]
            },
        ])
    } else {
        for (seed, violations) in summary.failures {
            for violation in violations { write("seed \(seed): \(violation)") }
        }
        for kind in HistoryCounts.Kind.allCases { write("\(summary.counts[kind]) \(kind.words)") }
        write(
            "\(summary.historyCount) histories from seed \(options.seed), "
                + "\(summary.failures.count) with a violation, "
                + String(format: "%.1f s", time))
    }
    return summary.failures.isEmpty ? 0 : 1
}

func findPlants(within count: Int, _ options: Options) async -> Int32 {
    var isEachFound = true
    var found: [[String: Any]] = []
    for bug in PlantedBug.allCases {
        let seed = await Simulation.firstSeed(
            finding: bug, from: options.seed, count: count, width: options.width)
        if seed == nil { isEachFound = false }
        var entry: [String: Any] = ["bug": bug.rawValue]
        entry["seed"] = seed
        found.append(entry)
        guard !options.isJSON else { continue }
        write("\(bug.rawValue): \(seed.map { "seed \($0)" } ?? "not found in \(count) histories")")
    }
    if options.isJSON { writeJSON(["plants": found]) }
    return isEachFound ? 0 : 1
}

guard let options = Options(CommandLine.arguments.dropFirst()) else {
    FileHandle.standardError.write(Data((Options.usage + "\n").utf8))
    exit(2)
}
switch options.work {
case .many(let count): exit(await runMany(count, options))
case .replay(let isTraced): exit(await replay(options, isTraced: isTraced))
case .plants(let count): exit(await findPlants(within: count, options))
}
