/// What random forests and extra-trees do alike with numbers.
struct ForestRegression: Sendable, Hashable, Codable {
    let forest: ForestParameters

    var parameters: [TrainedModel.Parameter] {
        forest.list(criterion: "squared_error", classWeight: nil)
    }

    func grow(_ trees: Range<Int>, on data: BinnedDataset, threads: Int) throws -> [Tree] {
        let values = try Self.values(of: data.target, data.targetName)
        let plan = try GrowthPlan(
            data: data, parameters: forest,
            weights: data.weights.map { $0.map(Double.init) })
        let target = FixedPointTarget(values)
        return plan.grow(trees, threads: threads) { ValueKernel(target: target) }
    }

    func model(
        from trees: [Tree], trainedOn dataset: Dataset, learner: some EnsembleLearner
    ) throws -> TrainedModel {
        _ = try Self.values(of: dataset.target, dataset.targetName)
        return try TrainedModel(
            forest: trees, of: forest.treeCount, outputCount: 1, task: .regression,
            dataset: dataset, learner: learner)
    }

    private static func values(
        of target: Dataset.Target, _ name: String
    ) throws(TrainingError) -> [Float] {
        guard case .values(let values) = target else { throw .targetHoldsClasses(target: name) }
        return values
    }
}
