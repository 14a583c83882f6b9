import ArgumentParser
import DecisionForests
import Foundation
import ModelFormats
import Telemetry

struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure on this machine.",
        subcommands: [PredictBenchCommand.self])
}

struct PredictBenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict", abstract: "Measure how fast a model answers rows of files.",
        discussion: """
            manta bench predict --model iris-model --data new.csv --batch 1,1000 --threads 1,2
            """)

    @Option(help: "The model directory.")
    var model: String

    @Option(parsing: .upToNextOption, help: "Data files; their first rows are used.")
    var data: [String]

    @Option(help: "Rows of a call, separated by commas.")
    var batch = "1,32,1000,100000"

    @Option(help: "Threads that share a call's rows, separated by commas.")
    var threads = "1"

    @Option(help: "Seconds for each pair of the two.")
    var seconds = 0.5

    @Flag(help: "Print JSON.")
    var json = false

    /// Rows that are read, or fewer wide ones; more of them would only push each other out of the
    /// caches.
    private static let rowCountMax = 100_000

    /// How rows are scored, as `docs/PERFORMANCE.md` names it.
    private struct Layout: Encodable {
        /// A row by itself, and many in a call.
        let alone: String
        let together: String
    }

    /// What `--json` prints. Sizes are bytes.
    private struct Report: Encodable {
        let model: String
        let digest: String
        let trees: Int
        let features: Int
        let rows: Int
        /// Reading the model directory with all checks, and arranging its trees.
        let loadSeconds: Double
        let arrangeSeconds: Double
        /// What the process holds more with the model and its predictor.
        let residentBytes: Int
        let layout: Layout
        let figures: [PredictionBench.Figure]

        private enum CodingKeys: String, CodingKey {
            case model, digest, trees, features, rows, layout, figures
            case loadSeconds = "load_seconds"
            case arrangeSeconds = "arrange_seconds"
            case residentBytes = "resident_bytes"
        }
    }

    func validate() throws {
        _ = try numbers("--batch", batch, most: 10_000_000)
        _ = try numbers("--threads", threads, most: 4_096)
        guard (0.001...600).contains(seconds) else {
            throw ValidationError("--seconds must be in 0.001...600, not \(seconds).")
        }
    }

    private func numbers(_ name: String, _ text: String, most: Int) throws -> [Int] {
        let found = text.split(separator: ",", omittingEmptySubsequences: false).map {
            Int($0) ?? 0
        }
        guard !found.isEmpty, found.allSatisfy({ (1...most).contains($0) }) else {
            throw ValidationError(
                "\(name) needs numbers in 1...\(most) with commas between, not '\(text)'.")
        }
        return found
    }

    func run() async throws {
        try Environment.current().chooseKernels()
        let report = try await onOwnThread { try measure() }
        if json { return try writeJSON(report) }
        writeOut(Self.text(report))
    }

    private func measure() throws -> Report {
        let memory = ProcessInstruments.residentBytes() ?? 0
        let start = ProcessUsage.now
        let loaded = try readModel(model)
        let afterRead = ProcessUsage.now
        let predictor = try loaded.model.predictor()
        let afterBuild = ProcessUsage.now
        let resident = (ProcessInstruments.residentBytes() ?? 0) - memory
        let rows = try firstRows(for: loaded.model)
        let bench = PredictionBench(
            batches: try numbers("--batch", batch, most: 10_000_000),
            threads: try numbers("--threads", threads, most: 4_096), secondsPerCell: seconds)
        return Report(
            model: model, digest: loaded.sha256.hex, trees: loaded.model.ensemble.trees.count,
            features: loaded.model.featureNames.count, rows: rows.rowCount,
            loadSeconds: afterRead.since(start).wall,
            arrangeSeconds: afterBuild.since(afterRead).wall, residentBytes: max(0, Int(resident)),
            layout: Layout(
                alone: predictor.layoutNames.alone, together: predictor.layoutNames.together),
            figures: try bench.run(predictor, rows: rows))
    }

    private func firstRows(for model: TrainedModel) throws -> FeatureMatrix {
        let stream = try RowStream(data, names: model.featureNames, kinds: model.featureKinds)
        var values: [Float] = []
        let width = max(1, model.featureNames.count)
        let most = min(Self.rowCountMax, max(1, PredictionBench.valueCountMax / width)) * width
        while values.count < most, let some = try stream.next() {
            values += some.values.prefix(most - values.count)
        }
        return try FeatureMatrix(values: values, featureCount: width)
    }

    private static func text(_ report: Report) -> String {
        let rows = report.figures.map { figure in
            let latency = figure.latency.map {
                [$0.min, $0.median, $0.p99].map { String(format: "%.2f µs", $0) }
            }
            return [
                "\(figure.batch)", "\(figure.threads)",
                String(format: "%.0f", figure.rowsPerSecond),
            ] + (latency ?? ["", "", ""])
        }
        return """
            \(report.trees) trees, \(report.features) features, \(report.rows) rows
            read in \(milliseconds(report.loadSeconds)), arranged in \
            \(milliseconds(report.arrangeSeconds)), \(Figures.size(report.residentBytes)) resident
            a row alone: \(report.layout.alone); many together: \(report.layout.together)


            """
                + TextTable.render(["batch", "threads", "rows/s", "min", "median", "p99"], rows)
    }

    private static func milliseconds(_ seconds: Double) -> String {
        String(format: "%.2f ms", seconds * 1_000)
    }
}
