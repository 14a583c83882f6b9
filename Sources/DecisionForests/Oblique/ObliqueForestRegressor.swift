/// A forest of regression trees whose nodes compare weighted sums of a few features; see
/// `ObliqueForestClassifier`.
///
/// Splits lower the squared error; the forest answers with the mean of the trees' leaf means.
public struct ObliqueForestRegressor: EnsembleLearner, Hashable {
    /// "ObliqueForestRegressor".
    public static let name = "ObliqueForestRegressor"

    /// What the forest shares with others; all features may be drawn.
    public let forest: ForestParameters
    /// How nodes draw their projections.
    public let projections: ProjectionParameters

    /// A regressor of these parameters, or an error naming the first one out of range.
    ///
    /// The ranges are those of `ObliqueForestClassifier`.
    public init(
        trees: Int = 100, maxDepth: Int? = nil, minSamplesSplit: Int = 2, minSamplesLeaf: Int = 1,
        bootstrap: Bool = true, projections: ProjectionParameters? = nil, seed: UInt64 = 0
    ) throws(ParameterError) {
        self.projections = if let projections { projections } else { try ProjectionParameters() }
        forest = try ForestParameters(
            treeCount: trees, maxDepth: maxDepth, maxFeatures: .all,
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
            .filter { $0.name != "max_features" } + projections.list
    }

    /// "ObliqueForest(n_estimators=75, max_depth=None)"
    public var description: String { forest.obliqueSummary }

    /// Nodes add values up; bins alone do not do.
    public var needsColumns: Bool { true }

    /// The trees of these numbers, in order; `data` must come with its values.
    public func grow(trees: Range<Int>, on data: BinnedDataset, threads: Int) throws -> [Tree] {
        guard let dataset = data.dataset else { throw TrainingError.noColumns }
        return try grow(trees: trees, on: dataset, threads: threads, kernels: .of(.current))
    }

    /// The trees of these numbers, in order; nothing is binned for them.
    public func grow(
        trees: Range<Int>, on dataset: Dataset, threads: Int = BinnedDataset.threadsDefault
    ) throws -> [Tree] {
        try grow(trees: trees, on: dataset, threads: threads, kernels: .of(.current))
    }

    func grow(
        trees: Range<Int>, on dataset: Dataset, threads: Int, kernels: ObliqueKernels
    ) throws -> [Tree] {
        guard case .values(let values) = dataset.target else {
            throw TrainingError.targetHoldsClasses(target: dataset.targetName)
        }
        let plan = try ObliquePlan(
            dataset: dataset, forest: forest, projections: projections,
            weights: dataset.weights.map { $0.map(Double.init) }, threads: threads,
            kernels: kernels)
        let target = FixedPointTarget(values)
        return plan.grow(trees, threads: threads) { ValueKernel(target: target) }
    }

    /// The forest of all trees.
    public func model(from trees: [Tree], trainedOn dataset: Dataset) throws -> TrainedModel {
        guard case .values = dataset.target else {
            throw TrainingError.targetHoldsClasses(target: dataset.targetName)
        }
        return try TrainedModel(
            obliqueForest: trees, of: treeCount, outputCount: 1, task: .regression,
            dataset: dataset, learner: self)
    }
}
