/// The names by which a booster's parameters are known: LightGBM's own first, then its aliases and
/// what XGBoost and scikit-learn call the same.
///
/// One table serves reading (`BoosterParameters(named:)`), writing (`list`), sending (`Codable`),
/// and what `LearnerKind.boosted` tells of its parameters.
struct ParameterName: Sendable {
    /// LightGBM's name.
    let name: String
    /// Other names that LightGBM takes.
    let lightGBM: [String]
    /// XGBoost's names.
    let xgboost: [String]
    /// The names of scikit-learn's `HistGradientBoosting…` and `GradientBoosting…`, and short ones.
    let scikitLearn: [String]
    /// What may be given.
    let values: String
    /// One phrase that says what it does.
    let meaning: String

    let read: @Sendable (BoosterParameters) -> String
    let write: @Sendable (inout BoosterParameters, Text) throws(ParameterError) -> Void

    /// A value as it was given, and by which name.
    struct Text {
        let name: String
        let text: String
    }

    /// All names of this parameter.
    var all: [String] { [name] + lightGBM + xgboost + scikitLearn }

    /// The name of what changes nothing in a model.
    static let judgesTraining = "is_provide_training_metric"
    /// XGBoost's form of `min_gain_to_split`.
    static let halfGain = "gamma"

    /// All parameters, in the order in which they are listed.
    static let table: [ParameterName] = growth + penalties + sampling + categories + rest

    init(
        _ name: String, lightGBM: [String] = [], xgboost: [String] = [],
        scikitLearn: [String] = [], values: String, meaning: String,
        read: @escaping @Sendable (BoosterParameters) -> String,
        write: @escaping @Sendable (inout BoosterParameters, Text) throws(ParameterError) -> Void
    ) {
        (self.name, self.lightGBM, self.xgboost) = (name, lightGBM, xgboost)
        (self.scikitLearn, self.values, self.meaning) = (scikitLearn, values, meaning)
        (self.read, self.write) = (read, write)
    }

    private static let growth: [ParameterName] = [
        ParameterName(
            "num_iterations",
            lightGBM: [
                "num_iteration", "n_iter", "num_tree", "num_trees", "num_round", "num_rounds",
                "nrounds", "num_boost_round", "trees", "rounds",
            ],
            xgboost: ["n_estimators"], scikitLearn: ["max_iter"],
            values: "1...100000",
            meaning: "rounds, each with a tree per output",
            read: { "\($0.roundCount)" },
            write: { p, t throws(ParameterError) in p.roundCount = try t.integer() }),
        ParameterName(
            "learning_rate", lightGBM: ["shrinkage_rate"], xgboost: ["eta"],
            values: "0.000001...10",
            meaning: "what each tree's values are multiplied with",
            read: { "\($0.learningRate)" },
            write: { p, t throws(ParameterError) in p.learningRate = try t.number() }),
        ParameterName(
            "num_leaves", lightGBM: ["num_leaf"], xgboost: ["max_leaves"],
            scikitLearn: ["max_leaf_nodes", "max_leaf", "leaves"],
            values: "2...65536",
            meaning: "leaves of a tree at most",
            read: { "\($0.leafCountMax)" },
            write: { p, t throws(ParameterError) in p.leafCountMax = try t.integer() }),
        ParameterName(
            "max_depth", scikitLearn: ["depth"],
            values: "1...10000, or -1 for no limit",
            meaning: "levels below the root",
            read: { $0.maxDepth.map { "\($0)" } ?? "-1" },
            write: { p, t throws(ParameterError) in p.maxDepth = try t.optionalInteger() }),
        ParameterName(
            "grow_policy", values: "leafwise (lossguide), depthwise",
            meaning: "whether the greatest gain or the highest level is split next",
            read: { $0.growth.rawValue },
            write: { p, t throws(ParameterError) in p.growth = try t.growth() }),
        ParameterName(
            "min_data_in_leaf",
            lightGBM: ["min_data_per_leaf", "min_data", "min_child_samples"],
            scikitLearn: ["min_samples_leaf"],
            values: "0 or more",
            meaning: "rows that each side of a split must have",
            read: { "\($0.minRowsInLeaf)" },
            write: { p, t throws(ParameterError) in p.minRowsInLeaf = try t.integer() }),
        ParameterName(
            "min_sum_hessian_in_leaf",
            lightGBM: ["min_sum_hessian_per_leaf", "min_sum_hessian", "min_hessian"],
            xgboost: ["min_child_weight"],
            values: "0 or more",
            meaning: "hessian that each side of a split must have",
            read: { "\($0.minHessianInLeaf)" },
            write: { p, t throws(ParameterError) in p.minHessianInLeaf = try t.number() }),
    ]

