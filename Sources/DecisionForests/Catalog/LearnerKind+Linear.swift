extension LearnerKind {
    /// Linear models, with scikit-learn's names.
    static let linear = LearnerKind(
        name: "linear",
        summary: "a weighted sum of the features: logistic regression, or ridge for numbers",
        parameters: linearParameters, hasRounds: false
    ) { texts, target in
        switch target {
        case .classes:
            try refuse(["alpha"], texts, allowed: "left out for a target of classes; set C")
            return try LogisticRegression(
                inversePenalty: texts.number("C") ?? 1, tolerance: texts.number("tol") ?? 1e-6,
                iterationsMax: texts.number("max_iter") ?? 1_000,
                classWeight: texts.classWeight("class_weight") ?? .equal)
        case .values:
            try refuse(
                ["C", "tol", "max_iter", "class_weight"], texts,
                allowed: "left out for a target of numbers, which has alpha only")
            return try RidgeRegression(alpha: texts.number("alpha") ?? 1)
        }
    }.fittedAtOnce

    private static let linearParameters: [LearnerParameter] = [
        LearnerParameter(
            "C", ["inverse_penalty"], values: "1e-9...1e9; classes only", standard: "1",
            meaning: "weight of the loss against the penalty on the coefficients' squares"),
        LearnerParameter(
            "tol", ["tolerance"], values: "1e-12...1; classes only", standard: "1e-6",
            meaning: "greatest derivative at which the solver stops"),
        LearnerParameter(
            "max_iter", ["iterations"], values: "1...1000000; classes only", standard: "1000",
            meaning: "steps of the solver at most"),
        LearnerParameter(
            "class_weight", values: "None, balanced, or CLASS:WEIGHT,…; classes only",
            standard: "None", meaning: "how much the classes count"),
        LearnerParameter(
            "alpha", ["l2_regularization", "reg_lambda"], values: "0...1e12; numbers only",
            standard: "1", meaning: "weight of the penalty on the coefficients' squares"),
    ]

    /// Throws for the first of these parameters that is given.
    private static func refuse(
        _ names: [String], _ texts: ParameterTexts, allowed: String
    ) throws(ParameterError) {
        for name in names {
            if let text = texts[name] { throw texts.refusal(name, text, allowed: allowed) }
        }
    }
}
