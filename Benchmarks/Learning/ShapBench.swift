import DecisionForests
import Foundation

/// `learning-bench shap --data FILE [--target NAME] [--learner KIND] [--param NAME=VALUE]…
/// [--train-rows N] [--rows N] [--threads N] [--repeat N] [--model FILE] [--values FILE]`: trains
/// on the first rows and explains the last ones, for `Benchmarks/explain.py` to set beside shap.
///
/// With `--model` the trees are read from a `TreesFile`, which is written the first time.
/// `--values` takes the contributions: float64, as `ShapValues` has them.
struct ShapBench {
    private var training: [String] = []
    private var rowCount = 1_000
    private var repeatCount = 3
    private var valuesPath: String?

    /// What is printed.
    struct Report: Encodable {
        let trees: Int
        let leaves: Int
        let features: Int
        let rows: Int
        let threads: Int
        /// Arranging the ensemble.
        let prepareCpuSeconds: Double
        /// The median over all repetitions.
        let cpuSecondsPerThousandRows: Double
        let secondsPerThousandRows: Double
        /// One row alone, the median of a hundred rows' wall times.
        let microsecondsForOneRow: Double
        /// The greatest distance between a row's sum and its score.
        let additivityError: Double
        /// The sum of all contributions' absolute values, to set beside another package's.
        let absoluteSum: Double
    }

    init(_ arguments: some Sequence<String>) throws {
        var words = Array(arguments)[...]
        while let word = words.popFirst() {
            guard let value = words.popFirst() else {
                throw BenchOptions.Problem(description: "\(word) needs a value")
            }
            switch word {
            case "--rows": rowCount = try BenchOptions.number(word, value)
            case "--repeat": repeatCount = max(1, try BenchOptions.number(word, value))
            case "--values": valuesPath = value
            default: training += [word, value]
            }
        }
    }

    func run() throws -> Report {
        let options = try BenchOptions(training)
        let data = try Dataset(csv: options.data, target: options.target, task: options.task)
        let fitted = data.subset(rows: Array(0..<min(options.trainRowCount ?? .max, data.rowCount)))
        let ensemble = try TreesFile.ensemble(of: fitted, options).trees
        let last = max(0, data.rowCount - rowCount)..<data.rowCount
        let rows = data.subset(rows: Array(last)).features
        let before = ProcessUsage.cpuSeconds
        let explainer = try TreeExplainer(ensemble)
        let prepared = ProcessUsage.cpuSeconds - before
        var found = try explainer.contributions(of: rows, threads: options.threads)
        var (cpuTimes, times) = ([Double](), [Double]())
        for _ in 0..<repeatCount {
            let (start, cpuStart) = (ContinuousClock.now, ProcessUsage.cpuSeconds)
            found = try explainer.contributions(of: rows, threads: options.threads)
            cpuTimes.append(ProcessUsage.cpuSeconds - cpuStart)
            times.append((ContinuousClock.now - start) / .seconds(1))
        }
        if let valuesPath {
            try found.values.withUnsafeBytes { Data($0) }
                .write(to: URL(fileURLWithPath: valuesPath))
        }
        let thousands = Double(rows.rowCount) / 1_000
        return Report(
            trees: ensemble.trees.count,
            leaves: ensemble.trees.reduce(0) { $0 + $1.leafValues.count / ensemble.leafWidth },
            features: rows.featureCount, rows: rows.rowCount, threads: options.threads,
            prepareCpuSeconds: prepared,
            cpuSecondsPerThousandRows: cpuTimes.sorted()[repeatCount / 2] / thousands,
            secondsPerThousandRows: times.sorted()[repeatCount / 2] / thousands,
            microsecondsForOneRow: try oneRow(explainer, rows),
            additivityError: try additivityError(found, ensemble, rows),
            absoluteSum: found.values.reduce(0) { $0 + abs($1) })
    }

    private func oneRow(_ explainer: TreeExplainer, _ rows: FeatureMatrix) throws -> Double {
        var times: [Double] = []
        for row in 0..<min(100, rows.rowCount) {
            let one = try FeatureMatrix(rows: [(0..<rows.featureCount).map { rows[row, $0] }])
            let start = ContinuousClock.now
            _ = try explainer.contributions(of: one)
            times.append((ContinuousClock.now - start) / .seconds(1) * 1e6)
        }
        return times.isEmpty ? 0 : times.sorted()[times.count / 2]
    }

    /// Against a predictor's raw scores, which are rounded to float32.
    private func additivityError(
        _ found: ShapValues, _ ensemble: TreeEnsemble, _ rows: FeatureMatrix
    ) throws -> Double {
        let scores = try Predictor(ensemble.raw).predict(rows)
        return scores.enumerated().reduce(0) { worst, score in
            let (row, output) = score.offset.quotientAndRemainder(dividingBy: found.outputCount)
            return max(worst, abs(found.score(ofRow: row, output: output) - Double(score.element)))
        }
    }
}
