/// A forest of classification trees whose nodes compare weighted sums of a few features (Tomita et
/// al., "Sparse projection oblique randomer forests", JMLR 21, 2020).
///
/// Where classes are parted by slanted lines, a few such nodes do what many that test one feature
/// at a time must approximate in steps. Every sum is made as in prediction and decided by integers:
/// the same data, parameters and seed give the same trees on any machine and threads. A missing
/// value stands at its column's mean; columns of more than two names are refused.
public struct ObliqueForestClassifier: EnsembleLearner, Hashable {
    /// "ObliqueForestClassifier".
    public static let name = "ObliqueForestClassifier"

    /// What the forest shares with others; all features may be drawn.
    public let forest: ForestParameters
    /// How nodes draw their projections.
    public let projections: ProjectionParameters
    /// How a split is judged.
    public let criterion: ClassificationCriterion
    /// How much the classes count.
    public let classWeight: ClassWeight

    /// A classifier of these parameters, or an error naming the first one out of range.
    ///
    /// - Parameters:
    ///   - trees: Trees of the forest, 1...100,000.
    ///   - maxDepth: Levels below the root, 1...10,000; nil for as many as the data needs.
    ///   - minSamplesSplit: Rows that a node must have to be split, at least 2.
    ///   - minSamplesLeaf: Rows that each side of a split must have, at least 1.
    ///   - bootstrap: Whether each tree sees a sample of the rows, drawn with replacement.
    ///   - projections: How nodes draw their projections; nil for the defaults.
    ///   - criterion: How a split is judged.
    ///   - classWeight: How much the classes count.
    ///   - seed: Decides every chance.
    public init(
        trees: Int = 100, maxDepth: Int? = nil, minSamplesSplit: Int = 2, minSamplesLeaf: Int = 1,
        bootstrap: Bool = true, projections: ProjectionParameters? = nil,
        criterion: ClassificationCriterion = .gini, classWeight: ClassWeight = .equal,
        seed: UInt64 = 0
    ) throws(ParameterError) {
        try classWeight.check()
        self.projections = if let projections { projections } else { try ProjectionParameters() }
        self.criterion = criterion
        self.classWeight = classWeight
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
        forest.list(criterion: criterion.rawValue, classWeight: classWeight.description)
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
        guard case .classes(let labels, let indices) = dataset.target else {
            throw TrainingError.targetHoldsNumbers(target: dataset.targetName)
        }
        let plan = try ObliquePlan(
            dataset: dataset, forest: forest, projections: projections,
            weights: classWeight.rowWeights(labels: labels, indices: indices, dataset.weights),
            threads: threads, kernels: kernels)
        if labels.count == 2, criterion == .gini {
            return plan.grow(trees, threads: threads) { PairKernel(classes: indices) }
        }
        return plan.grow(trees, threads: threads) {
            ClassKernel(classes: indices, classCount: labels.count, criterion: criterion)
        }
    }

    /// The forest of all trees.
    public func model(from trees: [Tree], trainedOn dataset: Dataset) throws -> TrainedModel {
        guard case .classes(let labels, _) = dataset.target else {
            throw TrainingError.targetHoldsNumbers(target: dataset.targetName)
        }
        return try TrainedModel(
            obliqueForest: trees, of: treeCount, outputCount: labels.count,
            task: .classification(classes: labels), dataset: dataset, learner: self)
    }
}

extension ObliqueForestClassifier {
    private enum CodingKeys: String, CodingKey {
        case forest, projections, criterion, classWeight
    }

    /// Decodes and checks.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        forest = try fields.decode(ForestParameters.self, forKey: .forest)
        projections = try fields.decode(ProjectionParameters.self, forKey: .projections)
        criterion = try fields.decode(ClassificationCriterion.self, forKey: .criterion)
        classWeight = try fields.decode(ClassWeight.self, forKey: .classWeight)
        try classWeight.check()
    }
}
