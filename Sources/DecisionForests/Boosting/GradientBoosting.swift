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
        var continued: TrainedModel?
        var threads = 1
        var course = FitCourse()
    }

    /// Rounds that were grown before this fit.
    private struct Earlier {
        let trees: [Tree]
        let baseScores: [Float]
        /// How many of them an interrupted fit of this very kind had done: those are told again.
        let resumed: Int
    }

    /// The ensemble of this data, and how much each feature's splits gained.
    func fit(
        _ dataset: Dataset, _ circumstances: Circumstances
    ) throws -> (ensemble: TreeEnsemble, importances: [Double]) {
        try check(dataset, circumstances)
        let threads = max(1, circumstances.threads)
        let team = ThreadTeam(size: threads)
        defer { team.end() }
        let data = circumstances.course.bins ?? parameters.binned(dataset, threads: threads)
        circumstances.course.onBinned?()
        let trees: [Tree]
        let baseScores: [Float]
        (trees, baseScores) = try data.bins.withUnsafeBufferPointer { bins in
            guard let columns = bins.baseAddress else { throw TrainingError.noRows }
            let plan = BoosterPlan(
                parameters: parameters, dataset: dataset, data: data, columns: columns,
                kernels: BoosterKernels.of(kernels), team: team)
            let states = RowStates(
                targets: targets, weights: weights, outputCount: objective.outputCount,
                hasHessians: objective.hasHessians || weights != nil, threads: team.size)
            let earlier = earlier(circumstances)
            let booster = Booster(
                plan: plan, states: states, objective: objective, baseScores: earlier?.baseScores)
            let rounds = try grow(booster, circumstances, earlier)
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

    private func earlier(_ circumstances: Circumstances) -> Earlier? {
        if let checkpoint = circumstances.course.earlier {
            return Earlier(
                trees: checkpoint.trees, baseScores: checkpoint.baseScores,
                resumed: checkpoint.trees.count / objective.outputCount)
        }
        return circumstances.continued.map {
            Earlier(trees: Array($0.ensemble.trees), baseScores: $0.ensemble.baseScores, resumed: 0)
        }
    }

    /// Grows round after round; returns how many of them the model keeps.
    ///
    /// Rounds of an earlier fit are gone through like new ones, all but the growing, so that
    /// whatever is derived from rounds (figures, the best one, when to stop) comes out the same.
    private func grow(
        _ booster: Booster, _ circumstances: Circumstances, _ earlier: Earlier?
    ) throws -> Int {
        let validation = circumstances.validation.map {
            ValidationRows(
                $0.dataset, targets: $0.targets, metric: metric, objective: objective,
                baseScores: booster.baseScores, team: booster.plan.team)
        }
        var scorer = earlier.map { _ in TreeScorer(booster.plan.dataset) }
        var keeper = RoundKeeper(
            circumstances.course, treesInRound: objective.outputCount,
            done: (earlier?.trees.count ?? 0) / objective.outputCount)
        for round in 0..<parameters.roundCount {
            let first = round * objective.outputCount
            let places = first..<first + objective.outputCount
            let isNew = places.upperBound > earlier?.trees.count ?? 0
            if let earlier, !isNew, let known = scorer {
                try booster.takeRound(earlier.trees[places], scorer: known)
            } else {
                scorer = nil
                try booster.growRound(round)
            }
            let figure = try validation?.add(booster.trees[places], rounds: round + 1)
            if isNew { try keeper.note(booster, rounds: round + 1) }
            if isNew || round < earlier?.resumed ?? 0, let observer = circumstances.course.observer
            {
                let isAlone = validation == nil
                let metrics = [
                    named("train_", trainingFigure(booster, after: round, isAlone: isAlone)),
                    named("valid_", figure),
                ].compactMap { $0 }
                try observer(
                    FitProgress(
                        done: round + 1, total: parameters.roundCount, metrics: metrics,
                        resumed: earlier?.resumed ?? 0))
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

    private func named(_ prefix: String, _ value: Double?) -> Evaluation.Metric? {
        value.map { Evaluation.Metric(name: prefix + metric.rawValue, value: $0) }
    }

    /// Where nobody asks for the training rows' figure, how often a fit without another one tells
    /// it all the same: a figure takes a good part of what a round takes.
    private static let figuresUnasked = 20

    private func trainingFigure(
        _ booster: Booster, after round: Int, isAlone: Bool
    ) -> Double? {
        let step = max(1, parameters.roundCount / Self.figuresUnasked)
        let isDue = (round + 1) % step == 0 || round + 1 == parameters.roundCount
        guard parameters.judgesTraining || (isAlone && isDue) else { return nil }
        return metric.value(
            scores: booster.states.scores.base, outputCount: objective.outputCount,
            targets: targets, weights: booster.plan.dataset.weights,
            transform: objective.transform, share: objective.leafQuantile ?? 0.5,
            team: booster.plan.team)
    }
}

/// Hands a booster's finished rounds to whoever keeps them.
private struct RoundKeeper {
    /// Rounds between two checkpoints unless told: a second's work or so.
    static let intervalDefault = 10

    private let keep: (@Sendable (FitCheckpoint) throws -> Void)?
    private let interval: Int
    private let treesInRound: Int
    /// Rounds that are kept.
    private var done: Int

    init(_ course: FitCourse, treesInRound: Int, done: Int) {
        (keep, self.treesInRound, self.done) = (course.keep, treesInRound, done)
        interval = max(1, course.interval ?? Self.intervalDefault)
    }

    mutating func note(_ booster: Booster, rounds: Int) throws {
        guard let keep, rounds % interval == 0 else { return }
        let first = done * treesInRound
        done = rounds
        try keep(
            FitCheckpoint(
                first: first, trees: Array(booster.trees[first...]),
                baseScores: booster.baseScores))
    }
}

/// A learner that boosts, and so goes on from rounds.
package protocol BoostingLearner: ResumableLearner {
    /// How trees are grown and added.
    var boosting: BoosterParameters { get }
}

extension BoosterParameters {
    /// The data in the bins that a booster of these parameters grows from.
    package func binned(_ dataset: Dataset, threads: Int) -> BinnedDataset {
        BinnedDataset(
            dataset,
            binner: FeatureBinner(
                dataset, seed: seed, threads: threads, valueBins: valueBinsMax), threads: threads)
    }
}
