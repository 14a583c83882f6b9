/// Logistic regression, multinomial for more than two classes, with a penalty on the squares of the
/// coefficients.
///
/// Minimises C Σ w loss + ½ ‖β‖² as scikit-learn's `LogisticRegression` does. Bit-identical only on
/// one kind of CPU: OpenBLAS chooses its kernels by it.
public struct LogisticRegression: Sendable, Hashable {
    /// The loss's weight against the penalty: scikit-learn's `C`.
    public let inversePenalty: Double
    /// Steps of the solver at most.
    public let iterationsMax: Int

    /// A logistic regression; `inversePenalty` is in 1e-9...1e9.
    public init(inversePenalty: Double = 1, iterationsMax: Int = 1_000) throws(ParameterError) {
        try ParameterError.check("inversePenalty", inversePenalty, isIn: 1e-9...1e9)
        try ParameterError.check("iterationsMax", iterationsMax, isIn: 1...1_000_000)
        self.inversePenalty = inversePenalty
        self.iterationsMax = iterationsMax
    }

    /// The model of this data. Throws if OpenBLAS is missing, and for fewer than two classes.
    public func fit(_ dataset: Dataset) throws -> LinearModel {
        guard case .classes(let labels, let indices) = dataset.target else {
            throw TrainingError.targetHoldsNumbers(target: dataset.targetName)
        }
        guard labels.count > 1 else { throw TrainingError.oneClass }
        let weights = try dataset.linearWeights()
        let columns = StandardColumns(dataset, weights: weights)
        let loss = LogisticLoss(
            columns: columns, truth: indices.map(Int.init), weights: weights,
            outputCount: labels.count == 2 ? 1 : labels.count, inversePenalty: inversePenalty,
            blas: try BLAS.open())
        let start = [Double](repeating: 0, count: (columns.width + 1) * loss.outputCount)
        let solution = GradientDescent.minimise(
            from: start, iterationsMax: iterationsMax, tolerance: 1e-8, loss.value)
        var (coefficients, intercepts) = ([[Double]](), [Double]())
        for output in 0..<loss.outputCount {
            let own = columns.inOwnUnits(
                (0..<columns.width).map { solution[$0 * loss.outputCount + output] },
                intercept: solution[columns.width * loss.outputCount + output])
            coefficients.append(own.coefficients)
            intercepts.append(own.intercept)
        }
        return LinearModel(
            featureNames: dataset.featureNames, task: .classification(classes: labels),
            coefficients: coefficients, intercepts: intercepts, means: columns.means)
    }
}

/// The penalised mean loss of logistic coefficients on standardised columns, and its gradient.
///
/// Coefficients stand feature after feature, `outputCount` each, the intercepts last.
struct LogisticLoss {
    let columns: StandardColumns
    let truth: [Int]
    let weights: [Double]
    let outputCount: Int
    let inversePenalty: Double
    let blas: BLAS

    func value(_ point: [Double]) -> (value: Double, gradient: [Double]) {
        let (rows, width) = (columns.rowCount, columns.width)
        let coefficients = Array(point[..<(width * outputCount)])
        let intercepts = Array(point[(width * outputCount)...])
        var sums = blas.product(
            columns.values, coefficients, rows: rows, inner: width, columns: outputCount)
        let total = weights.reduce(0, +)
        var loss = 0.0
        var interceptGradient = [Double](repeating: 0, count: outputCount)
        for row in 0..<rows {
            let at = row * outputCount
            let (rowLoss, errors) = judge(
                (0..<outputCount).map { sums[at + $0] + intercepts[$0] }, truth[row])
            loss += weights[row] * rowLoss
            for output in 0..<outputCount {
                sums[at + output] = weights[row] * errors[output] / total
                interceptGradient[output] += sums[at + output]
            }
        }
        var gradient = blas.transposedProduct(
            columns.values, sums, rows: rows, width: width, columns: outputCount)
        var value = loss / total
        for feature in 0..<width {
            // The penalty holds for coefficients in the columns' own units.
            let deviation = columns.deviations[feature]
            let penalty = 1 / (inversePenalty * total * deviation * deviation)
            for index in feature * outputCount..<(feature + 1) * outputCount {
                value += 0.5 * penalty * coefficients[index] * coefficients[index]
                gradient[index] += penalty * coefficients[index]
            }
        }
        return (value, gradient + interceptGradient)
    }

    /// One row's loss and its derivative by each sum.
    private func judge(_ sums: [Double], _ truth: Int) -> (loss: Double, errors: [Double]) {
        if outputCount == 1 {
            let share = PortableMath.logistic(sums[0])
            let margin = truth == 1 ? sums[0] : -sums[0]
            // log(1 + e^−m), without overflow.
            let loss = max(0, -margin) + PortableMath.log(1 + PortableMath.exp(-abs(margin)))
            return (loss, [share - (truth == 1 ? 1 : 0)])
        }
        var shares = Self.shares(sums)
        let greatest = sums.max() ?? 0
        let total = sums.reduce(0) { $0 + PortableMath.exp($1 - greatest) }
        let loss = PortableMath.log(total) + greatest - sums[truth]
        shares[truth] -= 1
        return (loss, shares)
    }

    /// exp(sum) / Σ exp(sum).
    static func shares(_ sums: [Double]) -> [Double] {
        let greatest = sums.max() ?? 0
        let powers = sums.map { PortableMath.exp($0 - greatest) }
        let total = powers.reduce(0, +)
        return powers.map { $0 / total }
    }
}
