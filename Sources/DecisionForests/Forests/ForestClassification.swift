/// What random forests and extra-trees do alike with classes.
struct ForestClassification: Sendable, Hashable, Codable {
    let forest: ForestParameters
    let criterion: ClassificationCriterion
    let classWeight: ClassWeight

    private enum CodingKeys: String, CodingKey {
        case forest, criterion, classWeight
    }

    init(
        forest: ForestParameters, criterion: ClassificationCriterion, classWeight: ClassWeight
    ) throws(ParameterError) {
        try classWeight.check()
        self.forest = forest
        self.criterion = criterion
        self.classWeight = classWeight
    }

    /// Decodes and checks.
    init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            forest: fields.decode(ForestParameters.self, forKey: .forest),
            criterion: fields.decode(ClassificationCriterion.self, forKey: .criterion),
            classWeight: fields.decode(ClassWeight.self, forKey: .classWeight))
    }

    var parameters: [TrainedModel.Parameter] {
        forest.list(criterion: criterion.rawValue, classWeight: classWeight.description)
    }

    func grow(_ trees: Range<Int>, on data: BinnedDataset, threads: Int) throws -> [Tree] {
        let (labels, indices) = try Self.classes(of: data.target, data.targetName)
        let plan = try GrowthPlan(
            data: data, parameters: forest,
            weights: classWeight.rowWeights(labels: labels, indices: indices, data.weights))
        if labels.count == 2, criterion == .gini {
            return plan.grow(trees, threads: threads) { PairKernel(classes: indices) }
        }
        return plan.grow(trees, threads: threads) {
            ClassKernel(classes: indices, classCount: labels.count, criterion: criterion)
        }
    }

    func model(
        from trees: [Tree], trainedOn dataset: Dataset, learner: some EnsembleLearner
    ) throws -> TrainedModel {
        let labels = try Self.classes(of: dataset.target, dataset.targetName).labels
        return try TrainedModel(
            forest: trees, of: forest.treeCount, outputCount: labels.count,
            task: .classification(classes: labels), dataset: dataset, learner: learner)
    }

    private static func classes(
        of target: Dataset.Target, _ name: String
    ) throws(TrainingError) -> (labels: [ClassLabel], indices: [Int32]) {
        guard case .classes(let labels, let indices) = target else {
            throw .targetHoldsNumbers(target: name)
        }
        return (labels, indices)
    }
}
