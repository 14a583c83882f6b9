/// A regressor's answers beside the truth, and the figures that follow from them.
struct RegressionMetrics {
    private let truth: [Float]
    private let answers: [Float]
    private let weights: RowWeights

    init(truth: [Float], answers: [Float], weights: RowWeights) {
        (self.truth, self.answers, self.weights) = (truth, answers, weights)
    }

    func all(quantiles: [Double]) -> [(name: String, value: Double?)] {
        let meanSquare = mean { truth, answer in (truth - answer) * (truth - answer) }
        var metrics: [(name: String, value: Double?)] = [
            ("rmse", meanSquare.squareRoot()),
            ("mae", mean { truth, answer in abs(truth - answer) }),
            ("r2", explainedShare(meanSquare: meanSquare)),
            ("poisson_deviance", poissonDeviance()),
        ]
        for quantile in quantiles {
            metrics.append(("pinball_\(quantile)", pinball(quantile)))
        }
        return metrics
    }

    /// R²: the explained share of the variance. Undefined for fewer than two rows; for a constant
    /// truth it is 1 if every answer is right, else 0, as in scikit-learn.
    private func explainedShare(meanSquare: Double) -> Double? {
        guard truth.count > 1 else { return nil }
        let centre = mean { truth, _ in truth }
        let variance = mean { truth, _ in (truth - centre) * (truth - centre) }
        // A weighted mean of equal numbers need not be that number to the last bit.
        let isConstant = truth.allSatisfy { $0 == truth[0] }
        guard variance > 0, !isConstant else { return meanSquare == 0 ? 1 : 0 }
        return 1 - meanSquare / variance
    }

    /// The mean of 2 (y log(y / p) − y + p), the deviance of the Poisson distribution. Undefined
    /// unless every truth is at least 0 and every answer above 0.
    private func poissonDeviance() -> Double? {
        guard truth.allSatisfy({ $0 >= 0 }), answers.allSatisfy({ $0 > 0 }) else { return nil }
        return mean { truth, answer in
            let information = truth > 0 ? truth * PortableMath.log(truth / answer) : 0
            return 2 * (information - truth + answer)
        }
    }

    /// The loss that the quantile itself minimises: an answer below the truth costs `quantile` per
    /// unit, one above it 1 − `quantile` (Koenker and Bassett, "Regression quantiles",
    /// Econometrica 46, 1978).
    private func pinball(_ quantile: Double) -> Double {
        mean { truth, answer in
            truth >= answer ? quantile * (truth - answer) : (1 - quantile) * (answer - truth)
        }
    }

    /// The weighted mean of a function of truth and answer, added up in the order of the rows.
    private func mean(_ value: (Double, Double) -> Double) -> Double {
        var sum = 0.0
        for row in truth.indices {
            sum += weights[row] * value(Double(truth[row]), Double(answers[row]))
        }
        return sum / weights.sum
    }
}
