/// Gradient boosting of classification trees: log loss of two classes, softmax of more.
public struct GradientBoostingClassifier: Learner, Hashable {
    /// "GradientBoostingClassifier".
    public static let name = "GradientBoostingClassifier"

    /// How trees are grown and added.
    public let boosting: BoosterParameters
    /// How much the classes count.
    public let classWeight: ClassWeight
    /// What validation rows are judged by.
    public let metric: BoosterMetric

    /// A classifier of these parameters, or an error if the weights or the metric do not fit.
    ///
    /// - Parameters:
    ///   - boosting: How trees are grown and added.
    ///   - classWeight: How much the classes count.
    ///   - metric: What validation rows are judged by: log loss unless given.
    public init(
        _ boosting: BoosterParameters, classWeight: ClassWeight = .equal,
        metric: BoosterMetric? = nil
    ) throws(ParameterError) {
        try classWeight.check()
        self.boosting = boosting
        self.classWeight = classWeight
        self.metric = metric ?? .logLoss
        guard self.metric.judgesClasses else {
            throw ParameterError(
                "metric", self.metric.rawValue, allowed: "log_loss, roc_auc or error for classes")
        }
    }

    /// As MLflow shows them, by LightGBM's names.
    public var parameters: [TrainedModel.Parameter] {
        boosting.list + [
            .init("metric", metric.rawValue), .init("class_weight", classWeight.description),
        ]
    }

    /// "GradientBoostingClassifier(num_iterations=100, num_leaves=31, learning_rate=0.1)"
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
    /// Throws if that model was not boosted for the same columns and classes.
    public func fit(
        _ dataset: Dataset, continuing earlier: TrainedModel?, validation: Dataset? = nil,
        threads: Int = BinnedDataset.threadsDefault, observer: FitObserver? = nil
    ) throws -> TrainedModel {
        try fit(
            dataset, continuing: earlier, validation: validation, threads: threads,
            course: FitCourse(observer: observer), kernels: .current)
    }

    package func fit(
        _ dataset: Dataset, validation: Dataset?, threads: Int, course: FitCourse
    ) throws -> TrainedModel {
        try fit(
            dataset, continuing: nil, validation: validation, threads: threads, course: course,
            kernels: .current)
    }

    func fit(
        _ dataset: Dataset, continuing earlier: TrainedModel?, validation: Dataset?, threads: Int,
        course: FitCourse, kernels: KernelChoice
    ) throws -> TrainedModel {
        guard case .classes(let labels, let indices) = dataset.target else {
            throw TrainingError.targetHoldsNumbers(target: dataset.targetName)
        }
        guard labels.count > 1 else { throw TrainingError.oneClass }
        let task = TrainedModel.Task.classification(classes: labels)
        if let earlier, earlier.task != task {
            throw TrainingError.cannotContinue("it tells other classes apart")
        }
        let weights = classWeight.rowWeights(labels: labels, indices: indices, dataset.weights)
        let boosting = GradientBoosting(
            parameters: boosting,
            objective: labels.count == 2
                ? LogisticObjective() : SoftmaxObjective(outputCount: labels.count),
            metric: metric, targets: indices.map { Float($0) },
            weights: weights.map { $0.map { Float($0) } }, kernels: kernels)
        if metric == .rocAUC, labels.count > 2 {
            throw ParameterError("metric", "roc_auc", allowed: "log_loss or error for many classes")
        }
        let (ensemble, importances) = try boosting.fit(
            dataset,
            .init(
                validation: validation.map { ($0, try Self.targets(of: $0, labels: labels)) },
                continued: earlier, threads: threads, course: course))
        return TrainedModel(
            ensemble: ensemble, featureNames: dataset.featureNames,
            featureKinds: dataset.featureKinds, optionalFeatures: dataset.optionalFeatures,
            targetName: dataset.targetName, task: task, learner: Self.name,
            parameters: parameters, trainingRowCount: dataset.rowCount,
            gainImportances: importances)
    }

    /// Each row's class, by the numbers that the training rows gave them.
    private static func targets(
        of dataset: Dataset, labels: [ClassLabel]
    ) throws(TrainingError) -> [Float] {
        guard case .classes(let own, let indices) = dataset.target else {
            throw .validationDiffers("their target holds numbers")
        }
        var numbers: [Float] = []
        for label in own {
            guard let number = labels.firstIndex(of: label) else {
                throw .validationDiffers("class '\(label)' is not among the training rows")
            }
            numbers.append(Float(number))
        }
        return indices.map { numbers[Int($0)] }
    }
}

extension GradientBoostingClassifier: BoostingLearner {}
