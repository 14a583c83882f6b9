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

    /// What a categorical node does with a category that its set does not know: one beyond the
    /// set's map, or a number that is no category.
    public enum UnknownCategory: UInt8, Sendable, Hashable {
        /// It goes where missing values go, as in LightGBM and in our own learners.
        case followsMissing = 0
        /// It is no member of the set, as in XGBoost, where only NaN is missing.
        case goesRight = 1
    }

    /// What counts as zero where zero stands for a missing value: |x| up to this (LightGBM's
    /// kZeroThreshold).
    public static let zeroMax: Float = 1e-35

    /// Columns of a row.
    public let featureCount: Int
    /// Scores per row before the transform: the number of classes, or 1.
    public let outputCount: Int
    /// Values per leaf: `outputCount`, or 1. With 1, tree i adds to output `i % outputCount`, and
    /// the number of trees is a multiple of `outputCount`.
    public let leafWidth: Int
    /// In the order they are summed.
    public let trees: TreeList
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
    /// Per feature whether a value of at most `zeroMax`, either side of 0, counts as missing;
    /// empty if none does.
    public let zeroIsMissing: [Bool]
    /// Where a categorical node sends a category that it does not know.
    public let unknownCategory: UnknownCategory

    package init(
        featureCount: Int, outputCount: Int, leafWidth: Int? = nil, trees: [Tree],
        aggregation: Aggregation = .average, baseScores: [Float]? = nil,
        transform: Transform = .identity, linear: LinearTerm? = nil, imputations: [Float] = [],
        zeroIsMissing: [Bool] = [], unknownCategory: UnknownCategory = .followsMissing
    ) {
        self.init(
            featureCount: featureCount, outputCount: outputCount, leafWidth: leafWidth,
            trees: TreeList(trees), aggregation: aggregation, baseScores: baseScores,
            transform: transform, linear: linear, imputations: imputations,
            zeroIsMissing: zeroIsMissing, unknownCategory: unknownCategory)
    }

    package init(
        featureCount: Int, outputCount: Int, leafWidth: Int?, trees: TreeList,
        aggregation: Aggregation, baseScores: [Float]?, transform: Transform, linear: LinearTerm?,
        imputations: [Float], zeroIsMissing: [Bool], unknownCategory: UnknownCategory
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
        self.zeroIsMissing = zeroIsMissing
        self.unknownCategory = unknownCategory
    }
}
