/// An ensemble arranged for prediction. Building one costs as much as a few hundred predictions:
/// who predicts often keeps it.
///
/// Each row's answer is a function of that row: leaf values are added as Double in tree order,
/// scaled, transformed, and rounded to float32 once. So one row alone, in any batch and on any
/// thread gets the same bytes.
public struct Predictor: Sendable {
    /// Values per row that prediction needs.
    public let featureCount: Int
    /// Scores per row that it gives: class shares, or one number.
    public let outputCount: Int

    private struct Node {
        var threshold: Float
        /// The feature, or `Tree.leaf`.
        var feature: Int32
        /// Against the tree's own first node, or first leaf.
        var child: Int32
        var missingGoesLeft: Bool
    }

    private struct Root {
        var firstNode: Int
        var firstLeafValue: Int
    }

    private let nodes: [Node]
    private let leafValues: [Float]
    private let roots: [Root]
    private let baseScores: [Double]
    private let divisor: Double
    private let transform: TreeEnsemble.Transform
    /// Values per leaf.
    private let leafWidth: Int

    /// Rows that are walked through one tree before the next: their sums stay in the first cache.
    private static let blockRowCount = 64

    /// A predictor for an ensemble that may come from anywhere: it is validated first.
    public init(_ ensemble: TreeEnsemble) throws(EnsembleError) {
        try ensemble.validate()
        var nodes: [Node] = []
        var leafValues: [Float] = []
        var roots: [Root] = []
        nodes.reserveCapacity(ensemble.trees.reduce(0) { $0 + $1.nodeCount })
        for tree in ensemble.trees {
            roots.append(Root(firstNode: nodes.count, firstLeafValue: leafValues.count))
            for node in 0..<tree.nodeCount {
                nodes.append(
                    Node(
                        threshold: tree.threshold[node], feature: tree.splitFeature[node],
                        child: tree.leftChild[node], missingGoesLeft: tree.missingGoesLeft[node]))
            }
            leafValues.append(contentsOf: tree.leafValues)
        }
        (self.nodes, self.leafValues, self.roots) = (nodes, leafValues, roots)
        featureCount = ensemble.featureCount
        leafWidth = ensemble.outputCount
        outputCount =
            ensemble.transform == .logistic && ensemble.outputCount == 1 ? 2 : ensemble.outputCount
        baseScores = ensemble.baseScores.map(Double.init)
        divisor = ensemble.aggregation == .average ? Double(ensemble.trees.count) : 1
        transform = ensemble.transform
    }

    /// Predicts one row without allocating: `row` has `featureCount` values, `scores` takes
    /// `outputCount`.
    public func predict(
        row: UnsafeBufferPointer<Float>, into scores: UnsafeMutableBufferPointer<Float>
    ) {
        precondition(row.count == featureCount && scores.count == outputCount, "wrong widths")
        guard let row = row.baseAddress, let scores = scores.baseAddress else { return }
        predict(rows: row, count: 1, into: scores)
    }

    /// Predicts rows; `outputCount` scores each, row after row.
    public func predict(_ rows: FeatureMatrix) throws(DatasetError) -> [Float] {
        guard rows.featureCount == featureCount else {
            throw .shape("rows have \(rows.featureCount) features, the model has \(featureCount)")
        }
        return [Float](unsafeUninitializedCapacity: rows.rowCount * outputCount) { buffer, count in
            rows.values.withUnsafeBufferPointer { values in
                if let base = values.baseAddress, let scores = buffer.baseAddress {
                    predict(rows: base, count: rows.rowCount, into: scores)
                }
            }
            count = rows.rowCount * outputCount
        }
    }

    private func predict(
        rows: UnsafePointer<Float>, count: Int, into scores: UnsafeMutablePointer<Float>
    ) {
        let blockSize = min(count, Self.blockRowCount)
        withUnsafeTemporaryAllocation(of: Double.self, capacity: blockSize * leafWidth) { sums in
            guard let sums = sums.baseAddress else { return }
            for start in stride(from: 0, to: count, by: Self.blockRowCount) {
                let blockCount = min(Self.blockRowCount, count - start)
                for row in 0..<blockCount {
                    for output in 0..<leafWidth {
                        (sums + row * leafWidth + output).initialize(to: baseScores[output])
                    }
                }
                addLeaves(of: rows + start * featureCount, count: blockCount, to: sums)
                for row in 0..<blockCount {
                    finish(sums + row * leafWidth, into: scores + (start + row) * outputCount)
                }
            }
        }
    }

    private func addLeaves(
        of rows: UnsafePointer<Float>, count: Int, to sums: UnsafeMutablePointer<Double>
    ) {
        nodes.withUnsafeBufferPointer { nodes in
            leafValues.withUnsafeBufferPointer { leafValues in
                guard let nodes = nodes.baseAddress, let leafValues = leafValues.baseAddress else {
                    return
                }
                for root in roots {
                    let tree = nodes + root.firstNode
                    for row in 0..<count {
                        let leaf = Self.leaf(of: rows + row * featureCount, in: tree)
                        let values = leafValues + root.firstLeafValue + leaf * leafWidth
                        let sum = sums + row * leafWidth
                        for output in 0..<leafWidth { sum[output] += Double(values[output]) }
                    }
                }
            }
        }
    }

    @inline(__always)
    private static func leaf(of row: UnsafePointer<Float>, in tree: UnsafePointer<Node>) -> Int {
        var node = tree[0]
        while node.feature >= 0 {
            let value = row[Int(node.feature)]
            let goesLeft = value <= node.threshold || (value.isNaN && node.missingGoesLeft)
            node = tree[Int(node.child) &+ (goesLeft ? 0 : 1)]
        }
        return Int(node.child)
    }

    /// From a row's sums to its scores.
    private func finish(
        _ sums: UnsafeMutablePointer<Double>, into scores: UnsafeMutablePointer<Float>
    ) {
        for output in 0..<leafWidth { sums[output] /= divisor }
        switch transform {
        case .identity:
            for output in 0..<leafWidth { scores[output] = Float(sums[output]) }
        case .logistic where leafWidth == 1:
            scores[0] = Float(PortableMath.logistic(-sums[0]))
            scores[1] = Float(PortableMath.logistic(sums[0]))
        case .logistic:
            for output in 0..<leafWidth {
                scores[output] = Float(PortableMath.logistic(sums[output]))
            }
        case .softmax:
            var greatest = sums[0]
            for output in 1..<leafWidth { greatest = max(greatest, sums[output]) }
            var total = 0.0
            for output in 0..<leafWidth {
                sums[output] = PortableMath.exp(sums[output] - greatest)
                total += sums[output]
            }
            for output in 0..<leafWidth { scores[output] = Float(sums[output] / total) }
        }
    }
}
