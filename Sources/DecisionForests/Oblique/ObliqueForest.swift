extension ForestParameters {
    /// "ObliqueForest(n_estimators=75, max_depth=None)"
    var obliqueSummary: String {
        "ObliqueForest(n_estimators=\(treeCount), max_depth=\(maxDepth.map { "\($0)" } ?? "None"))"
    }
}

extension TrainedModel {
    /// An oblique forest's model; the trees are checked, for they may have come from elsewhere.
    init(
        obliqueForest trees: [Tree], of treeCount: Int, outputCount: Int, task: Task,
        dataset: Dataset, learner: some EnsembleLearner
    ) throws {
        guard trees.count == treeCount else {
            throw TrainingError.treeCount(expected: treeCount, found: trees.count)
        }
        // Trees that are single leaves need nothing imputed, and then nothing may be.
        let isProjected = trees.contains { $0.projections.count > 0 }
        let ensemble = TreeEnsemble(
            featureCount: dataset.featureCount, outputCount: outputCount, trees: trees,
            imputations: isProjected
                ? FeatureScale.all(of: dataset, threads: 1).map(\.centre) : [])
        try ensemble.validate()
        self.init(
            ensemble: ensemble, featureNames: dataset.featureNames,
            featureKinds: dataset.featureKinds, optionalFeatures: dataset.optionalFeatures,
            targetName: dataset.targetName, task: task, learner: learner.name,
            parameters: learner.parameters, trainingRowCount: dataset.rowCount)
    }
}
