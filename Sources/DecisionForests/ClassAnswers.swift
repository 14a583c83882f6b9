/// A classifier's answers beside the truth, and the figures that follow from them.
struct ClassAnswers {
    private let predictions: Predictions
    /// The model's classes, then those that only the data knows.
    private let classes: [ClassLabel]
    /// Classes that the model can answer.
    private let knownCount: Int
    /// Per row, an index into `classes`.
    private let truth: [Int]
    private let answers: [Int]

    init(
        predictions: Predictions, classes: [ClassLabel], labels: [ClassLabel], indices: [Int32]
    ) {
        self.predictions = predictions
        knownCount = classes.count
        var all = classes
        var indexOf: [ClassLabel: Int] = [:]
        for (index, label) in classes.enumerated() { indexOf[label] = index }
        let places = labels.map { label in
            if let index = indexOf[label] { return index }
            all.append(label)
            return all.count - 1
        }
        self.classes = all
        truth = indices.map { places[Int($0)] }
        answers = (0..<predictions.rowCount).map { predictions.classIndex(ofRow: $0) }
    }

    func evaluation() -> Evaluation {
        var confusion = Array(
            repeating: Array(repeating: 0, count: classes.count), count: classes.count)
        for (truth, answer) in zip(truth, answers) { confusion[truth][answer] += 1 }
        let right = classes.indices.reduce(0) { $0 + confusion[$1][$1] }
        var metrics = [
            Evaluation.Metric(name: "accuracy", value: Double(right) / Double(truth.count)),
            Evaluation.Metric(name: "f1_macro", value: Self.macroF1(confusion)),
            Evaluation.Metric(name: "log_loss", value: logLoss()),
        ]
        if let area = areaUnderCurve() { metrics.append(.init(name: "roc_auc", value: area)) }
        return Evaluation(metrics: metrics, confusion: confusion, classes: classes)
    }

    /// The mean over the classes that occur, as truth or as answer, of 2 TP / (2 TP + FP + FN).
    private static func macroF1(_ confusion: [[Int]]) -> Double {
        var scores: [Double] = []
        for index in confusion.indices {
            let truths = confusion[index].reduce(0, +)
            let answers = confusion.reduce(0) { $0 + $1[index] }
            guard truths + answers > 0 else { continue }
            scores.append(2 * Double(confusion[index][index]) / Double(truths + answers))
        }
        return scores.reduce(0, +) / Double(scores.count)
    }

    /// The mean of −log p(truth), p kept within float32's ε of 0 and 1, as scikit-learn does for
    /// float32 probabilities. Classes that the model does not know have p = 0.
    private func logLoss() -> Double {
        let epsilon = Float.ulpOfOne
        var sum = 0.0
        for (row, truth) in truth.enumerated() {
            let scores = predictions.scores(ofRow: row)
            let share = truth < knownCount ? scores[scores.startIndex + truth] : 0
            sum -= PortableMath.log(Double(min(max(share, epsilon), 1 - epsilon)))
        }
        return sum / Double(truth.count)
    }

    /// The share of pairs of a positive and a negative row whose scores are in the right order,
    /// equal scores counting half; nil unless there are two classes and rows of both.
    private func areaUnderCurve() -> Double? {
        guard knownCount == 2, classes.count == 2 else { return nil }
        let ranked = truth.indices
            .map { (score: predictions.scores[$0 * 2 + 1], isPositive: truth[$0] == 1) }
            .sorted { $0.score < $1.score }
        let positives = ranked.count { $0.isPositive }
        let negatives = ranked.count - positives
        guard positives > 0, negatives > 0 else { return nil }
        var (doubledPairs, below, index) = (0, 0, 0)
        while index < ranked.count {
            var end = index
            var equalPositives = 0
            while end < ranked.count, ranked[end].score == ranked[index].score {
                equalPositives += ranked[end].isPositive ? 1 : 0
                end += 1
            }
            let equalNegatives = end - index - equalPositives
            doubledPairs += equalPositives * (2 * below + equalNegatives)
            below += equalNegatives
            index = end
        }
        return Double(doubledPairs) / Double(2 * positives * negatives)
    }
}

/// The figures of a regression model.
enum RegressionMetrics {
    /// Root mean squared error, mean absolute error, and the explained share of the variance. The
    /// last is left out for fewer than two rows; for a constant truth it is 1 if every answer is
    /// right, else 0, as in scikit-learn.
    static func all(truth: [Float], answers: [Float]) -> [Evaluation.Metric] {
        let count = Double(truth.count)
        let mean = truth.reduce(0.0) { $0 + Double($1) } / count
        var (squares, absolutes, variance) = (0.0, 0.0, 0.0)
        for (truth, answer) in zip(truth, answers) {
            let error = Double(truth) - Double(answer)
            squares += error * error
            absolutes += abs(error)
            variance += (Double(truth) - mean) * (Double(truth) - mean)
        }
        var metrics = [
            Evaluation.Metric(name: "rmse", value: (squares / count).squareRoot()),
            Evaluation.Metric(name: "mae", value: absolutes / count),
        ]
        if truth.count > 1 {
            let share = variance > 0 ? 1 - squares / variance : (squares == 0 ? 1 : 0)
            metrics.append(.init(name: "r2", value: share))
        }
        return metrics
    }
}
