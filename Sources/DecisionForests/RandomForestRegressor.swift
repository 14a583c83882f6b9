/// A forest of regression trees (Breiman 2001), with scikit-learn's parameters and defaults.
///
/// Splits lower the squared error; the forest answers with the mean of the trees' leaf means.
public struct RandomForestRegressor: EnsembleLearner, Hashable {
    /// "RandomForestRegressor".
    public static let name = "RandomForestRegressor"

    /// The forest's parameters.
    public let forest: ForestParameters

    /// A regressor of these parameters, or an error naming the first one out of range.
    ///
    /// The ranges are those of `RandomForestClassifier`.
    public init(
        trees: Int = 100, maxDepth: Int? = nil, maxFeatures: MaxFeatures = .all,
        minSamplesSplit: Int = 2, minSamplesLeaf: Int = 1, bootstrap: Bool = true, seed: UInt64 = 0
    ) throws(ParameterError) {
        forest = try ForestParameters(
            treeCount: trees, maxDepth: maxDepth, maxFeatures: maxFeatures,
            minSamplesSplit: minSamplesSplit, minSamplesLeaf: minSamplesLeaf,
            bootstrap: bootstrap, seed: seed)
    }

    /// Trees of the forest.
    public var treeCount: Int { forest.treeCount }

    /// The forest's seed.
    public var binningSeed: UInt64 { forest.seed }

    /// As MLflow shows them.
    public var parameters: [TrainedModel.Parameter] {
        forest.list(criterion: "squared_error", classWeight: nil)
    }

    /// "RandomForest(n_estimators=75, max_depth=30, max_features=0.7)"
    public var description: String { forest.summary }

    /// The trees of these numbers, in order.
    public func grow(
        trees: Range<Int>, on data: BinnedDataset, threads: Int
    ) throws -> [Tree] {
        guard case .values(let values) = data.dataset.target else {
            throw TrainingError.targetHoldsClasses(target: data.dataset.targetName)
        }
        let plan = try GrowthPlan(
            data: data, parameters: forest,
            weights: data.dataset.weights.map { $0.map(Double.init) })
        let target = FixedPointTarget(values)
        return plan.grow(trees, threads: threads) { ValueKernel(target: target) }
    }

    /// The forest of all trees.
    public func model(from trees: [Tree], trainedOn dataset: Dataset) throws -> TrainedModel {
        guard case .values = dataset.target else {
            throw TrainingError.targetHoldsClasses(target: dataset.targetName)
        }
        return try TrainedModel(
            forest: trees, of: treeCount, outputCount: 1, task: .regression, dataset: dataset,
            learner: self)
    }
}
