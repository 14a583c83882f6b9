/// How good a model's answers are, by scikit-learn's definitions.
public struct Evaluation: Sendable, Hashable {
    /// One figure of merit.
    public struct Metric: Sendable, Hashable {
        /// "accuracy", "f1_macro", "log_loss", "roc_auc"; "rmse", "mae", "r2".
        public let name: String
        /// Its value; finite.
        public let value: Double
    }

    /// The figures in a fixed order. What the data does not define (a ROC curve with one class) is
    /// left out.
    public let metrics: [Metric]
    /// `confusion[truth][answer]` counts rows; the classes in `classes`' order. Empty for
    /// regression.
    public let confusion: [[Int]]
    /// The model's classes, then classes that only the data knows.
    public let classes: [ClassLabel]

    /// The metric of this name, nil if it is not defined here.
    public subscript(name: String) -> Double? { metrics.first { $0.name == name }?.value }

    /// The metrics by name.
    public var values: [String: Double] {
        Dictionary(uniqueKeysWithValues: metrics.map { ($0.name, $0.value) })
    }
}

extension Evaluation {
    /// Compares answers with the target of the rows they belong to.
    ///
    /// Throws if there are no rows, or if the target is of the other kind.
    init(of predictions: Predictions, on dataset: Dataset) throws(TrainingError) {
        guard dataset.rowCount > 0 else { throw .noRows }
        switch (predictions.task, dataset.target) {
        case (.classification(let classes), .classes(let labels, let indices)):
            let answers = ClassAnswers(
                predictions: predictions, classes: classes, labels: labels, indices: indices)
            self = answers.evaluation()
        case (.regression, .values(let truth)):
            self.init(
                metrics: RegressionMetrics.all(truth: truth, answers: predictions.scores),
                confusion: [], classes: [])
        case (.classification, .values):
            throw .targetHoldsNumbers(target: dataset.targetName)
        case (.regression, .classes):
            throw .targetHoldsClasses(target: dataset.targetName)
        }
    }
}

extension TrainedModel {
    /// Answers the data set's rows and compares with its target.
    ///
    /// Throws if a column is missing, if there are no rows, or if the target is of the other kind.
    public func evaluate(on dataset: Dataset) throws -> Evaluation {
        try Evaluation(of: predict(dataset), on: dataset)
    }
}
