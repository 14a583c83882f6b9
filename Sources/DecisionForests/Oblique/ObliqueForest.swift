/// What oblique classifiers and regressors share.
enum ObliqueForest {
    /// All trees, some at a time so that `observer` hears of it. Which trees are grown together
    /// makes no difference.
    static func growAll(
        _ treeCount: Int, threads: Int, observer: FitObserver?,
        _ grow: (Range<Int>) throws -> [Tree]
    ) throws -> [Tree] {
        guard let observer else { return try grow(0..<treeCount) }
        var trees: [Tree] = []
        let step = max(threads, (treeCount + 99) / 100)
        while trees.count < treeCount {
            trees += try grow(trees.count..<min(treeCount, trees.count + step))
            try observer(FitProgress(done: trees.count, total: treeCount))
        }
        return trees
    }
}

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
