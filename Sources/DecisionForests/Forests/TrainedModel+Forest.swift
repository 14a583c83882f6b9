extension TrainedModel {
    /// A forest's model; the trees are checked, for they may have come from other machines.
    init(
        forest trees: [Tree], of treeCount: Int, outputCount: Int, task: Task, dataset: Dataset,
        learner: some EnsembleLearner
    ) throws {
        guard trees.count == treeCount else {
            throw TrainingError.treeCount(expected: treeCount, found: trees.count)
        }
        let (kept, importances) = GainImportances.take(
            from: trees, featureCount: dataset.featureCount)
        let ensemble = TreeEnsemble(
            featureCount: dataset.featureCount, outputCount: outputCount, trees: kept)
        try ensemble.validate()
        self.init(
            ensemble: ensemble, featureNames: dataset.featureNames,
            featureKinds: dataset.featureKinds,
            optionalFeatures: dataset.optionalFeatures, targetName: dataset.targetName, task: task,
            learner: learner.name, parameters: learner.parameters,
            trainingRowCount: dataset.rowCount, gainImportances: importances)
    }
}