    private static let penalties: [ParameterName] = [
        ParameterName(
            "min_gain_to_split", lightGBM: ["min_split_gain"],
            values: "0 or more",
            meaning: "gain that a split must exceed",
            read: { "\($0.minGain)" },
            write: { p, t throws(ParameterError) in p.minGain = try t.number() }),
        // XGBoost's gain is half of LightGBM's.
        ParameterName(
            halfGain, xgboost: ["min_split_loss"],
            values: "0 or more",
            meaning: "XGBoost's form of min_gain_to_split, half of it",
            read: { "\($0.minGain / 2)" },
            write: { p, t throws(ParameterError) in p.minGain = try 2 * t.number() }),
        ParameterName(
            "lambda_l1", lightGBM: ["l1_regularization"], xgboost: ["reg_alpha"],
            values: "0 or more",
            meaning: "L1 penalty on leaf values",
            read: { "\($0.lambdaL1)" },
            write: { p, t throws(ParameterError) in p.lambdaL1 = try t.number() }),
        ParameterName(
            "lambda_l2", xgboost: ["reg_lambda", "lambda"], scikitLearn: ["l2_regularization"],
            values: "0 or more",
            meaning: "L2 penalty on leaf values",
            read: { "\($0.lambdaL2)" },
            write: { p, t throws(ParameterError) in p.lambdaL2 = try t.number() }),
    ]

    private static let sampling: [ParameterName] = [
        ParameterName(
            "bagging_fraction", lightGBM: ["sub_row", "bagging"], xgboost: ["subsample"],
            values: "0.000001...1",
            meaning: "share of the rows that a tree sees",
            read: { "\($0.rowShare)" },
            write: { p, t throws(ParameterError) in
                p.rowShare = try t.number()
                // XGBoost and scikit-learn draw every round.
                if t.name == "subsample", p.rowShare < 1, p.rowShareRounds == 0 {
                    p.rowShareRounds = 1
                }
            }),
        ParameterName(
            "bagging_freq", lightGBM: ["subsample_freq"],
            values: "0 or more",
            meaning: "rounds after which those rows are drawn again; 0 for all rows",
            read: { "\($0.rowShareRounds)" },
            write: { p, t throws(ParameterError) in p.rowShareRounds = try t.integer() }),
        ParameterName(
            "feature_fraction", lightGBM: ["sub_feature"], xgboost: ["colsample_bytree"],
            values: "0.000001...1",
            meaning: "share of the features that a tree sees",
            read: { "\($0.featureShare)" },
            write: { p, t throws(ParameterError) in p.featureShare = try t.number() }),
        ParameterName(
            "colsample_bylevel", scikitLearn: ["feature_fraction_bylevel"],
            values: "0.000001...1",
            meaning: "share of the tree's features that the nodes of one depth see",
            read: { "\($0.featureShareByLevel)" },
            write: { p, t throws(ParameterError) in p.featureShareByLevel = try t.number() }),
        ParameterName(
            "feature_fraction_bynode", lightGBM: ["sub_feature_bynode"],
            xgboost: ["colsample_bynode"], scikitLearn: ["max_features"],
            values: "0.000001...1",
            meaning: "share of its level's features that a node sees",
            read: { "\($0.featureShareByNode)" },
            write: { p, t throws(ParameterError) in p.featureShareByNode = try t.number() }),
        ParameterName(
            "max_bin", lightGBM: ["max_bins"],
            values: "3...256",
            meaning: "bins of a feature, one of them for missing values",
            read: { "\($0.binCountMax)" },
            write: { p, t throws(ParameterError) in p.binCountMax = try t.integer() }),
    ]

