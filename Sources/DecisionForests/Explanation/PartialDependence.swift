/// How a model's answer depends on one or two features, all others being as they are: its average
/// over rows for each point of a grid (Friedman, "Greedy function approximation: a gradient
/// boosting machine", Annals of Statistics 29, 2001, section 8.2).
public struct PartialDependence: Sendable, Hashable {
    /// What is averaged.
    public enum Scale: String, Sendable, Hashable, CaseIterable {
        /// Probabilities or the expected value, after the transform.
        case prediction
        /// Sums of the trees, before it.
        case raw
    }

    /// Where the average is taken from.
    public enum Method: String, Sendable, Hashable, CaseIterable {
        /// The answers to all rows, each with the grid point in the features' place.
        case rows
        /// The trees alone: where a node tests another feature, both sides count by the training
        /// weight that went there, as scikit-learn's `recursion`. Always on the raw scale.
        case recursion
    }

    /// The features, by number: one or two.
    public let features: [Int]
    /// Per feature, its values on the grid.
    public let grids: [[Float]]
    /// Answers per point: the number of classes, or 1.
    public let outputCount: Int
    /// The average of output k at point p at `k * pointCount + p`; the last feature's value changes
    /// first from point to point.
    public let averages: [Double]
    /// The answers that were averaged, where they were asked for: output k of row r at point p at
    /// `(r * outputCount + k) * pointCount + p`. Each row's are its individual conditional
    /// expectation curve (Goldstein et al., Journal of Computational and Graphical Statistics 24,
    /// 2015).
    public let curves: [Float]

    /// Points of the grid.
    public var pointCount: Int { grids.reduce(1) { $0 * $1.count } }

    /// The features' values at a point.
    public func values(ofPoint point: Int) -> [Float] { Self.values(point, of: grids) }

    static func values(_ point: Int, of grids: [[Float]]) -> [Float] {
        var (rest, values) = (point, [Float]())
        for grid in grids.reversed() {
            values.append(grid[rest % grid.count])
            rest /= grid.count
        }
        return values.reversed()
    }
}

extension PartialDependence {
    /// Points that a grid may have.
    public static let pointCountMax = 1 << 20

    /// The grid of a column as scikit-learn makes it: all its values if they are fewer than
    /// `resolution` or levels, else so many in equal steps from the 5th to the 95th percentile
    /// (those of `scipy.stats.mstats.mquantiles`).
    ///
    /// Where the two percentiles are equal, the steps go from the least value to the greatest.
    /// Missing and infinite values do not count; without any other the grid is empty.
    public static func grid(
        of column: some Sequence<Float>, hasLevels: Bool = false, resolution: Int = 100
    ) -> [Float] {
        // Adding 0 makes one of both zeros.
        let sorted = column.filter(\.isFinite).map { $0 + 0 }.sorted()
        var unique: [Float] = []
        for value in sorted where value != unique.last { unique.append(value) }
        guard !hasLevels, unique.count >= max(2, resolution) else { return unique }
        var (low, high) = (percentile(sorted, 0.05), percentile(sorted, 0.95))
        // What numpy's allclose calls equal.
        if abs(low - high) <= 1e-8 + 1e-5 * abs(high) {
            (low, high) = (Double(unique[0]), Double(unique[unique.count - 1]))
        }
        let step = (high - low) / Double(max(1, resolution - 1))
        return (0..<max(2, resolution)).map { index in
            Float(index == resolution - 1 ? high : low + Double(index) * step)
        }
    }

    private static func percentile(_ sorted: [Float], _ share: Double) -> Double {
        let count = Double(sorted.count)
        let place = count * share + 0.4 + share * 0.2
        let below = min(max(place, 1), count - 1).rounded(.down)
        let part = min(max(place - below, 0), 1)
        return (1 - part) * Double(sorted[Int(below) - 1]) + part * Double(sorted[Int(below)])
    }

    /// Throws unless these are one or two different features of so many, with a grid each.
    static func check(
        _ features: [Int], _ grids: [[Float]], featureCount: Int
    ) throws(ExplanationError) {
        guard (1...2).contains(features.count), Set(features).count == features.count else {
            throw .grid("it takes one feature or two different ones")
        }
        guard features.allSatisfy((0..<featureCount).contains) else {
            throw .grid("the model has \(featureCount) features")
        }
        guard grids.count == features.count, grids.allSatisfy({ !$0.isEmpty }) else {
            throw .grid("a feature has no values to make a grid of")
        }
        guard grids.allSatisfy({ $0.count <= pointCountMax }),
            grids.reduce(1, { $0 * $1.count }) <= pointCountMax
        else { throw .grid("its grid has more than \(pointCountMax) points") }
    }
}
