import DecisionForests
import Foundation

/// `learning-bench predict --data FILE … [--batch 1,32,1000] [--predict-threads 1,2]
/// [--cell-seconds S]`: fits as `train` does and says how fast the model answers the rows that it
/// was not fitted on.
struct PredictBench {
    private let options: BenchOptions

    /// What is printed.
    struct Report: Encodable {
        let learner: String
        let features: Int
        let trees: Int
        let meanLeaves: Double
        let meanDepth: Double
        let fitCpuSeconds: Double
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
        let learner = try LearnerSpec(
            options.learner, parameters: options.parameters, seed: options.seeds[0]
        ).learner(for: train.target)
        let start = ProcessUsage.cpuSeconds
        let model = try learner.fit(train, threads: options.threads)
        let fitSeconds = ProcessUsage.cpuSeconds - start
        ProcessUsage.forgetPeak()
        let memory = ProcessUsage.memory
        let buildStart = ContinuousClock.now
        let predictor = try model.predictor()
        let buildSeconds = (ContinuousClock.now - buildStart) / .seconds(1)
        let predictorBytes = ProcessUsage.memory - memory
        let bench = PredictionBench(
            batches: options.batches, threads: options.predictThreads,
            secondsPerCell: options.cellSeconds)
        let shapes = model.ensemble.trees.map(\.shape)
        return Report(
            learner: learner.description, features: data.featureCount, trees: shapes.count,
            meanLeaves: Self.mean(shapes.map(\.leaves)), meanDepth: Self.mean(shapes.map(\.depth)),
            fitCpuSeconds: fitSeconds, buildSeconds: buildSeconds, predictorBytes: predictorBytes,
            figures: try bench.run(predictor, rows: rest.features))
    }

    private static func mean(_ numbers: [Int]) -> Double {
        Double(numbers.reduce(0, +)) / Double(max(1, numbers.count))
    }
}