    private static let categories: [ParameterName] = [
        ParameterName(
            "max_cat_threshold", values: "1...255",
            meaning: "categories on the smaller side of a split at most",
            read: { "\($0.categoriesInSplitMax)" },
            write: { p, t throws(ParameterError) in p.categoriesInSplitMax = try t.integer() }),
        ParameterName(
            "cat_l2", values: "0 or more",
            meaning: "L2 penalty added for categorical splits",
            read: { "\($0.categoryL2)" },
            write: { p, t throws(ParameterError) in p.categoryL2 = try t.number() }),
        ParameterName(
            "cat_smooth", values: "0 or more",
            meaning: "smooths the order of categories with few rows",
            read: { "\($0.categorySmoothing)" },
            write: { p, t throws(ParameterError) in p.categorySmoothing = try t.number() }),
        ParameterName(
            "max_cat_to_onehot", values: "1...255",
            meaning: "categories up to which one is split from the others",
            read: { "\($0.oneHotCategoriesMax)" },
            write: { p, t throws(ParameterError) in p.oneHotCategoriesMax = try t.integer() }),
        ParameterName(
            "min_data_per_group", values: "1 or more",
            meaning: "rows that a group of categories must have",
            read: { "\($0.minRowsInCategoryGroup)" },
            write: { p, t throws(ParameterError) in p.minRowsInCategoryGroup = try t.integer() }),
    ]

    private static let rest: [ParameterName] = [
        ParameterName(
            "monotone_constraints", lightGBM: ["mc", "monotone_constraint"],
            scikitLearn: ["monotonic_cst"],
            values: "a list of -1, 0 and 1, one for each feature",
            meaning: "whether scores must fall or grow with a feature",
            read: { $0.monotone.map { "\($0)" }.joined(separator: ",") },
            write: { p, t throws(ParameterError) in p.monotone = try t.integers() }),
        ParameterName(
            "early_stopping_round",
            lightGBM: ["early_stopping_rounds", "early_stopping"],
            scikitLearn: ["n_iter_no_change"],
            values: "1 or more, 0 for never",
            meaning: "rounds without a better figure on the validation rows that end a fit",
            read: { $0.earlyStoppingRounds.map { "\($0)" } ?? "0" },
            write: { p, t throws(ParameterError) in
                p.earlyStoppingRounds = try t.optionalInteger()
            }),
        ParameterName(
            judgesTraining,
            lightGBM: ["training_metric", "is_training_metric", "train_metric"],
            scikitLearn: ["train_metrics"],
            values: "true, false",
            meaning: "whether each round's figures tell of the training rows too",
            read: { $0.judgesTraining ? "true" : "false" },
            write: { p, t throws(ParameterError) in p.judgesTraining = try t.truth() }),
        ParameterName(
            "boost_from_average", values: "true, false",
            meaning: "whether scores start from the target's average",
            read: { $0.startsFromAverage ? "true" : "false" },
            write: { p, t throws(ParameterError) in p.startsFromAverage = try t.truth() }),
        ParameterName(
            "seed", lightGBM: ["random_seed"], xgboost: ["random_state"],
            values: "0...2^64 - 1",
            meaning: "decides every chance",
            read: { "\($0.seed)" },
            write: { p, t throws(ParameterError) in p.seed = try t.unsigned() }),
    ]
}

extension ParameterName.Text {
    private func error(_ allowed: String) -> ParameterError {
        ParameterError(name, String(text.prefix(80)), allowed: allowed)
    }

    func integer() throws(ParameterError) -> Int {
        guard let value = Int(text) else { throw error("a whole number") }
        return value
    }

    /// nil for "None", an empty text, and numbers below 1, which LightGBM takes for no limit.
    func optionalInteger() throws(ParameterError) -> Int? {
        if ["", "none", "null", "nil"].contains(text.lowercased()) { return nil }
        let value = try integer()
        return value < 1 ? nil : value
    }

    func unsigned() throws(ParameterError) -> UInt64 {
        guard let value = UInt64(text) else { throw error("a whole number, 0 or greater") }
        return value
    }

    func number() throws(ParameterError) -> Double {
        guard let value = Double(text), value.isFinite else { throw error("a number") }
        return value
    }

    func truth() throws(ParameterError) -> Bool {
        switch text.lowercased() {
        case "true", "1": return true
        case "false", "0": return false
        default: throw error("true or false")
        }
    }

    func integers() throws(ParameterError) -> [Int] {
        let parts = text.split { "[](), ".contains($0) }
        return try parts.map { part throws(ParameterError) in
            guard let value = Int(part) else { throw error("a list of whole numbers") }
            return value
        }
    }

    func growth() throws(ParameterError) -> TreeGrowth {
        switch text.lowercased() {
        case "leafwise", "lossguide": return .leafWise
        case "depthwise": return .depthWise
        default: throw error("leafwise (lossguide) or depthwise")
        }
    }
}
