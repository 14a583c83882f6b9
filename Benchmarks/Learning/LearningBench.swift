import DecisionForests
import Foundation

/// One run of the benchmark: reads the data once, then fits and judges one model per seed.
struct LearningBench {
    private let options: BenchOptions

    /// What is printed.
    struct Report: Encodable {
        /// One timed fit, binning included.
        struct Run: Encodable {
            let seconds: Double
            /// Processor time, all threads together.
            let cpuSeconds: Double
            /// Memory at the fit's peak beyond what was in use before it.
            let peakBytes: Int
        }

        struct Fit: Encodable {
            let seed: UInt64
            /// Of the fastest run.
            let fitSeconds: Double
            let fitCpuSeconds: Double
            let runs: [Run]
            let predictSeconds: Double
            let predictCpuSeconds: Double
            let metrics: [String: Double]
            /// FNV-1a of the trees' bytes: equal on every machine, thread count and build.
            let treesHash: String
        }

        let learner: String
        let rows: Int
        let features: Int
        let threads: Int
        let loadSeconds: Double
        let loadCpuSeconds: Double
        /// Processor time of binning alone, which every fit does for itself.
        let binningCpuSeconds: Double
        let fits: [Fit]

        func json() throws -> Data {
            let encoder = JSONEncoder()
            encoder.keyEncodingStrategy = .convertToSnakeCase
            encoder.outputFormatting = [.sortedKeys]
            return try encoder.encode(self)
        }
    }

    init(_ options: BenchOptions) {
        self.options = options
    }

    func run() throws -> Report {
        var parts: (train: Dataset, holdout: Dataset)?
        let load = try Self.timed {
            parts = try divide(
                Dataset(csv: options.data, target: options.target, task: options.task))
        }
        guard let (train, holdout) = parts else {
            throw BenchOptions.Problem(description: "nothing was read")
        }
        var fits: [Report.Fit] = []
        for seed in options.seeds {
            fits.append(try fit(learner(seed: seed, for: train), seed: seed, train, holdout))
        }
        // After the fits, so that the first one's memory is measured in a fresh process.
        let binning = Self.timed {
            _ = BinnedDataset(train, seed: options.seeds[0], threads: options.threads)
        }
        return Report(
            learner: try learner(seed: options.seeds[0], for: train).description,
            rows: train.rowCount, features: train.featureCount, threads: options.threads,
            loadSeconds: load.seconds,
            loadCpuSeconds: load.cpuSeconds, binningCpuSeconds: binning.cpuSeconds, fits: fits)
    }

    private func learner(seed: UInt64, for data: Dataset) throws -> any Learner {
        try LearnerSpec(options.learner, parameters: options.parameters, seed: seed)
            .learner(for: data.target)
    }

    private func fit(
        _ learner: any Learner, seed: UInt64, _ train: Dataset, _ holdout: Dataset
    ) throws -> Report.Fit {
        var runs: [Report.Run] = []
        var model: TrainedModel?
        for _ in 0..<max(1, options.repeatCount) {
            model = nil
            runs.append(try Self.timed { model = try learner.fit(train, threads: options.threads) })
        }
        guard let model else { throw BenchOptions.Problem(description: "nothing was fitted") }
        let predict = try Self.timed { _ = try model.predict(holdout) }
        let fastest = runs.min { $0.cpuSeconds < $1.cpuSeconds }
        return Report.Fit(
            seed: seed, fitSeconds: fastest?.seconds ?? 0, fitCpuSeconds: fastest?.cpuSeconds ?? 0,
            runs: runs, predictSeconds: predict.seconds, predictCpuSeconds: predict.cpuSeconds,
            metrics: try model.evaluate(on: holdout).values,
            treesHash: Self.hash(TreeCodec.encode(Array(model.ensemble.trees))))
    }

    /// The rows to fit and the rows to judge by; all rows do both unless a number is given.
    func divide(_ data: Dataset) throws -> (Dataset, Dataset) {
        guard let count = options.trainRowCount else { return (data, data) }
        guard (1..<data.rowCount).contains(count) else {
            throw BenchOptions.Problem(
                description: "--train-rows must leave some of the \(data.rowCount) rows")
        }
        let fitted = options.fitRowCount.map { min($0, count) } ?? count
        return (
            data.subset(rows: Array(0..<fitted)),
            data.subset(rows: Array(count..<data.rowCount))
        )
    }

    private static func timed(_ work: () throws -> Void) rethrows -> Report.Run {
        ProcessUsage.forgetPeak()
        let memory = ProcessUsage.memory
        let (start, cpuStart) = (ContinuousClock.now, ProcessUsage.cpuSeconds)
        try work()
        let cpuSeconds = ProcessUsage.cpuSeconds - cpuStart
        return Report.Run(
            seconds: (ContinuousClock.now - start) / .seconds(1), cpuSeconds: cpuSeconds,
            peakBytes: max(0, ProcessUsage.peakMemory - memory))
    }

    private static func hash(_ bytes: [UInt8]) -> String {
        let hash = bytes.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01B3
        }
        return String(hash, radix: 16)
    }
}
