extension LearnerKind {
    /// Random forests, with scikit-learn's names.
    static let forest = LearnerKind(
        name: "forest", summary: "a random forest: many deep trees on samples of rows and features",
        parameters: forestParameters(bootstrap: true), hasRounds: false
    ) { texts, target in
        let options = try ForestOptions(texts)
        switch target {
        case .classes:
            return try RandomForestClassifier(
                trees: options.trees, maxDepth: options.maxDepth,
                maxFeatures: options.maxFeatures ?? .sqrt,
                minSamplesSplit: options.minSamplesSplit, minSamplesLeaf: options.minSamplesLeaf,
                bootstrap: options.bootstrap ?? true, maxSamples: options.maxSamples,
                maxLeafNodes: options.maxLeafNodes,
                minImpurityDecrease: options.minImpurityDecrease,
                criterion: classCriterion(texts),
                classWeight: texts.classWeight("class_weight") ?? .equal, seed: options.seed)
        case .values:
            try refuseClassOptions(texts)
            return try RandomForestRegressor(
                trees: options.trees, maxDepth: options.maxDepth,
                maxFeatures: options.maxFeatures ?? .all,
                minSamplesSplit: options.minSamplesSplit, minSamplesLeaf: options.minSamplesLeaf,
                bootstrap: options.bootstrap ?? true, maxSamples: options.maxSamples,
                maxLeafNodes: options.maxLeafNodes,
                minImpurityDecrease: options.minImpurityDecrease, seed: options.seed)
        }
    }

    /// Extra-trees, with scikit-learn's names.
    static let extra = LearnerKind(
        name: "extra", summary: "extra-trees: a forest whose thresholds are drawn at random",
        parameters: forestParameters(bootstrap: false), hasRounds: false
    ) { texts, target in
        let options = try ForestOptions(texts)
        switch target {
        case .classes:
            return try ExtraTreesClassifier(
                trees: options.trees, maxDepth: options.maxDepth,
                maxFeatures: options.maxFeatures ?? .sqrt,
                minSamplesSplit: options.minSamplesSplit, minSamplesLeaf: options.minSamplesLeaf,
                bootstrap: options.bootstrap ?? false, maxSamples: options.maxSamples,
                maxLeafNodes: options.maxLeafNodes,
                minImpurityDecrease: options.minImpurityDecrease,
                criterion: classCriterion(texts),
                classWeight: texts.classWeight("class_weight") ?? .equal, seed: options.seed)
        case .values:
            try refuseClassOptions(texts)
            return try ExtraTreesRegressor(
                trees: options.trees, maxDepth: options.maxDepth,
                maxFeatures: options.maxFeatures ?? .all,
                minSamplesSplit: options.minSamplesSplit, minSamplesLeaf: options.minSamplesLeaf,
                bootstrap: options.bootstrap ?? false, maxSamples: options.maxSamples,
                maxLeafNodes: options.maxLeafNodes,
                minImpurityDecrease: options.minImpurityDecrease, seed: options.seed)
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

/// What all forests can be told in words.
private struct ForestOptions {
    let trees: Int
    let maxDepth: Int?
    let maxFeatures: MaxFeatures?
    let minSamplesSplit: Int
    let minSamplesLeaf: Int
    let bootstrap: Bool?
    let maxSamples: MaxSamples?
    let maxLeafNodes: Int?
    let minImpurityDecrease: Double
    let seed: UInt64

    init(_ texts: ParameterTexts) throws(ParameterError) {
        trees = try texts.number("n_estimators") ?? 100
        maxDepth = try texts.limit("max_depth") ?? nil
        maxFeatures = try texts.maxFeatures("max_features")
        minSamplesSplit = try texts.number("min_samples_split") ?? 2
        minSamplesLeaf = try texts.number("min_samples_leaf") ?? 1
        bootstrap = try texts.flag("bootstrap")
        maxSamples = try texts.maxSamples("max_samples")
        maxLeafNodes = try texts.limit("max_leaf_nodes") ?? nil
        minImpurityDecrease = try texts.number("min_impurity_decrease") ?? 0
        seed = try texts.number("random_state") ?? 0
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
