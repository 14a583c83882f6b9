extension LearnerKind {
    /// Oblique forests, with scikit-learn's names for trees and Yggdrasil's for projections.
    static let oblique = LearnerKind(
        name: "oblique",
        summary: "a forest whose nodes compare sums of a few features, for slanted boundaries",
        parameters: obliqueParameters, hasRounds: false
    ) { texts, target in
        switch target {
        case .classes: try obliqueClassifier(texts)
        case .values: try obliqueRegressor(texts)
        }
    }

    private static let obliqueParameters: [LearnerParameter] = [
        LearnerParameter(
            "n_estimators", ["trees", "n_trees", "num_trees"], values: "1...100000",
            standard: "100", meaning: "trees of the forest"),
        LearnerParameter(
            "max_depth", ["depth"], values: "1...10000 or None", standard: "None",
            meaning: "levels below the root"),
        LearnerParameter(
            "min_samples_split", values: "2 or more", standard: "2",
            meaning: "rows that a node must have to be split"),
        LearnerParameter(
            "min_samples_leaf", ["min_examples", "min_data_in_leaf"], values: "1 or more",
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
        LearnerParameter(
            "projection_density_factor", ["sparse_oblique_projection_density_factor"],
            values: "0.01...1000000", standard: "2",
            meaning: "features of a projection on average"),
        LearnerParameter(
            "num_projections_exponent", ["sparse_oblique_num_projections_exponent"],
            values: "0...3", standard: "1",
            meaning: "a node tries (number of features) to this power"),
        LearnerParameter(
            "max_num_projections", ["sparse_oblique_max_num_projections"], values: "1...100000",
            standard: "6000", meaning: "projections that a node tries at most"),
        LearnerParameter(
            "projection_weights", ["sparse_oblique_weights"], values: "binary, continuous",
            standard: "binary", meaning: "features' weights: -1 or 1, or anything between"),
        LearnerParameter(
            "projection_normalization", ["sparse_oblique_normalization"],
            values: "none, standard_deviation, min_max", standard: "standard_deviation",
            meaning: "what makes features of different units alike"),
        .seed,
    ]

    private static func projections(_ texts: ParameterTexts) throws -> ProjectionParameters {
        try ProjectionParameters(
            densityFactor: texts.number("projection_density_factor") ?? 2,
            exponent: texts.number("num_projections_exponent") ?? 1,
            countMax: texts.number("max_num_projections") ?? 6_000,
            weights: texts.choice(
                "projection_weights",
                of: ["binary": ProjectionParameters.Weights.binary, "continuous": .continuous])
                ?? .binary,
            normalization: texts.choice(
                "projection_normalization",
                of: [
                    "none": ProjectionParameters.Normalization.none,
                    "standard_deviation": .standardDeviation, "min_max": .minMax,
                ]) ?? .standardDeviation)
    }

    private static func obliqueClassifier(_ texts: ParameterTexts) throws -> any Learner {
        let criterion = try texts.choice(
            "criterion",
            of: ["gini": ClassificationCriterion.gini, "entropy": .entropy, "log_loss": .entropy])
        return try ObliqueForestClassifier(
            trees: texts.number("n_estimators") ?? 100, maxDepth: texts.limit("max_depth") ?? nil,
            minSamplesSplit: texts.number("min_samples_split") ?? 2,
            minSamplesLeaf: texts.number("min_samples_leaf") ?? 1,
            bootstrap: texts.flag("bootstrap") ?? true, projections: projections(texts),
            criterion: criterion ?? .gini, classWeight: texts.classWeight("class_weight") ?? .equal,
            seed: texts.number("random_state") ?? 0)
    }

    private static func obliqueRegressor(_ texts: ParameterTexts) throws -> any Learner {
        _ = try texts.choice("criterion", of: ["squared_error": true, "mse": true])
        guard try [nil, .equal].contains(texts.classWeight("class_weight")) else {
            throw texts.refusal(
                "class_weight", texts["class_weight"] ?? "", allowed: "None for a target of numbers"
            )
        }
        return try ObliqueForestRegressor(
            trees: texts.number("n_estimators") ?? 100, maxDepth: texts.limit("max_depth") ?? nil,
            minSamplesSplit: texts.number("min_samples_split") ?? 2,
            minSamplesLeaf: texts.number("min_samples_leaf") ?? 1,
            bootstrap: texts.flag("bootstrap") ?? true, projections: projections(texts),
            seed: texts.number("random_state") ?? 0)
    }
}
