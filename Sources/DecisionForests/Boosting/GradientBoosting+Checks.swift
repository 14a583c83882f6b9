extension GradientBoosting {
    /// Throws for what cannot be learned from, judged by or gone on with.
    func check(_ dataset: Dataset, _ circumstances: Circumstances) throws {
        guard dataset.rowCount > 0 else { throw TrainingError.noRows }
        if let weights, weights.allSatisfy({ $0 == 0 }) { throw TrainingError.noWeight }
        guard parameters.monotone.isEmpty || parameters.monotone.count == dataset.featureCount
        else {
            throw ParameterError(
                "monotone_constraints", "a list of \(parameters.monotone.count)",
                allowed: "a number for each of the \(dataset.featureCount) features")
        }
        for (feature, direction) in parameters.monotone.enumerated()
        where direction != 0 && dataset.featureKinds[feature].levels != nil {
            throw ParameterError(
                "monotone_constraints", "\(direction)",
                allowed: "0 for the categorical feature '\(dataset.featureNames[feature])'")
        }
        if let validation = circumstances.validation?.dataset {
            guard validation.rowCount > 0 else { throw TrainingError.noValidationRows }
            try check(validation, like: dataset)
        } else if parameters.earlyStoppingRounds != nil {
            throw TrainingError.noValidationRows
        }
        if let model = circumstances.continued { try check(model, continuedOn: dataset) }
        try check(circumstances.course, on: dataset)
    }

    private func check(_ course: FitCourse, on dataset: Dataset) throws {
        if let bins = course.bins {
            guard bins.rowCount == dataset.rowCount, bins.featureNames == dataset.featureNames,
                bins.featureKinds == dataset.featureKinds
            else { throw TrainingError.cannotResume("its bins are of other rows or columns") }
        }
        guard let earlier = course.earlier else { return }
        guard earlier.baseScores.count == objective.outputCount else {
            throw TrainingError.cannotResume(
                "\(earlier.baseScores.count) base scores for \(objective.outputCount) outputs")
        }
        try earlier.check(
            featureCount: dataset.featureCount, outputCount: objective.outputCount, leafWidth: 1,
            treeCountMax: parameters.roundCount * objective.outputCount)
        guard earlier.trees.allSatisfy({ $0.projections.count == 0 }) else {
            throw TrainingError.cannotResume("its trees add features up")
        }
    }

    private func check(_ validation: Dataset, like dataset: Dataset) throws(TrainingError) {
        guard validation.featureNames == dataset.featureNames else {
            throw .validationDiffers("their columns have other names or another order")
        }
        guard validation.featureKinds == dataset.featureKinds else {
            throw .validationDiffers("their columns are of other kinds, or have other levels")
        }
    }

    private func check(
        _ model: TrainedModel, continuedOn dataset: Dataset
    ) throws(TrainingError) {
        let ensemble = model.ensemble
        guard model.featureNames == dataset.featureNames,
            model.featureKinds == dataset.featureKinds
        else { throw .cannotContinue("its columns are not those of the data") }
        guard ensemble.aggregation == .sum, ensemble.linear == nil, ensemble.leafWidth == 1,
            ensemble.outputCount == objective.outputCount,
            ensemble.transform == objective.transform
        else { throw .cannotContinue("it was not boosted for this objective") }
        guard ensemble.trees.count <= parameters.roundCount * objective.outputCount else {
            throw .cannotContinue(
                "it has \(ensemble.trees.count / objective.outputCount) rounds already, "
                    + "num_iterations is \(parameters.roundCount)")
        }
    }
}
