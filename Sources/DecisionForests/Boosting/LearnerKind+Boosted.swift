extension LearnerKind {
    /// Gradient boosting, with LightGBM's names and those that other libraries use for the same.
    static let boosted = LearnerKind(
        name: "boosted", summary: "gradient boosting: small trees, each correcting those before it",
        parameters: boostingParameters, hasRounds: true
    ) { texts, target in
        let boosting = try texts.boosting()
        let metric = try texts.metric()
        switch target {
        case .classes:
            _ = try texts.choice(
                "objective",
                of: ["binary": true, "multiclass": true, "softmax": true, "log_loss": true])
            try texts.refuseAlpha("a target of classes")
            return try GradientBoostingClassifier(
                boosting, classWeight: texts.classWeight("class_weight") ?? .equal, metric: metric)
        case .values:
            guard try [nil, .equal].contains(texts.classWeight("class_weight")) else {
                throw texts.refusal(
                    "class_weight", texts["class_weight"] ?? "",
                    allowed: "None for a target of numbers")
            }
            return try GradientBoostingRegressor(
                boosting, objective: texts.regressionObjective(), metric: metric)
        }
    }

    private static let boostingParameters: [LearnerParameter] = {
        guard let standard = try? BoosterParameters() else { return [] }
        let shared = ParameterName.table.map { entry in
            entry.name == "seed"
                ? LearnerParameter.seed
                : LearnerParameter(
                    entry.name, entry.lightGBM + entry.xgboost + entry.scikitLearn,
                    values: entry.values, standard: entry.read(standard), meaning: entry.meaning)
        }
        return shared + own
    }()

    /// What `BoosterParameters` does not hold.
    private static var own: [LearnerParameter] {
        [
            LearnerParameter(
                "objective", ["loss", "application"],
                values: "squared_error, absolute_error, huber, quantile, poisson; for classes "
                    + "binary, multiclass",
                standard: "squared_error; log loss for classes", meaning: "what is minimised"),
            LearnerParameter(
                "alpha", ["quantile", "huber_delta"], values: "0...1; any width for huber",
                standard: "0.9", meaning: "the quantile, or huber's width"),
            LearnerParameter(
                "metric", ["eval_metric", "scoring"],
                values: BoosterMetric.allCases.map(\.rawValue).joined(separator: ", "),
                standard: "the objective's own", meaning: "what validation rows are judged by"),
            LearnerParameter(
                "class_weight", values: "None, balanced, or CLASS:WEIGHT,…", standard: "None",
                meaning: "how much the classes count"),
        ]
    }

    fileprivate static let ownNames = Set(own.map(\.name))
}

extension ParameterTexts {
    /// By the names that were given, for some say more than the parameter's own: `subsample` also
    /// draws anew each round, and `gamma` is half of a gain.
    fileprivate func boosting() throws -> BoosterParameters {
        var names: [String: String] = [:]
        for (name, text) in given {
            let parameter = try LearnerKind.boosted.parameter(named: name)
            if LearnerKind.ownNames.contains(parameter.name) { continue }
            names[LearnerKind.plain(name)] = text
        }
        let boosting = try BoosterParameters(named: names)
        if boosting.rowShare < 1, boosting.rowShareRounds == 0, self["bagging_freq"] == nil {
            // LightGBM would take all rows without a word.
            throw refusal(
                "bagging_fraction", "\(boosting.rowShare)",
                allowed: "given with bagging_freq=1, or as subsample, which draws every round")
        }
        return boosting
    }

    /// `alpha` is LightGBM's quantile and XGBoost's L1 penalty; where it cannot be the former, the
    /// latter may be meant.
    fileprivate func refuseAlpha(_ place: String) throws(ParameterError) {
        guard let text = self["alpha"] else { return }
        throw refusal(
            "alpha", text,
            allowed: "left out for \(place); XGBoost's alpha is lambda_l1 (reg_alpha) here")
    }

    fileprivate func metric() throws(ParameterError) -> BoosterMetric? {
        guard let text = self["metric"] else { return nil }
        guard let metric = BoosterMetric(named: text.lowercased()) else {
            throw refusal(
                "metric", text,
                allowed: "one of " + BoosterMetric.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return metric
    }

    fileprivate func regressionObjective() throws(ParameterError) -> RegressionObjective {
        let alpha: Double = try number("alpha") ?? 0.9
        let objective: RegressionObjective =
            try choice(
                "objective",
                of: [
                    "squared_error": RegressionObjective.squared, "regression": .squared,
                    "l2": .squared, "mse": .squared, "rmse": .squared, "reg:squarederror": .squared,
                    "absolute_error": .absolute, "regression_l1": .absolute, "l1": .absolute,
                    "mae": .absolute, "reg:absoluteerror": .absolute,
                    "huber": .huber(width: alpha), "quantile": .quantile(alpha),
                    "reg:quantileerror": .quantile(alpha), "poisson": .poisson,
                    "count:poisson": .poisson,
                ]) ?? .squared
        switch objective {
        case .huber, .quantile: break
        default: try refuseAlpha("objective \(objective)")
        }
        return objective
    }
}
