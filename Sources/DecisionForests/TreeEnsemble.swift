/// Trees and how their leaves become an answer: the part of a model that prediction needs.
public struct TreeEnsemble: Sendable, Hashable {
    /// How the trees' leaf values are joined.
    public enum Aggregation: UInt8, Sendable, Hashable {
        /// The mean over the trees (forests).
        case average = 0
        /// `baseScores` plus the sum over the trees (boosters).
        case sum = 1
    }

    /// What is done to the joined scores.
    public enum Transform: UInt8, Sendable, Hashable {
        /// Nothing: scores are class shares or the predicted value.
        case identity = 0
        /// 1 / (1 + exp(-score)) for two classes with one score.
        case logistic = 1
        /// exp(score) / Σ exp(score) over the classes.
        case softmax = 2
    }

    /// Columns of a row.
    public let featureCount: Int
    /// Values per leaf: the number of classes, or 1 for regression.
    public let outputCount: Int
    /// In the order they are summed.
    public let trees: [Tree]
    /// How leaf values are joined.
    public let aggregation: Aggregation
    /// `outputCount` values added before the trees (zeros for forests).
    public let baseScores: [Float]
    /// Applied last.
    public let transform: Transform

    package init(
        featureCount: Int, outputCount: Int, trees: [Tree], aggregation: Aggregation = .average,
        baseScores: [Float]? = nil, transform: Transform = .identity
    ) {
        self.featureCount = featureCount
        self.outputCount = outputCount
        self.trees = trees
        self.aggregation = aggregation
        self.baseScores = baseScores ?? Array(repeating: 0, count: outputCount)
        self.transform = transform
    }
}
