/// Fits boosted ensembles for the learners: from a data set to a model.
struct GradientBoosting {
    let parameters: BoosterParameters
    let objective: any Objective
    let metric: BoosterMetric
    /// Per row, the class's number or the value.
    let targets: [Float]
    let weights: [Float]?
    /// Of the build of the hot loops to use.
    var kernels = KernelChoice.current

    /// What a fit starts from and is judged by.
    struct Circumstances {
        var validation: (dataset: Dataset, targets: [Float])?
        /// A model whose trees come first.
        var earlier: TrainedModel?
        var threads = 1
        var observer: FitObserver?
    }

    /// The ensemble of this data, and how much each feature's splits gained.
    func fit(
        _ dataset: Dataset, _ circumstances: Circumstances
    ) throws -> (ensemble: TreeEnsemble, importances: [Double]) {
        try check(dataset, circumstances)
        let team = ThreadTeam(size: max(1, circumstances.threads))
        defer { team.end() }
        let threads = max(1, circumstances.threads)
        let data = BinnedDataset(
            dataset,
            binner: FeatureBinner(
                dataset, seed: parameters.seed, threads: threads, valueBins: parameters.binCountMax
            ), threads: threads)
        let trees: [Tree]
        let baseScores: [Float]
        (trees, baseScores) = try data.bins.withUnsafeBufferPointer { bins in
            guard let columns = bins.baseAddress else { throw TrainingError.noRows }
            let plan = BoosterPlan(
                parameters: parameters, dataset: dataset, data: data, columns: columns,
                kernels: BoosterKernels.of(kernels), team: team)
            let states = RowStates(
                targets: targets, weights: weights, outputCount: objective.outputCount,
                hasHessians: objective.hasHessians || weights != nil)
            let booster = try Booster(
                plan: plan, states: states, objective: objective,
                earlier: circumstances.earlier?.ensemble)
            let rounds = try grow(booster, circumstances)
            return (
                Array(booster.trees.prefix(rounds * objective.outputCount)), booster.baseScores
            )
        }
        let (kept, importances) = GainImportances.take(
            from: trees, featureCount: dataset.featureCount)
        let ensemble = TreeEnsemble(
            featureCount: dataset.featureCount, outputCount: objective.outputCount, leafWidth: 1,
            trees: kept, aggregation: .sum, baseScores: baseScores, transform: objective.transform)
        return (ensemble, importances)
    }

    /// Grows round after round; returns how many of them the model keeps.
    private func grow(_ booster: Booster, _ circumstances: Circumstances) throws -> Int {
        let validation = circumstances.validation.map {
            ValidationRows(
                $0.dataset, targets: $0.targets, metric: metric, objective: objective,
                baseScores: booster.baseScores)
        }
        for round in 0..<parameters.roundCount {
            let first = round * objective.outputCount
            let isGrown = first < booster.trees.count
            if !isGrown { try booster.growRound(round) }
            let figure = try validation?.add(
                booster.trees[first..<first + objective.outputCount], rounds: round + 1)
            if !isGrown {
                try circumstances.observer?(
                    FitProgress(
                        done: round + 1, total: parameters.roundCount,
                        metrics: figure.map {
                            [Evaluation.Metric(name: "validation_\(metric.rawValue)", value: $0)]
                        } ?? []))
            }
            if let patience = parameters.earlyStoppingRounds, let validation,
                validation.hasWaited(patience, rounds: round + 1)
            {
                break
            }
        }
        let isStopping = parameters.earlyStoppingRounds != nil
        return isStopping
            ? validation?.best?.rounds ?? parameters.roundCount : parameters.roundCount
    }

    private func check(_ dataset: Dataset, _ circumstances: Circumstances) throws {
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
        if let earlier = circumstances.earlier { try check(earlier, continuedOn: dataset) }
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
