/// What each feature adds to each output of some rows, beside what the model expects of any row.
///
/// On the scale of the raw scores, before the transform. For each row and output the contributions
/// and the expected value sum to the raw score, but for rounding.
public struct ShapValues: Sendable, Hashable {
    /// Rows.
    public let rowCount: Int
    /// Raw scores per row: the number of classes, or 1 for a number and for two classes of one
    /// score.
    public let outputCount: Int
    /// Columns of a row.
    public let featureCount: Int
    /// Per output, the raw score of a row of which nothing is known.
    public let expectedValues: [Double]
    /// What feature f adds to output k of row r at `(r * outputCount + k) * featureCount + f`.
    public let values: [Double]

    /// What a feature adds to an output of a row.
    public subscript(row: Int, output: Int, feature: Int) -> Double {
        values[(row * outputCount + output) * featureCount + feature]
    }

    /// What all features add to an output of a row.
    public func contributions(ofRow row: Int, output: Int) -> ArraySlice<Double> {
        let start = (row * outputCount + output) * featureCount
        return values[start..<start + featureCount]
    }

    /// The raw score that the contributions of a row explain: with the expected value, their sum in
    /// the order of the features.
    public func score(ofRow row: Int, output: Int) -> Double {
        contributions(ofRow: row, output: output).reduce(expectedValues[output], +)
    }

    /// Per output and feature, the mean of the contributions' absolute values: how much the feature
    /// matters over these rows, in the unit of the raw scores. Zeros for no rows.
    ///
    /// Feature f for output k at `k * featureCount + f`; rows are summed in order.
    public var meanAbsolute: [Double] {
        var sums = [Double](repeating: 0, count: outputCount * featureCount)
        guard rowCount > 0 else { return sums }
        for row in 0..<rowCount {
            let start = row * sums.count
            for place in sums.indices { sums[place] += abs(values[start + place]) }
        }
        return sums.map { $0 / Double(rowCount) }
    }
}
