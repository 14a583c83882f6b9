/// What a booster's validation rows are judged by, round after round.
public enum BoosterMetric: String, Sendable, Hashable, Codable, CaseIterable {
    /// The mean of −log p(truth).
    case logLoss = "log_loss"
    /// The area under the ROC curve of two classes.
    case rocAUC = "roc_auc"
    /// The share of rows whose most probable class is wrong.
    case error = "error"
    /// The root of the mean squared error.
    case rmse = "rmse"
    /// The mean absolute error.
    case mae = "mae"
    /// The mean pinball loss of the objective's quantile, of the median for other objectives.
    case pinball = "pinball"
    /// The mean Poisson deviance.
    case poissonDeviance = "poisson_deviance"

    /// Whether more is better.
    var isBetterWhenGreater: Bool { self == .rocAUC }

    /// Whether it judges classes.
    var judgesClasses: Bool { [.logLoss, .rocAUC, .error].contains(self) }

    /// The metric of this name: ours, LightGBM's or XGBoost's.
    init?(named name: String) {
        switch name {
        case "log_loss", "binary_logloss", "multi_logloss", "logloss", "mlogloss", "binary",
            "multiclass", "neg_log_loss":
            self = .logLoss
        case "roc_auc", "auc": self = .rocAUC
        case "error", "binary_error", "multi_error", "merror": self = .error
        case "rmse", "l2", "mse", "regression", "l2_root": self = .rmse
        case "mae", "l1", "regression_l1": self = .mae
        case "pinball", "quantile": self = .pinball
        case "poisson_deviance", "poisson", "poisson-nloglik": self = .poissonDeviance
        default: return nil
        }
    }

    /// The figure of these rows. Sums are of integers, so that it is the same for any order.
    ///
    /// - Parameters:
    ///   - scores: Output k's score of row r at `k * count + r`, before the transform.
    ///   - targets: Class numbers or values.
    ///   - share: The quantile that `pinball` is of.
    ///   - team: Whose threads compute the rows' losses.
    func value(
        scores: UnsafePointer<Double>, outputCount: Int, targets: [Float], weights: [Float]?,
        transform: TreeEnsemble.Transform, share: Double, team: ThreadTeam
    ) -> Double {
        let count = targets.count
        if self == .rocAUC {
            return Self.areaUnderCurve(scores, targets: targets, weights: weights)
        }
        let weight = { (row: Int) in weights.map { Double($0[row]) } ?? 1 }
        let total = ExactSum.sum(count: count, weight)
        guard total > 0 else { return 0 }
        let losses = HugeBuffer<Double>(count: count)
        let (chunk, out) = (Self.chunkRows, losses.base)
        nonisolated(unsafe) let scores = scores
        team.forEach((count + chunk - 1) / chunk) { number, _ in
            for row in number * chunk..<min(count, (number + 1) * chunk) {
                out[row] =
                    weight(row)
                    * loss(
                        row, scores, count: count, outputCount: outputCount, truth: targets[row],
                        transform: transform, share: share)
            }
        }
        let sum = ExactSum.sum(count: count) { out[$0] }
        return self == .rmse ? (sum / total).squareRoot() : sum / total
    }

    /// Rows that one thread judges at a time.
    private static let chunkRows = 4096

    private func loss(
        _ row: Int, _ scores: UnsafePointer<Double>, count: Int, outputCount: Int, truth: Float,
        transform: TreeEnsemble.Transform, share: Double
    ) -> Double {
        let score = scores[row]
        if judgesClasses {
            return classLoss(
                row, scores, count: count, outputCount: outputCount, truth: Int(truth))
        }
        let answer: Double =
            switch transform {
            case .exponential: min(PortableMath.exp(score), Double(Float.greatestFiniteMagnitude))
            case .logistic: PortableMath.logistic(score)
            default: score
            }
        let rest = Double(truth) - answer
        switch self {
        case .rmse: return rest * rest
        case .mae: return abs(rest)
        case .pinball: return rest >= 0 ? share * rest : (share - 1) * rest
        default:
            let ratio = truth > 0 ? Double(truth) * PortableMath.log(Double(truth) / answer) : 0
            return 2 * (ratio - rest)
        }
    }

    private func classLoss(
        _ row: Int, _ scores: UnsafePointer<Double>, count: Int, outputCount: Int, truth: Int
    ) -> Double {
        guard outputCount > 1 else {
            let margin = truth == 1 ? scores[row] : -scores[row]
            if self == .error { return margin > 0 || (margin == 0 && truth == 0) ? 0 : 1 }
            return margin > 0
                ? PortableMath.log(1 + PortableMath.exp(-margin))
                : PortableMath.log(1 + PortableMath.exp(margin)) - margin
        }
        var greatest = 0
        for output in 1..<outputCount
        where scores[output * count + row] > scores[greatest * count + row] { greatest = output }
        if self == .error { return greatest == truth ? 0 : 1 }
        let top = scores[greatest * count + row]
        var sum = 0.0
        for output in 0..<outputCount {
            sum += PortableMath.exp(scores[output * count + row] - top)
        }
        return PortableMath.log(sum) + top - scores[truth * count + row]
    }

    /// The weighted share of pairs of a row of each class that are in order, equal scores counting
    /// half; 0.5 unless there are rows of both.
    private static func areaUnderCurve(
        _ scores: UnsafePointer<Double>, targets: [Float], weights: [Float]?
    ) -> Double {
        let order = targets.indices.sorted { (scores[$0], $0) < (scores[$1], $1) }
        var (negative, pairs, index) = (0.0, 0.0, 0)
        var positive = 0.0
        while index < order.count {
            var end = index
            var (tiedNegative, tiedPositive) = (0.0, 0.0)
            while end < order.count, scores[order[end]] == scores[order[index]] {
                let weight = weights.map { Double($0[order[end]]) } ?? 1
                if targets[order[end]] == 1 {
                    tiedPositive += weight
                } else {
                    tiedNegative += weight
                }
                end += 1
            }
            pairs += tiedPositive * (negative + tiedNegative / 2)
            negative += tiedNegative
            positive += tiedPositive
            index = end
        }
        return negative > 0 && positive > 0 ? pairs / (negative * positive) : 0.5
    }
}
