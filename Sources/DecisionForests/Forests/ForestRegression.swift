/// What random forests and extra-trees do alike with numbers.
struct ForestRegression: Sendable, Hashable, Codable {
    let forest: ForestParameters

    var parameters: [TrainedModel.Parameter] {
        forest.list(criterion: "squared_error", classWeight: nil)
    }

    func grow(_ trees: Range<Int>, on data: BinnedDataset, threads: Int) throws -> [Tree] {
        let values = try Self.values(of: data.dataset)
        let plan = try GrowthPlan(
            data: data, parameters: forest,
            weights: data.dataset.weights.map { $0.map(Double.init) })
        let target = FixedPointTarget(values)
        return plan.grow(trees, threads: threads) { ValueKernel(target: target) }
    }

    func model(
        from trees: [Tree], trainedOn dataset: Dataset, learner: some EnsembleLearner
    ) throws -> TrainedModel {
        _ = try Self.values(of: dataset)
        return try TrainedModel(
            forest: trees, of: forest.treeCount, outputCount: 1, task: .regression,
            dataset: dataset, learner: learner)
    }

    private static func values(of dataset: Dataset) throws(TrainingError) -> [Float] {
        guard case .values(let values) = dataset.target else {
            throw .targetHoldsClasses(target: dataset.targetName)
        }
        return values
    }
}
