/// A forest of regression trees (Breiman 2001), with scikit-learn's parameters and defaults.
///
/// Splits lower the squared error; the forest answers with the mean of the trees' leaf means.
public struct RandomForestRegressor: EnsembleLearner, Hashable {
    /// "RandomForestRegressor".
    public static let name = "RandomForestRegressor"

    private let rules: ForestRegression

    /// A regressor of these parameters, or an error naming the first one out of range.
    ///
    /// The ranges are those of `RandomForestClassifier`.
    public init(
        trees: Int = 100, maxDepth: Int? = nil, maxFeatures: MaxFeatures = .all,
        minSamplesSplit: Int = 2, minSamplesLeaf: Int = 1, bootstrap: Bool = true,
        maxSamples: MaxSamples? = nil, maxLeafNodes: Int? = nil, minImpurityDecrease: Double = 0,
        seed: UInt64 = 0
    ) throws(ParameterError) {
        rules = ForestRegression(
            forest: try ForestParameters(
                treeCount: trees, maxDepth: maxDepth, maxFeatures: maxFeatures,
                minSamplesSplit: minSamplesSplit, minSamplesLeaf: minSamplesLeaf,
                bootstrap: bootstrap, maxSamples: maxSamples, maxLeafNodes: maxLeafNodes,
                minImpurityDecrease: minImpurityDecrease, thresholds: .best, seed: seed))
    }

    init(_ rules: ForestRegression) { self.rules = rules }

    /// The forest's parameters.
    public var forest: ForestParameters { rules.forest }

    /// Trees of the forest.
    public var treeCount: Int { forest.treeCount }

    /// The forest's seed.
    public var binningSeed: UInt64 { forest.seed }

    /// As MLflow shows them.
    public var parameters: [TrainedModel.Parameter] { rules.parameters }

    /// "RandomForest(n_estimators=75, max_depth=30, max_features=0.7)"
    public var description: String { forest.summary }

    /// The trees of these numbers, in order.
    public func grow(
        trees: Range<Int>, on data: BinnedDataset, threads: Int
    ) throws -> [Tree] {
        try rules.grow(trees, on: data, threads: threads)
    }

    /// The forest of all trees.
    public func model(from trees: [Tree], trainedOn dataset: Dataset) throws -> TrainedModel {
        try rules.model(from: trees, trainedOn: dataset, learner: self)
    }

    /// How good this learner's model is, judged row by row by the trees that did not see the row.
    ///
    /// Throws without bootstrap, and if `dataset` is not what `model` was trained on.
    public func outOfBag(
        _ model: TrainedModel, trainedOn dataset: Dataset,
        threads: Int = BinnedDataset.threadsDefault
    ) throws -> OutOfBagEstimate {
        try OutOfBagEstimate(of: model, forest: forest, trainedOn: dataset, threads: threads)
    }

    /// Decodes and checks.
    public init(from decoder: any Decoder) throws {
        rules = try ForestRegression(from: decoder)
    }

    /// Writes the parameters.
    public func encode(to encoder: any Encoder) throws {
        try rules.encode(to: encoder)
    }
}
