/// How much worse a model answers when one feature tells it nothing: its values are shuffled among
/// the rows (Breiman, "Random forests", Machine Learning 45, 2001).
public struct PermutationImportance: Sendable, Hashable {
    /// Per feature of the model, in its order, the mean loss of quality over the repeats.
    public let means: [Double]
    /// Per feature the standard deviation over the repeats.
    public let deviations: [Double]
    /// What quality is measured by.
    public let metric: String

    /// Measures every feature of a model of any kind.
    ///
    /// - Parameters:
    ///   - model: The model.
    ///   - dataset: Rows with their target, best some that the model was not trained on.
    ///   - metric: A name that `TrainedModel.evaluate(on:)` gives; nil for "accuracy" or "r2".
    ///     Where less is better, the loss of quality is the increase.
    ///   - repeats: Shuffles per feature, 1...1,000.
    ///   - seed: Decides the shuffles.
    ///   - threads: Features that are measured at once; the result is the same for any number.
    /// - Throws: what `evaluate` throws, and `ParameterError` for a metric that is not defined here
    ///   or repeats out of range.
    public init(
        of model: TrainedModel, on dataset: Dataset, metric: String? = nil, repeats: Int = 5,
        seed: UInt64 = 0, threads: Int = BinnedDataset.threadsDefault
    ) throws {
        try ParameterError.check("repeats", repeats, isIn: 1...1_000)
        let base = try model.evaluate(on: dataset)
        let name = metric ?? (base["accuracy"] == nil ? "r2" : "accuracy")
        guard let quality = base[name] else {
            throw ParameterError(
                "metric", name,
                allowed: "one of " + base.metrics.map(\.name).joined(separator: ", "))
        }
        let chance = Chance(seed: seed).child(0x7065_726D)  // "perm"
        let columns = model.featureNames.map { dataset.featureNames.firstIndex(of: $0) }
        let sign: Double = Self.growsWithQuality(name) ? 1 : -1
        let losses = Parallel.map(columns.count, threads: threads) { feature, _ in
            Result { () throws -> [Double] in
                guard let column = columns[feature] else { return [] }
                return try (0..<repeats).map { turn in
                    let order = chance.child(UInt64(feature)).child(UInt64(turn))
                        .permutation(dataset.rowCount)
                    let shuffled = try dataset.shuffled(column: column, order)
                    let score = try model.evaluate(on: shuffled)[name]
                    return sign * (quality - (score ?? quality))
                }
            }
        }
        let values = try losses.map { try $0.get() }
        means = values.map(Self.mean)
        deviations = values.map { values in
            let mean = Self.mean(values)
            return Self.mean(values.map { ($0 - mean) * ($0 - mean) }).squareRoot()
        }
        self.metric = name
    }

    /// Whether more of the metric is better.
    private static func growsWithQuality(_ metric: String) -> Bool {
        let losses = ["log_loss", "brier", "rmse", "mae", "poisson_deviance"]
        return !losses.contains(metric) && !metric.hasPrefix("pinball")
    }

    private static func mean(_ values: [Double]) -> Double {
        values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
    }
}

extension Dataset {
    /// The same rows with one column in another order.
    fileprivate func shuffled(column: Int, _ order: [Int]) throws -> Dataset {
        var columns = columns
        let values = columns[column]
        columns[column] = order.map { values[$0] }
        return try Dataset(
            columns: columns, featureNames: featureNames, featureKinds: featureKinds,
            target: target, targetName: targetName, weights: weights)
    }
}
