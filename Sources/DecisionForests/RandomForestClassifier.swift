/// A forest of classification trees (Breiman 2001), with scikit-learn's parameters and defaults.
///
/// Each tree sees a bootstrap of the rows, each node a few features; the forest answers with the
/// mean of the trees' class shares.
public struct RandomForestClassifier: EnsembleLearner, Hashable {
    /// "RandomForestClassifier".
    public static let name = "RandomForestClassifier"

    /// What the forest shares with a regressor.
    public let forest: ForestParameters
    /// How a split is judged.
    public let criterion: ClassificationCriterion
    /// How much the classes count.
    public let classWeight: ClassWeight

    /// A classifier of these parameters, or an error naming the first one out of range.
    ///
    /// - Parameters:
    ///   - trees: Trees of the forest, 1...100,000.
    ///   - maxDepth: Levels below the root, 1...10,000; nil for as many as the data needs.
    ///   - maxFeatures: Features that a node tries.
    ///   - minSamplesSplit: Rows that a node must have to be split, at least 2.
    ///   - minSamplesLeaf: Rows that each side of a split must have, at least 1.
    ///   - bootstrap: Whether each tree sees a sample of the rows, drawn with replacement.
    ///   - criterion: How a split is judged.
    ///   - classWeight: How much the classes count.
    ///   - seed: Decides every chance.
    public init(
        trees: Int = 100, maxDepth: Int? = nil, maxFeatures: MaxFeatures = .sqrt,
        minSamplesSplit: Int = 2, minSamplesLeaf: Int = 1, bootstrap: Bool = true,
        criterion: ClassificationCriterion = .gini, classWeight: ClassWeight = .equal,
        seed: UInt64 = 0
    ) throws(ParameterError) {
        try classWeight.check()
        self.criterion = criterion
        self.classWeight = classWeight
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
        forest.list(criterion: criterion.rawValue, classWeight: classWeight.description)
    }

    /// "RandomForest(n_estimators=75, max_depth=30, max_features=0.7)"
    public var description: String { forest.summary }

    /// The trees of these numbers, in order.
    public func grow(
        trees: Range<Int>, on data: BinnedDataset, threads: Int
    ) throws -> [Tree] {
        let dataset = data.dataset
        guard case .classes(let labels, let indices) = dataset.target else {
            throw TrainingError.targetHoldsNumbers(target: dataset.targetName)
        }
        let plan = try GrowthPlan(
            data: data, parameters: forest,
            weights: classWeight.rowWeights(labels: labels, indices: indices, dataset.weights))
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
            forest: trees, of: treeCount, outputCount: labels.count,
            task: .classification(classes: labels), dataset: dataset, learner: self)
    }
}

extension RandomForestClassifier {
    private enum CodingKeys: String, CodingKey {
        case forest, criterion, classWeight
    }

    /// Decodes and checks.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        forest = try fields.decode(ForestParameters.self, forKey: .forest)
        criterion = try fields.decode(ClassificationCriterion.self, forKey: .criterion)
        classWeight = try fields.decode(ClassWeight.self, forKey: .classWeight)
        try classWeight.check()
    }
}
