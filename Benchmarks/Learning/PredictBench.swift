import DecisionForests
import Foundation

/// `learning-bench predict --data FILE … [--batch 1,32,1000] [--predict-threads 1,2]
/// [--cell-seconds S] [--model FILE] [--answers FILE]`: fits as `train` does and says how fast the
/// model answers the rows that it was not fitted on.
///
/// With `--model` the trees are read from a `TreesFile`, which is written the first time.
/// `--answers` takes the scores of those rows in their order: float32, row after row.
struct PredictBench {
    private let options: BenchOptions

    /// What is printed.
    struct Report: Encodable {
        /// By how the trees are arranged: a row alone, and rows enough to fill a block.
        struct Layouts: Encodable {
            let alone: String
            let together: String
        }

        let features: Int
        let outputs: Int
        let trees: Int
        let meanLeaves: Double
        let meanDepth: Double
        /// Nil where the trees were read.
        let fitCpuSeconds: Double?
        let layouts: Layouts
        /// Arranging the trees for prediction, and what the process holds more afterwards.
        let buildSeconds: Double
        let predictorBytes: Int
        let figures: [PredictionBench.Figure]
    }

    init(_ arguments: some Sequence<String>) throws {
        options = try BenchOptions(arguments)
    }

    func run() throws -> Report {
        let data = try Dataset(csv: options.data, target: options.target, task: options.task)
        let (train, rest) = try LearningBench(options).divide(data)
        let (ensemble, fitSeconds) = try TreesFile.ensemble(of: train, options)
        ProcessUsage.forgetPeak()
        let memory = ProcessUsage.memory
        let buildStart = ContinuousClock.now
        let predictor = try Predictor(ensemble)
        let buildSeconds = (ContinuousClock.now - buildStart) / .seconds(1)
        let predictorBytes = ProcessUsage.memory - memory
        if let path = options.answers {
            let scores = try predictor.predict(rest.features, threads: options.threads)
            try scores.withUnsafeBytes { Data($0) }.write(to: URL(fileURLWithPath: path))
        }
        let bench = PredictionBench(
            batches: options.batches, threads: options.predictThreads,
            secondsPerCell: options.cellSeconds)
        let shapes = ensemble.trees.map(\.shape)
        let names = predictor.layoutNames
        return Report(
            features: ensemble.featureCount, outputs: predictor.outputCount, trees: shapes.count,
            meanLeaves: Self.mean(shapes.map(\.leaves)), meanDepth: Self.mean(shapes.map(\.depth)),
            fitCpuSeconds: fitSeconds,
            layouts: Report.Layouts(alone: names.alone, together: names.together),
            buildSeconds: buildSeconds, predictorBytes: predictorBytes,
            figures: try bench.run(predictor, rows: rest.features))
    }

    private static func mean(_ numbers: [Int]) -> Double {
        Double(numbers.reduce(0, +)) / Double(max(1, numbers.count))
    }
}
