/// A linear model: one weighted sum of the features per output. The yardstick that an ensemble
/// should beat; it is not served.
///
/// Prediction uses no BLAS: sums of Double in the order of the features.
public struct LinearModel: Sendable, Hashable {
    /// Column names, in order.
    public let featureNames: [String]
    /// Classes or a number.
    public let task: TrainedModel.Task
    /// Per output, one coefficient per feature. Two classes have one output, the second's log-odds.
    public let coefficients: [[Double]]
    /// One per output.
    public let intercepts: [Double]
    /// What stands for a missing value: each column's mean in training.
    public let means: [Double]

    /// Predicts rows whose features stand in the order of `featureNames`.
    public func predict(_ rows: FeatureMatrix) throws(DatasetError) -> Predictions {
        guard rows.featureCount == featureNames.count else {
            throw .shape(
                "rows have \(rows.featureCount) features, the model has \(featureNames.count)")
        }
        var scores: [Float] = []
        for row in 0..<rows.rowCount {
            let sums = coefficients.indices.map { output in
                var sum = intercepts[output]
                for feature in featureNames.indices {
                    let value = rows[row, feature]
                    sum +=
                        coefficients[output][feature]
                        * (value.isNaN ? means[feature] : Double(value))
                }
                return sum
            }
            scores += Self.answer(task, sums)
        }
        return Predictions(
            task: task, scores: scores, outputCount: max(1, Self.answer(task, intercepts).count))
    }

    /// Answers the data set's rows and compares with its target.
    public func evaluate(on dataset: Dataset) throws -> Evaluation {
        try Evaluation(of: predict(dataset.features(named: featureNames)), on: dataset)
    }

    private static func answer(_ task: TrainedModel.Task, _ sums: [Double]) -> [Float] {
        switch task {
        case .regression:
            return sums.map { Float($0) }
        case .classification where sums.count == 1:
            return [PortableMath.logistic(-sums[0]), PortableMath.logistic(sums[0])].map {
                Float($0)
            }
        case .classification:
            return LogisticLoss.shares(sums).map { Float($0) }
        }
    }
}

/// A data set's columns as linear learners take them: Double, centred on their means, divided by
/// their deviations, missing values at the mean. Solvers converge quickly on that scale, whatever
/// the columns' units are.
struct StandardColumns {
    /// Row after row.
    let values: [Double]
    let means: [Double]
    /// 1 for constant columns.
    let deviations: [Double]
    let isConstant: [Bool]
    let rowCount: Int
    let width: Int

    /// `weights` are each row's; they weigh the means.
    init(_ dataset: Dataset, weights: [Double]) {
        let (rowCount, width) = (dataset.rowCount, dataset.featureCount)
        var values = [Double](repeating: 0, count: rowCount * width)
        var (means, deviations, isConstant) = ([Double](), [Double](), [Bool]())
        for (feature, column) in dataset.columns.enumerated() {
            var (sum, weight) = (0.0, 0.0)
            for row in 0..<rowCount where !column[row].isNaN {
                sum += weights[row] * Double(column[row])
                weight += weights[row]
            }
            let mean = weight > 0 ? sum / weight : 0
            var squares = 0.0
            for row in 0..<rowCount where !column[row].isNaN {
                let distance = Double(column[row]) - mean
                values[row * width + feature] = distance
                squares += weights[row] * distance * distance
            }
            let deviation = weight > 0 ? (squares / weight).squareRoot() : 0
            means.append(mean)
            isConstant.append(deviation == 0)
            deviations.append(deviation == 0 ? 1 : deviation)
            for row in 0..<rowCount { values[row * width + feature] /= deviations[feature] }
        }
        (self.values, self.means, self.deviations) = (values, means, deviations)
        (self.isConstant, self.rowCount, self.width) = (isConstant, rowCount, width)
    }

    /// Coefficients and intercept in the columns' own units.
    func inOwnUnits(
        _ coefficients: [Double], intercept: Double
    ) -> (coefficients: [Double], intercept: Double) {
        let own = zip(coefficients, deviations).map { $0 / $1 }
        return (own, intercept - zip(own, means).reduce(0) { $0 + $1.0 * $1.1 })
    }
}
