/// How good a model's answers are, by scikit-learn's definitions.
///
/// Where the data set has weights, every figure counts a row as often as its weight says. All sums
/// are Doubles in the order of the rows, so the same answers give the same bits.
public struct Evaluation: Sendable, Hashable {
    /// One figure of merit.
    public struct Metric: Sendable, Hashable {
        /// "accuracy", "f1", "f1_macro", "log_loss", "brier", "roc_auc", "pr_auc";
        /// "rmse", "mae", "r2", "poisson_deviance", "pinball_0.9".
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
    /// As `confusion`, with the rows' weights in place of counts.
    public let confusionWeights: [[Double]]
    /// The model's classes, then classes that only the data knows.
    public let classes: [ClassLabel]

    init(
        metrics: [(name: String, value: Double?)], confusion: [[Int]] = [],
        confusionWeights: [[Double]] = [], classes: [ClassLabel] = []
    ) {
        self.metrics = metrics.compactMap { metric in
            guard let value = metric.value, value.isFinite else { return nil }
            return Metric(name: metric.name, value: value)
        }
        self.confusion = confusion
        self.confusionWeights = confusionWeights
        self.classes = classes
    }

    /// The metric of this name, nil if it is not defined here.
    public subscript(name: String) -> Double? { metrics.first { $0.name == name }?.value }

    /// The metrics by name.
    public var values: [String: Double] {
        Dictionary(metrics.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
    }
}

extension Evaluation {
    /// Compares answers with the target of the rows they belong to, row by row.
    ///
    /// `quantiles`, each strictly between 0 and 1, ask for the pinball loss of answers that stand
    /// for that quantile of a number. Throws if there are no rows or none that counts, if there are
    /// more or fewer answers than rows, or if the target is of the other kind.
    public init(
        of predictions: Predictions, on dataset: Dataset, quantiles: [Double] = []
    ) throws {
        for quantile in quantiles where !(quantile > 0 && quantile < 1) {
            throw ParameterError("quantile", "\(quantile)", allowed: "between 0 and 1")
        }
        guard dataset.rowCount > 0 else { throw TrainingError.noRows }
        guard predictions.rowCount == dataset.rowCount else {
            throw DatasetError.shape(
                "\(predictions.rowCount) answers for \(dataset.rowCount) rows")
        }
        let weights = RowWeights(dataset)
        guard weights.sum > 0 else { throw TrainingError.noWeight }
        switch (predictions.task, dataset.target) {
        case (.classification(let classes), .classes(let labels, let indices)):
            let answers = ClassAnswers(
                predictions: predictions, classes: classes, labels: labels, indices: indices,
                weights: weights)
            self = answers.evaluation()
        case (.regression, .values(let truth)):
            let figures = RegressionMetrics(
                truth: truth, answers: predictions.scores, weights: weights)
            self.init(metrics: figures.all(quantiles: quantiles))
        case (.classification, .values):
            throw TrainingError.targetHoldsNumbers(target: dataset.targetName)
        case (.regression, .classes):
            throw TrainingError.targetHoldsClasses(target: dataset.targetName)
        }
    }
}

/// How much each row of an evaluation counts.
struct RowWeights {
    private let weights: [Float]?
    /// All rows together.
    let sum: Double

    init(_ dataset: Dataset) {
        weights = dataset.weights
        sum =
            dataset.weights?.reduce(0.0) { $0 + Double($1) } ?? Double(dataset.rowCount)
    }

    subscript(row: Int) -> Double { weights.map { Double($0[row]) } ?? 1 }
}

extension TrainedModel {
    /// Answers the data set's rows and compares with its target.
    ///
    /// `quantiles` ask for pinball losses. Throws if a column is missing, if there are no rows or
    /// none that counts, if a quantile is not between 0 and 1, or if the target is of the other
    /// kind.
    public func evaluate(on dataset: Dataset, quantiles: [Double] = []) throws -> Evaluation {
        try Evaluation(of: predict(dataset), on: dataset, quantiles: quantiles)
    }
}
