import DecisionForests

/// The rules a model keeps so that every reader and every walk over its trees is safe.
///
/// Applied before writing and after reading; a model that passes can be predicted with, written as
/// ONNX and described by a signature without further checks.
enum ModelCheck {
    static func check(_ model: TrainedModel) throws(ModelFileError) {
        try checkNames(of: model)
        try checkFeatures(of: model)
        try checkTrees(of: model)
        try checkOutputs(of: model)
    }

    private static func checkNames(of model: TrainedModel) throws(ModelFileError) {
        let names = model.featureNames
        guard !names.isEmpty, names.count == model.ensemble.featureCount else {
            throw .malformed(
                part: "feature names",
                problem: "\(names.count) names for \(model.ensemble.featureCount) features")
        }
        guard !names.contains("") else {
            throw .malformed(part: "feature names", problem: "one of them is empty")
        }
        guard Set(names).count == names.count else {
            throw .malformed(part: "feature names", problem: "two features share a name")
        }
        guard model.optionalFeatures.isSubset(of: names) else {
            throw .malformed(part: "optional features", problem: "one of them is not a feature")
        }
        guard model.trainingRowCount >= 0 else {
            throw .malformed(part: "training row count", problem: "it is negative")
        }
    }

    private static func checkFeatures(of model: TrainedModel) throws(ModelFileError) {
        let featureCount = model.featureNames.count
        guard model.featureKinds.count == featureCount else {
            throw .malformed(
                part: "feature kinds",
                problem: "\(model.featureKinds.count) kinds for \(featureCount) features")
        }
        for (name, kind) in zip(model.featureNames, model.featureKinds) {
            guard let levels = kind.levels else { continue }
            guard levels.count <= FeatureKind.levelCountMax, Set(levels).count == levels.count
            else {
                throw .malformed(
                    part: "levels", problem: "those of '\(name.prefix(80))' are too many or repeat")
            }
        }
        let importances = model.gainImportances
        guard importances.isEmpty || importances.count == featureCount,
            importances.allSatisfy({ $0.isFinite && $0 >= 0 })
        else {
            throw .malformed(
                part: "gain importances", problem: "they are not one share per feature")
        }
    }

    /// Only features with levels are looked up in sets of categories. The trees are sound.
    private static func checkSets(
        of trees: TreeColumns, kinds: [FeatureKind]
    ) throws(ModelFileError) {
        guard trees.sets.count > 0 else { return }
        let hasLevels = kinds.map { $0.levels != nil }
        let stray = trees.splitFeature.withElements { features in
            trees.sets.ofNodes.withElements { sets in
                sets.indices.first { sets[$0] >= 0 && !hasLevels[Int(features[$0])] }
            }
        }
        guard let stray else { return }
        let tree = (0..<trees.treeCount).first { trees.nodes(of: $0).contains(stray) } ?? 0
        throw .malformed(
            part: "tree \(tree)",
            problem: "node \(stray - trees.nodes(of: tree).lowerBound) looks for categories in a "
                + "feature without levels")
    }

    private static func checkOutputs(of model: TrainedModel) throws(ModelFileError) {
        let ensemble = model.ensemble
        guard ensemble.aggregation == .sum || ensemble.baseScores.allSatisfy({ $0 == 0 }) else {
            throw .malformed(part: "base scores", problem: "a mean over trees takes none")
        }
        let isMatched =
            switch (model.task, ensemble.transform) {
            case (.regression, .identity), (.regression, .exponential): ensemble.outputCount == 1
            case (.regression, _): false
            case (.classification(let classes), .logistic):
                ensemble.outputCount == 1 && classes.count == 2
            case (.classification, .exponential): false
            case (.classification(let classes), _): ensemble.outputCount == classes.count
            }
        guard isMatched else {
            throw .malformed(
                part: "outputs",
                problem: "\(ensemble.outputCount) outputs with transform \(ensemble.transform) "
                    + "do not fit the task")
        }
        if case .classification(let classes) = model.task {
            try checkLabels(classes)
        }
    }

    private static func checkLabels(_ classes: [ClassLabel]) throws(ModelFileError) {
        guard Set(classes).count == classes.count else {
            throw .malformed(part: "classes", problem: "two classes share a label")
        }
        let integers = classes.count { label in
            if case .integer = label { true } else { false }
        }
        guard integers == 0 || integers == classes.count else {
            throw .malformed(part: "classes", problem: "integer and string labels are mixed")
        }
    }

    private static func checkTrees(of model: TrainedModel) throws(ModelFileError) {
        let trees: TreeColumns
        do throws(EnsembleError) {
            trees = try model.ensemble.validatedColumns()
        } catch {
            let node = error.node.map { "node \($0): " } ?? ""
            throw .malformed(
                part: error.tree.map { "tree \($0)" } ?? "ensemble",
                problem: node + error.problem)
        }
        try checkSets(of: trees, kinds: model.featureKinds)
    }
}
