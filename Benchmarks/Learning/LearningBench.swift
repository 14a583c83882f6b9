import DecisionForests
import Foundation

/// One run of the benchmark: reads the data once, then fits and judges one model per seed.
struct LearningBench {
    private let options: BenchOptions

    /// What is printed.
    struct Report: Encodable {
        struct Fit: Encodable {
            let seed: UInt64
            let fitSeconds: Double
            /// Processor time of the fastest fit, all threads together.
            let fitCpuSeconds: Double
            let predictSeconds: Double
            let metrics: [String: Double]
            /// FNV-1a of the trees' bytes: equal on every machine, thread count and build.
            let treesHash: String
        }

        let learner: String
        let rows: Int
        let features: Int
        let threads: Int
        let loadSeconds: Double
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
        let clock = ContinuousClock()
        let start = clock.now
        let data = try Dataset(csv: options.data, target: options.target, task: options.task)
        let loadSeconds = Self.seconds(clock.now - start)
        let (train, holdout) = try divide(data)
        var fits: [Report.Fit] = []
        var name = ""
        for seed in options.seeds {
            let learner = try learner(seed: seed, of: data)
            name = learner.description
            var (fastest, fastestCpu) = (Double.infinity, Double.infinity)
            var model: TrainedModel?
            for _ in 0..<max(1, options.repeatCount) {
                let (start, startCpu) = (clock.now, Self.processorSeconds())
                model = try learner.fit(train, threads: options.threads)
                fastest = min(fastest, Self.seconds(clock.now - start))
                fastestCpu = min(fastestCpu, Self.processorSeconds() - startCpu)
            }
            guard let model else { continue }
            let predictStart = clock.now
            _ = try model.predict(holdout)
            let predictSeconds = Self.seconds(clock.now - predictStart)
            fits.append(
                .init(
                    seed: seed, fitSeconds: fastest, fitCpuSeconds: fastestCpu,
                    predictSeconds: predictSeconds,
                    metrics: try model.evaluate(on: holdout).values,
                    treesHash: Self.hash(TreeCodec.encode(model.ensemble.trees))))
        }
        return Report(
            learner: name, rows: train.rowCount, features: train.featureCount,
            threads: options.threads, loadSeconds: loadSeconds, fits: fits)
    }

    private func divide(_ data: Dataset) throws -> (Dataset, Dataset) {
        guard let count = options.trainRowCount else { return (data, data) }
        guard (1..<data.rowCount).contains(count) else {
            throw BenchOptions.Problem(
                description: "--train-rows must leave some of the \(data.rowCount) rows")
        }
        return (
            data.subset(rows: Array(0..<count)),
            data.subset(rows: Array(count..<data.rowCount))
        )
    }

    private func learner(seed: UInt64, of data: Dataset) throws -> any EnsembleLearner {
        guard options.learner == "forest" else {
            throw BenchOptions.Problem(description: "no learner '\(options.learner)'; try forest")
        }
        let parameters = options.parameters
        let trees: Int = try number("trees", default: 100)
        let depth: Int = try number("depth", default: 0)
        let leaf: Int = try number("min_samples_leaf", default: 1)
        let share = try parameters["max_features"].map(Self.maxFeatures)
        if case .values = data.target {
            return try RandomForestRegressor(
                trees: trees, maxDepth: depth == 0 ? nil : depth, maxFeatures: share ?? .all,
                minSamplesLeaf: leaf, seed: seed)
        }
        return try RandomForestClassifier(
            trees: trees, maxDepth: depth == 0 ? nil : depth, maxFeatures: share ?? .sqrt,
            minSamplesLeaf: leaf,
            criterion: parameters["criterion"] == "entropy" ? .entropy : .gini,
            seed: seed)
    }

    private func number(_ name: String, default standard: Int) throws -> Int {
        try options.parameters[name].map { try BenchOptions.number(name, $0) } ?? standard
    }

    private static func maxFeatures(_ text: String) throws -> MaxFeatures {
        switch text {
        case "sqrt": return .sqrt
        case "log2": return .log2
        default:
            if let count = Int(text) { return .count(count) }
            guard let share = Double(text) else {
                throw BenchOptions.Problem(description: "max_features '\(text)' is no number")
            }
            return .share(share)
        }
    }

    private static func hash(_ bytes: [UInt8]) -> String {
        let hash = bytes.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01B3
        }
        return String(hash, radix: 16)
    }

    /// Processor time of this process so far.
    private static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    private static func seconds(_ duration: Duration) -> Double {
        let parts = duration.components
        return Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
    }
}
