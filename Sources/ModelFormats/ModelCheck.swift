import DecisionForests

/// The rules a model keeps so that every reader and every walk over its trees is safe.
///
/// Applied before writing and after reading; a model that passes can be predicted with, written as
/// ONNX and described by a signature without further checks.
enum ModelCheck {
    static func check(_ model: TrainedModel) throws(ModelFileError) {
        try checkNames(of: model)
        try checkOutputs(of: model)
        for (index, tree) in model.ensemble.trees.enumerated() {
            if let problem = problem(in: tree, of: model.ensemble) {
                throw .malformed(part: "tree \(index)", problem: problem)
            }
        }
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

    private static func checkOutputs(of model: TrainedModel) throws(ModelFileError) {
        let ensemble = model.ensemble
        guard ensemble.outputCount > 0, ensemble.baseScores.count == ensemble.outputCount,
            ensemble.baseScores.allSatisfy(\.isFinite)
        else {
            throw .malformed(
                part: "base scores",
                problem: "\(ensemble.outputCount) finite numbers are needed")
        }
        let isMatched =
            switch (model.task, ensemble.transform) {
            case (.regression, .identity): ensemble.outputCount == 1
            case (.regression, _): false
            case (.classification(let classes), .logistic):
                ensemble.outputCount == 1 && classes.count == 2
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

    /// What is wrong with a tree's arrays, or nil. Takes time and memory linear in its nodes.
    private static func problem(in tree: Tree, of ensemble: TreeEnsemble) -> String? {
        let nodeCount = tree.splitFeature.count
        guard nodeCount > 0, nodeCount <= Int(Int32.max) else { return "it has \(nodeCount) nodes" }
        guard tree.threshold.count == nodeCount, tree.leftChild.count == nodeCount,
            tree.missingGoesLeft.count == nodeCount
        else { return "its columns differ in length" }
        guard tree.leafValues.count % ensemble.outputCount == 0 else {
            return "its leaf values do not fill whole leaves"
        }
        guard tree.leafValues.allSatisfy(\.isFinite) else { return "a leaf value is not finite" }
        let leafCount = tree.leafValues.count / ensemble.outputCount
        var isChild = [Bool](repeating: false, count: nodeCount)
        isChild[0] = true
        for node in 0..<nodeCount {
            guard isChild[node] else { return "node \(node) has no parent" }
            let child = Int(tree.leftChild[node])
            guard tree.threshold[node].isFinite else {
                return "the threshold of node \(node) is not finite"
            }
            if tree.splitFeature[node] == Tree.leaf {
                guard (0..<leafCount).contains(child) else {
                    return "leaf node \(node) has no values"
                }
                continue
            }
            guard (0..<ensemble.featureCount).contains(Int(tree.splitFeature[node])) else {
                return "node \(node) tests a feature that does not exist"
            }
            guard child > node, child < nodeCount - 1 else {
                return "the children of node \(node) do not stand after it"
            }
            guard !isChild[child], !isChild[child + 1] else {
                return "a child of node \(node) has two parents"
            }
            isChild[child] = true
            isChild[child + 1] = true
        }
        return nil
    }
}
