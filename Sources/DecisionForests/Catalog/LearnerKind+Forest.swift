extension LearnerKind {
    /// Random forests, with scikit-learn's names.
    static let forest = LearnerKind(
        name: "forest", summary: "a random forest: many deep trees on samples of rows and features",
        parameters: forestParameters(bootstrap: true), hasRounds: false
    ) { texts, target in
        switch try ForestRules(texts, target, thresholds: .best) {
        case .classes(let rules): RandomForestClassifier(rules)
        case .values(let rules): RandomForestRegressor(rules)
        }
    }

    /// Extra-trees, with scikit-learn's names.
    static let extra = LearnerKind(
        name: "extra", summary: "extra-trees: a forest whose thresholds are drawn at random",
        parameters: forestParameters(bootstrap: false), hasRounds: false
    ) { texts, target in
        switch try ForestRules(texts, target, thresholds: .random) {
        case .classes(let rules): ExtraTreesClassifier(rules)
        case .values(let rules): ExtraTreesRegressor(rules)
        }
    }

    private static func forestParameters(bootstrap: Bool) -> [LearnerParameter] {
        [
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
                "bootstrap", values: "true, false", standard: bootstrap ? "true" : "false",
                meaning: "whether each tree sees a sample drawn with replacement"),
            LearnerParameter(
                "max_samples", values: "a count, a share",
                standard: "as many as there are", meaning: "rows that the bootstrap draws"),
            LearnerParameter(
                "max_leaf_nodes", ["num_leaves", "max_leaves"], values: "2 or more, or None",
                standard: "None", meaning: "leaves that a tree may have, the best splits first"),
            LearnerParameter(
                "min_impurity_decrease",
                values: "0 or more", standard: "0",
                meaning: "what a split must lower the impurity by, times the node's share"),
            LearnerParameter(
                "criterion", values: "gini, entropy; squared_error for numbers", standard: "gini",
                meaning: "how a split is judged"),
            LearnerParameter(
                "class_weight", values: "None, balanced, or CLASS:WEIGHT,…", standard: "None",
                meaning: "how much the classes count"),
            .seed,
        ]
    }
}

/// What a forest of either kind was told in words.
private enum ForestRules {
    case classes(ForestClassification)
    case values(ForestRegression)

    /// Random forests and extra-trees differ in their thresholds, and in whether rows are drawn
    /// unless told.
    init(
        _ texts: ParameterTexts, _ target: Dataset.Target,
        thresholds: ForestParameters.ThresholdChoice
    ) throws {
        switch target {
        case .classes:
            self = .classes(
                try ForestClassification(
                    forest: Self.forest(texts, thresholds, maxFeatures: .sqrt),
                    criterion: Self.classCriterion(texts),
                    classWeight: texts.classWeight("class_weight") ?? .equal))
        case .values:
            try Self.refuseClassOptions(texts)
            self = .values(
                ForestRegression(forest: try Self.forest(texts, thresholds, maxFeatures: .all)))
        }
    }

    private static func forest(
        _ texts: ParameterTexts, _ thresholds: ForestParameters.ThresholdChoice,
        maxFeatures: MaxFeatures
    ) throws -> ForestParameters {
        try ForestParameters(
            treeCount: texts.number("n_estimators") ?? 100,
            maxDepth: texts.limit("max_depth") ?? nil,
            maxFeatures: texts.maxFeatures("max_features") ?? maxFeatures,
            minSamplesSplit: texts.number("min_samples_split") ?? 2,
            minSamplesLeaf: texts.number("min_samples_leaf") ?? 1,
            bootstrap: texts.flag("bootstrap") ?? (thresholds == .best),
            maxSamples: texts.maxSamples("max_samples"),
            maxLeafNodes: texts.limit("max_leaf_nodes") ?? nil,
            minImpurityDecrease: texts.number("min_impurity_decrease") ?? 0,
            thresholds: thresholds, seed: texts.number("random_state") ?? 0)
    }

    private static func classCriterion(
        _ texts: ParameterTexts
    ) throws -> ClassificationCriterion {
        try texts.choice(
            "criterion",
            of: ["gini": ClassificationCriterion.gini, "entropy": .entropy, "log_loss": .entropy])
            ?? .gini
    }

    /// What only classes have must be left out, or say what holds anyway.
    private static func refuseClassOptions(_ texts: ParameterTexts) throws {
        _ = try texts.choice("criterion", of: ["squared_error": true, "mse": true])
        guard try [nil, .equal].contains(texts.classWeight("class_weight")) else {
            throw texts.refusal(
                "class_weight", texts["class_weight"] ?? "", allowed: "None for a target of numbers"
            )
        }
    }
}

extension ParameterTexts {
    /// A count such as 500, a share such as 0.5 or 1.0, or "None" for all.
    fileprivate func maxSamples(_ name: String) throws(ParameterError) -> MaxSamples? {
        guard let text = texts[name], !["none", "all"].contains(text.lowercased()) else {
            return nil
        }
        if let count = Int(text) { return .count(count) }
        guard let share = Double(text) else {
            throw refusal(name, text, allowed: "a count, a share or None")
        }
        return .share(share)
    }
}
