/// A classifier's answers beside the truth, and the figures that follow from them.
struct ClassAnswers {
    private let predictions: Predictions
    /// The model's classes, then those that only the data knows.
    private let classes: [ClassLabel]
    /// Classes that the model can answer.
    private let knownCount: Int
    /// Per row, an index into `classes`.
    private let truth: [Int32]
    private let weights: RowWeights

    init(
        predictions: Predictions, classes: [ClassLabel], labels: [ClassLabel], indices: [Int32],
        weights: RowWeights
    ) {
        self.predictions = predictions
        self.weights = weights
        knownCount = classes.count
        var occurs = [Bool](repeating: false, count: labels.count)
        for index in indices { occurs[Int(index)] = true }
        var all = classes
        var indexOf: [ClassLabel: Int32] = [:]
        for (index, label) in classes.enumerated() { indexOf[label] = Int32(index) }
        let places = zip(labels, occurs).map { label, occurs in
            if let index = indexOf[label] { return index }
            // A label that no row has (of another part of the data) is no class of this answer.
            if occurs { all.append(label) }
            return Int32(all.count - 1)
        }
        self.classes = all
        truth = indices.map { places[Int($0)] }
    }

    func evaluation() -> Evaluation {
        var counts = Array(
            repeating: Array(repeating: 0, count: classes.count), count: classes.count)
        var sums = counts.map { $0.map { _ in 0.0 } }
        for (row, truth) in truth.enumerated() {
            let answer = predictions.classIndex(ofRow: row)
            counts[Int(truth)][answer] += 1
            sums[Int(truth)][answer] += weights[row]
        }
        let isBinary = knownCount == 2 && classes.count == 2
        let areas = areasUnderCurves(isBinary: isBinary)
        let right = classes.indices.reduce(0) { $0 + sums[$1][$1] }
        return Evaluation(
            metrics: [
                ("accuracy", right / weights.sum),
                ("f1", isBinary ? Self.f1(sums, of: 1) : nil),
                ("f1_macro", Self.macroF1(sums, counts: counts)),
                ("log_loss", logLoss()),
                ("brier", brier(isBinary: isBinary)),
                ("roc_auc", areas.roc),
                ("pr_auc", areas.precisionRecall),
            ],
            confusion: counts, confusionWeights: sums, classes: classes)
    }

    /// 2 TP / (2 TP + FP + FN); 0 for a class that neither occurs nor is answered.
    private static func f1(_ confusion: [[Double]], of index: Int) -> Double {
        let truths = confusion[index].reduce(0, +)
        let answers = confusion.reduce(0) { $0 + $1[index] }
        return truths + answers > 0 ? 2 * confusion[index][index] / (truths + answers) : 0
    }

    /// The mean over the classes that rows have, as truth or as answer, whatever those rows weigh.
    private static func macroF1(_ confusion: [[Double]], counts: [[Int]]) -> Double {
        let present = counts.indices.filter { index in
            counts[index].contains { $0 > 0 } || counts.contains { $0[index] > 0 }
        }
        return present.reduce(0) { $0 + f1(confusion, of: $1) } / Double(present.count)
    }

    /// The mean of −log p(truth), p kept within float32's ε of 0 and 1, as scikit-learn does for
    /// float32 probabilities. Classes that the model does not know have p = 0.
    private func logLoss() -> Double {
        let epsilon = Float.ulpOfOne
        var sum = 0.0
        for (row, truth) in truth.enumerated() {
            let share = truth < knownCount ? score(row, Int(truth)) : 0
            sum -= weights[row] * PortableMath.log(Double(min(max(share, epsilon), 1 - epsilon)))
        }
        return sum / weights.sum
    }

    /// The mean of Σ (p − truth)² over the classes; of two classes the second's alone, which is
    /// Brier's score halved (Brier, "Verification of forecasts expressed in terms of probability",
    /// Monthly Weather Review 78, 1950) and what scikit-learn gives.
    private func brier(isBinary: Bool) -> Double {
        var sum = 0.0
        for (row, truth) in truth.enumerated() {
            var squares = truth < knownCount ? 0.0 : 1
            for index in (isBinary ? 1 : 0)..<knownCount {
                let distance = Double(score(row, index)) - (Int32(index) == truth ? 1 : 0)
                squares += distance * distance
            }
            sum += weights[row] * squares
        }
        return sum / weights.sum
    }

    /// The areas for the second of two classes; of more classes the plain mean of each against the
    /// rest. Undefined where a class has no row that counts, or the model does not know it.
    private func areasUnderCurves(isBinary: Bool) -> RankedScores.Areas {
        guard classes.count == knownCount, knownCount > 1 else { return .undefined }
        let single = isBinary ? 1..<2 : 0..<knownCount
        let areas = single.map { index in
            RankedScores(rowCount: truth.count) { score($0, index) }
                .areas(isPositive: { truth[$0] == Int32(index) }, weights: weights)
        }
        return .mean(of: areas)
    }

    private func score(_ row: Int, _ output: Int) -> Float {
        predictions.scores[row * predictions.outputCount + output]
    }
}
