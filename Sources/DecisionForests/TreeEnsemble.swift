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
        /// exp(score), for counts and rates.
        case exponential = 3
    }

    /// Columns of a row.
    public let featureCount: Int
    /// Scores per row before the transform: the number of classes, or 1.
    public let outputCount: Int
    /// Values per leaf: `outputCount`, or 1. With 1, tree i adds to output `i % outputCount`, and
    /// the number of trees is a multiple of `outputCount`.
    public let leafWidth: Int
    /// In the order they are summed.
    public let trees: [Tree]
    /// How leaf values are joined.
    public let aggregation: Aggregation
    /// `outputCount` values that the sum starts with (zeros for forests).
    public let baseScores: [Float]
    /// Applied last.
    public let transform: Transform
    /// Added to the base scores, before the trees; only where leaves are summed.
    public let linear: LinearTerm?
    /// Per feature, what stands for a missing value in linear terms and projections; empty if there
    /// are neither.
    public let imputations: [Float]

    package init(
        featureCount: Int, outputCount: Int, leafWidth: Int? = nil, trees: [Tree],
        aggregation: Aggregation = .average, baseScores: [Float]? = nil,
        transform: Transform = .identity, linear: LinearTerm? = nil, imputations: [Float] = []
    ) {
        self.featureCount = featureCount
        self.outputCount = outputCount
        self.leafWidth = leafWidth ?? outputCount
        self.trees = trees
        self.aggregation = aggregation
        self.baseScores = baseScores ?? Array(repeating: 0, count: outputCount)
        self.transform = transform
        self.linear = linear
        self.imputations = imputations
    }
}
