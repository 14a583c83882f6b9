import Foundation
import Simulation

/// `script/simulate` starts this: replays one history, or runs many and says which broke a promise.
struct Options {
    var seed: UInt64 = 1
    var histories: Int?
    var isJSON = false
    var bug: PlantedBug?
    var width = max(1, ProcessInfo.processInfo.activeProcessorCount)

    static let usage = """
        usage: script/simulate [--seed N] [--histories N] [--json] [--plant BUG] [--width N]
          --seed N        the history to replay, with everything that happens in it (default 1);
                          with --histories, the first of them
          --histories N   runs N histories and prints the seeds that break a promise
          --plant BUG     puts a bug into the code under test: \
        \(PlantedBug.allCases.map(\.rawValue).joined(separator: ", "))
          --width N       histories at one time (default: the processors)
          --json          one JSON object instead of text
        exit codes: 0 no violation, 1 a violation, 2 wrong arguments
        """

    /// Answers nil for arguments that `usage` does not know.
    init?(_ arguments: some Sequence<String>) {
        var rest = arguments.makeIterator()
        while let name = rest.next() {
            switch name {
            case "--json": isJSON = true
            case "--seed":
                guard let number = rest.next().flatMap({ UInt64($0) }) else { return nil }
                seed = number
            case "--histories":
                guard let count = rest.next().flatMap({ Int($0) }), count > 0 else { return nil }
                histories = count
            case "--width":
                guard let count = rest.next().flatMap({ Int($0) }), (1...256).contains(count)
                else { return nil }
                width = count
            case "--plant":
                guard let known = rest.next().flatMap({ PlantedBug(rawValue: $0) }) else {
                    return nil
                }
                bug = known
            default: return nil
            }
        }
    }
}

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

func replay(_ options: Options) async -> Int32 {
    let report = await Simulation.run(
        seed: options.seed, planting: options.bug, isTraced: !options.isJSON)
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
        seedsFrom: options.seed, count: count, planting: options.bug, width: options.width)
    let time = ContinuousClock.now - start
    let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
    if options.isJSON {
        writeJSON([
            "firstSeed": options.seed, "histories": summary.historyCount, "seconds": seconds,
            "counts": json(summary.counts),
            "failures": summary.failures.map {
                ["seed": $0.seed, "violations": json($0.violations)] as [String: Any]
            },
        ])
    } else {
        for (seed, violations) in summary.failures {
            for violation in violations { write("seed \(seed): \(violation)") }
        }
        for kind in HistoryCounts.Kind.allCases {
            write("\(summary.counts[kind]) \(kind.rawValue)")
        }
        write(
            "\(summary.historyCount) histories from seed \(options.seed), "
                + "\(summary.failures.count) with a violation, "
                + String(format: "%.1f s", seconds))
    }
    return summary.failures.isEmpty ? 0 : 1
}

guard let options = Options(CommandLine.arguments.dropFirst()) else {
    FileHandle.standardError.write(Data((Options.usage + "\n").utf8))
    exit(2)
}
if let count = options.histories {
    exit(await runMany(count, options))
} else {
    exit(await replay(options))
}
