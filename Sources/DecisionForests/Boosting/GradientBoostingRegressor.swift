/// Gradient boosting of regression trees.
public struct GradientBoostingRegressor: Learner, Hashable {
    /// "GradientBoostingRegressor".
    public static let name = "GradientBoostingRegressor"

    /// How trees are grown and added.
    public let boosting: BoosterParameters
    /// What is minimised.
    public let objective: RegressionObjective
    /// What validation rows are judged by.
    public let metric: BoosterMetric

    /// A regressor of these parameters, or an error if objective or metric do not fit.
    ///
    /// - Parameters:
    ///   - boosting: How trees are grown and added.
    ///   - objective: What is minimised.
    ///   - metric: What validation rows are judged by: the objective's own unless given.
    public init(
        _ boosting: BoosterParameters, objective: RegressionObjective = .squared,
        metric: BoosterMetric? = nil
    ) throws(ParameterError) {
        try objective.check()
        self.boosting = boosting
        self.objective = objective
        self.metric = metric ?? objective.metric
        guard !self.metric.judgesClasses else {
            throw ParameterError(
                "metric", self.metric.rawValue,
                allowed: "rmse, mae, pinball or poisson_deviance for numbers")
        }
    }

    /// As MLflow shows them, by LightGBM's names.
    public var parameters: [TrainedModel.Parameter] {
        boosting.list + [
            .init("objective", objective.description), .init("metric", metric.rawValue),
        ]
    }

    /// "GradientBoostingRegressor(num_iterations=100, num_leaves=31, learning_rate=0.1)"
    public var description: String { "\(Self.name)(\(boosting.summary))" }

    /// The model of this data.
    public func fit(
        _ dataset: Dataset, validation: Dataset?, threads: Int, observer: FitObserver?
    ) throws -> TrainedModel {
        try fit(
            dataset, validation: validation, threads: threads,
            course: FitCourse(observer: observer))
    }

    /// The model of this data that starts with another model's rounds; `num_iterations` counts
    /// them too. A fit of 40 rounds, continued to 100, has the bytes of a fit of 100.
    ///
    /// Throws if that model was not boosted for the same columns and objective.
    public func fit(
        _ dataset: Dataset, continuing earlier: TrainedModel?, validation: Dataset? = nil,
        threads: Int = BinnedDataset.threadsDefault, observer: FitObserver? = nil
    ) throws -> TrainedModel {
        try fit(
            dataset, loss: objective.loss, continuing: earlier, validation: validation,
            threads: threads, course: FitCourse(observer: observer), kernels: .current)
    }

    package func fit(
        _ dataset: Dataset, validation: Dataset?, threads: Int, course: FitCourse
    ) throws -> TrainedModel {
        try fit(
            dataset, loss: objective.loss, continuing: nil, validation: validation,
            threads: threads, course: course, kernels: .current)
    }

    /// The model of this data for a loss of your own; `objective` is not looked at.
    ///
    /// Such a learner cannot be sent to other machines, for it holds a closure.
    public func fit(
        _ dataset: Dataset, minimising loss: CustomObjective,
        continuing earlier: TrainedModel? = nil,
        validation: Dataset? = nil, threads: Int = BinnedDataset.threadsDefault,
        observer: FitObserver? = nil
    ) throws -> TrainedModel {
        try fit(
            dataset, loss: ClosureObjective(custom: loss), continuing: earlier,
            validation: validation, threads: threads, course: FitCourse(observer: observer),
            kernels: .current)
    }

    func fit(
        _ dataset: Dataset, loss: any Objective, continuing earlier: TrainedModel?,
        validation: Dataset?, threads: Int, course: FitCourse, kernels: KernelChoice
    ) throws -> TrainedModel {
        let values = try targets(of: dataset)
        let boosting = GradientBoosting(
            parameters: boosting, objective: loss, metric: metric, targets: values,
            weights: dataset.weights, kernels: kernels)
        let (ensemble, importances) = try boosting.fit(
            dataset,
            .init(
                validation: validation.map { ($0, try targets(of: $0)) }, continued: earlier,
                threads: threads, course: course))
        return TrainedModel(
            ensemble: ensemble, featureNames: dataset.featureNames,
            featureKinds: dataset.featureKinds, optionalFeatures: dataset.optionalFeatures,
            targetName: dataset.targetName, task: .regression, learner: Self.name,
            parameters: parameters, trainingRowCount: dataset.rowCount,
            gainImportances: importances)
    }

    private func targets(of dataset: Dataset) throws(TrainingError) -> [Float] {
        guard case .values(let values) = dataset.target else {
            throw .targetHoldsClasses(target: dataset.targetName)
        }
        if objective == .poisson, values.contains(where: { $0 < 0 }) {
            throw .negativeTargets(target: dataset.targetName)
        }
        return values
    }
}

extension GradientBoostingRegressor: BoostingLearner {}
