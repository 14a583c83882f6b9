extension LearnerKind {
    /// Random forests, with scikit-learn's names.
    static let forest = LearnerKind(
        name: "forest", summary: "a random forest: many deep trees on samples of rows and features",
        parameters: forestParameters, hasRounds: false
    ) { texts, target in
        switch target {
        case .classes: try forestClassifier(texts)
        case .values: try forestRegressor(texts)
        }
    }

    private static let forestParameters: [LearnerParameter] = [
        LearnerParameter(
            "n_estimators", ["trees", "n_trees", "num_trees", "num_iterations"],
            values: "1...100000", standard: "100", meaning: "trees of the forest"),
        LearnerParameter(
            "max_depth", ["depth"], values: "1...10000 or None", standard: "None",
            meaning: "levels below the root"),
        LearnerParameter(
            "max_features", ["feature_fraction_bynode", "colsample_bynode", "mtry"],
            values: "sqrt, log2, all, a count, a share", standard: "sqrt; all for numbers",
            meaning: "features that a node tries"),
        LearnerParameter(
            "min_samples_split", values: "2 or more", standard: "2",
            meaning: "rows that a node must have to be split"),
        LearnerParameter(
            "min_samples_leaf", ["min_data_in_leaf", "min_child_samples"], values: "1 or more",
            standard: "1", meaning: "rows that each side of a split must have"),
        LearnerParameter(
            "bootstrap", values: "true, false", standard: "true",
            meaning: "whether each tree sees a sample drawn with replacement"),
        LearnerParameter(
            "criterion", values: "gini, entropy; squared_error for numbers", standard: "gini",
            meaning: "how a split is judged"),
        LearnerParameter(
            "class_weight", values: "None, balanced, or CLASS:WEIGHT,…", standard: "None",
            meaning: "how much the classes count"),
        .seed,
    ]

    private static func forestClassifier(_ texts: ParameterTexts) throws -> any Learner {
        let criterion = try texts.choice(
            "criterion",
            of: ["gini": ClassificationCriterion.gini, "entropy": .entropy, "log_loss": .entropy])
        return try RandomForestClassifier(
            trees: texts.number("n_estimators") ?? 100, maxDepth: texts.limit("max_depth") ?? nil,
            maxFeatures: texts.maxFeatures("max_features") ?? .sqrt,
            minSamplesSplit: texts.number("min_samples_split") ?? 2,
            minSamplesLeaf: texts.number("min_samples_leaf") ?? 1,
            bootstrap: texts.flag("bootstrap") ?? true, criterion: criterion ?? .gini,
            classWeight: texts.classWeight("class_weight") ?? .equal,
            seed: texts.number("random_state") ?? 0)
    }

    private static func forestRegressor(_ texts: ParameterTexts) throws -> any Learner {
        _ = try texts.choice("criterion", of: ["squared_error": true, "mse": true])
        guard try [nil, .equal].contains(texts.classWeight("class_weight")) else {
            throw texts.refusal(
                "class_weight", texts["class_weight"] ?? "", allowed: "None for a target of numbers"
            )
        }
        return try RandomForestRegressor(
            trees: texts.number("n_estimators") ?? 100, maxDepth: texts.limit("max_depth") ?? nil,
            maxFeatures: texts.maxFeatures("max_features") ?? .all,
            minSamplesSplit: texts.number("min_samples_split") ?? 2,
            minSamplesLeaf: texts.number("min_samples_leaf") ?? 1,
            bootstrap: texts.flag("bootstrap") ?? true, seed: texts.number("random_state") ?? 0)
    }
}
