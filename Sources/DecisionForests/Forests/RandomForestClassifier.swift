/// A forest of classification trees (Breiman 2001), with scikit-learn's parameters and defaults.
///
/// Each tree sees a bootstrap of the rows, each node a few features; the forest answers with the
/// mean of the trees' class shares.
public struct RandomForestClassifier: EnsembleLearner, Hashable {
    /// "RandomForestClassifier".
    public static let name = "RandomForestClassifier"

    private let rules: ForestClassification

    /// A classifier of these parameters, or an error naming the first one out of range.
    ///
    /// - Parameters:
    ///   - trees: Trees of the forest, 1...100,000.
    ///   - maxDepth: Levels below the root, 1...10,000; nil for as many as the data needs.
    ///   - maxFeatures: Features that a node tries.
    ///   - minSamplesSplit: Rows that a node must have to be split, at least 2.
    ///   - minSamplesLeaf: Rows that each side of a split must have, at least 1.
    ///   - bootstrap: Whether each tree sees a sample of the rows, drawn with replacement.
    ///   - maxSamples: How many rows the bootstrap draws; nil for as many as there are.
    ///   - maxLeafNodes: Leaves that a tree may have, at least 2, the most useful splits first;
    ///     nil for any number.
    ///   - minImpurityDecrease: What a split must lower the impurity by, times the node's share of
    ///     the weight; at least 0.
    ///   - criterion: How a split is judged.
    ///   - classWeight: How much the classes count.
    ///   - seed: Decides every chance.
    public init(
        trees: Int = 100, maxDepth: Int? = nil, maxFeatures: MaxFeatures = .sqrt,
        minSamplesSplit: Int = 2, minSamplesLeaf: Int = 1, bootstrap: Bool = true,
        maxSamples: MaxSamples? = nil, maxLeafNodes: Int? = nil, minImpurityDecrease: Double = 0,
        criterion: ClassificationCriterion = .gini, classWeight: ClassWeight = .equal,
        seed: UInt64 = 0
    ) throws(ParameterError) {
        let forest = try ForestParameters(
            treeCount: trees, maxDepth: maxDepth, maxFeatures: maxFeatures,
            minSamplesSplit: minSamplesSplit, minSamplesLeaf: minSamplesLeaf,
            bootstrap: bootstrap, maxSamples: maxSamples, maxLeafNodes: maxLeafNodes,
            minImpurityDecrease: minImpurityDecrease, thresholds: .best, seed: seed)
        rules = try ForestClassification(
            forest: forest, criterion: criterion, classWeight: classWeight)
    }

    init(_ rules: ForestClassification) { self.rules = rules }

    /// What the forest shares with a regressor.
    public var forest: ForestParameters { rules.forest }

    /// How a split is judged.
    public var criterion: ClassificationCriterion { rules.criterion }

    /// How much the classes count.
    public var classWeight: ClassWeight { rules.classWeight }

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
        rules = try ForestClassification(from: decoder)
    }

    /// Writes the parameters.
    public func encode(to encoder: any Encoder) throws {
        try rules.encode(to: encoder)
    }
}
