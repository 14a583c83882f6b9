extension LearnerKind {
    /// Gradient boosting, with LightGBM's names and those that other libraries use for the same.
    static let boosted = LearnerKind(
        name: "boosted", summary: "gradient boosting: small trees, each correcting those before it",
        parameters: boostingParameters, hasRounds: true
    ) { texts, target in
        var names = texts.texts
        for own in ["objective", "alpha", "class_weight", "metric"] { names[own] = nil }
        let boosting = try BoosterParameters(named: names)
        let metric = try texts.metric()
        switch target {
        case .classes:
            _ = try texts.choice(
                "objective",
                of: ["binary": true, "multiclass": true, "softmax": true, "log_loss": true])
            guard texts["alpha"] == nil else {
                throw texts.refusal(
                    "alpha", texts["alpha"] ?? "", allowed: "left out for a target of classes")
            }
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
        let own = ParameterName.table.map { entry in
            entry.name == "seed"
                ? LearnerParameter.seed
                : LearnerParameter(
                    entry.name, entry.lightGBM + entry.xgboost + entry.scikitLearn,
                    values: entry.values, standard: entry.read(standard), meaning: entry.meaning)
        }
        return own + [
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
    }()
}

extension ParameterTexts {
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
        return try choice(
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
    }
}
