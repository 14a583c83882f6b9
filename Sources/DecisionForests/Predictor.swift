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
        /// The feature, or `Tree.leaf`, or below that a projection.
        var feature: Int32
        /// Against the tree's own first node, or first leaf.
        var child: Int32
        var missingGoesLeft: Bool
        var isCategorical = false
        /// The set of a categorical node, the projection of an oblique one: a range of the
        /// predictor's words or terms.
        var start: Int32 = 0
        var end: Int32 = 0
    }

    private struct Root {
        var firstNode: Int
        var firstLeafValue: Int
    }

    private let nodes: [Node]
    private let leafValues: [Float]
    private let roots: [Root]
    /// Whether every node compares one feature with its threshold.
    private let isPlain: Bool
    private let categoryWords: [UInt32]
    private let termFeatures: [Int32]
    private let termWeights: [Float]
    private let linear: [Double]?
    private let imputations: [Float]
    private let baseScores: [Double]
    private let divisor: Double
    private let transform: TreeEnsemble.Transform
    /// Values per leaf.
    private let leafWidth: Int
    /// Sums per row, before the transform.
    private let scoreCount: Int

    /// Rows that are walked through one tree before the next: their sums stay in the first cache.
    private static let blockRowCount = 64
    /// Rows that a thread takes at once: milliseconds of a usual forest.
    private static let shareRowCount = 2_048

    /// A predictor for an ensemble that may come from anywhere: it is validated first.
    public init(_ ensemble: TreeEnsemble) throws(EnsembleError) {
        try ensemble.validate()
        var nodes: [Node] = []
        var leafValues: [Float] = []
        var roots: [Root] = []
        var categoryWords: [UInt32] = []
        var termFeatures: [Int32] = []
        var termWeights: [Float] = []
        nodes.reserveCapacity(ensemble.trees.reduce(0) { $0 + $1.nodeCount })
        for tree in ensemble.trees {
            roots.append(Root(firstNode: nodes.count, firstLeafValue: leafValues.count))
            for node in 0..<tree.nodeCount {
                nodes.append(
                    Self.node(
                        node, of: tree, firstWord: categoryWords.count,
                        firstTerm: termFeatures.count))
            }
            leafValues.append(contentsOf: tree.leafValues)
            categoryWords.append(contentsOf: tree.categorySets.words)
            termFeatures.append(contentsOf: tree.projections.features)
            termWeights.append(contentsOf: tree.projections.weights)
        }
        (self.nodes, self.leafValues, self.roots) = (nodes, leafValues, roots)
        (self.termFeatures, self.termWeights) = (termFeatures, termWeights)
        self.categoryWords = categoryWords
        isPlain = nodes.allSatisfy { !$0.isCategorical && $0.feature >= Tree.leaf }
        linear = ensemble.linear?.coefficients
        imputations = ensemble.imputations
        featureCount = ensemble.featureCount
        leafWidth = ensemble.leafWidth
        scoreCount = ensemble.outputCount
        outputCount =
            ensemble.transform == .logistic && ensemble.outputCount == 1 ? 2 : ensemble.outputCount
        baseScores = ensemble.baseScores.map(Double.init)
        let treesPerOutput = ensemble.trees.count * ensemble.leafWidth / ensemble.outputCount
        divisor = ensemble.aggregation == .average ? Double(max(1, treesPerOutput)) : 1
        transform = ensemble.transform
    }

    private static func node(
        _ index: Int, of tree: Tree, firstWord: Int, firstTerm: Int
    ) -> Node {
        var node = Node(
            threshold: tree.threshold[index], feature: tree.splitFeature[index],
            child: tree.leftChild[index], missingGoesLeft: tree.missingGoesLeft[index])
        if node.feature >= 0, !tree.categorySet.isEmpty, tree.categorySet[index] >= 0 {
            let (set, starts) = (Int(tree.categorySet[index]), tree.categorySets.starts)
            node.isCategorical = true
            node.start = starts[set] + Int32(firstWord)
            node.end = starts[set + 1] + Int32(firstWord)
        }
        if node.feature < Tree.leaf {
            let (number, starts) = (Int(-2 - node.feature), tree.projections.starts)
            node.start = starts[number] + Int32(firstTerm)
            node.end = starts[number + 1] + Int32(firstTerm)
        }
        return node
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
    ///
    /// `threads` (at least 1) share the rows; the scores do not depend on their number.
    public func predict(
        _ rows: FeatureMatrix, threads: Int = 1
    ) throws(DatasetError) -> [Float] {
        guard rows.featureCount == featureCount else {
            throw .shape("rows have \(rows.featureCount) features, the model has \(featureCount)")
        }
        return [Float](unsafeUninitializedCapacity: rows.rowCount * outputCount) { buffer, count in
            rows.values.withUnsafeBufferPointer { values in
                if let base = values.baseAddress, let scores = buffer.baseAddress {
                    predict(rows: base, count: rows.rowCount, into: scores, threads: threads)
                }
            }
            count = rows.rowCount * outputCount
        }
    }

    private func predict(
        rows: UnsafePointer<Float>, count: Int, into scores: UnsafeMutablePointer<Float>,
        threads: Int
    ) {
        // Each share writes to scores of its own rows.
        nonisolated(unsafe) let (rows, scores) = (rows, scores)
        let shareCount = (count + Self.shareRowCount - 1) / Self.shareRowCount
        Parallel.forEach(shareCount, threads: max(1, threads)) { share, _ in
            let start = share * Self.shareRowCount
            predict(
                rows: rows + start * featureCount, count: min(Self.shareRowCount, count - start),
                into: scores + start * outputCount)
        }
    }

    private func predict(
        rows: UnsafePointer<Float>, count: Int, into scores: UnsafeMutablePointer<Float>
    ) {
        let blockSize = min(count, Self.blockRowCount)
        withUnsafeTemporaryAllocation(of: Double.self, capacity: blockSize * scoreCount) { sums in
            guard let sums = sums.baseAddress else { return }
            for start in stride(from: 0, to: count, by: Self.blockRowCount) {
                let blockCount = min(Self.blockRowCount, count - start)
                for row in 0..<blockCount {
                    begin(sums + row * scoreCount, of: rows + (start + row) * featureCount)
                }
                addLeaves(of: rows + start * featureCount, count: blockCount, to: sums)
                for row in 0..<blockCount {
                    finish(sums + row * scoreCount, into: scores + (start + row) * outputCount)
                }
            }
        }
    }

    /// What a row's scores are before the first tree.
    private func begin(_ sums: UnsafeMutablePointer<Double>, of row: UnsafePointer<Float>) {
        for output in 0..<scoreCount {
            var sum = baseScores[output]
            if let linear {
                // Trees are divided at the end; linear parts and averages never meet.
                for feature in 0..<featureCount {
                    let value = row[feature].isNaN ? imputations[feature] : row[feature]
                    sum += linear[output * featureCount + feature] * Double(value)
                }
            }
            (sums + output).initialize(to: sum)
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
                for (number, root) in roots.enumerated() {
                    let tree = nodes + root.firstNode
                    let output = leafWidth == scoreCount ? 0 : number % scoreCount
                    for row in 0..<count {
                        let values = rows + row * featureCount
                        let leaf =
                            isPlain
                            ? Self.leaf(of: values, in: tree) : anyLeaf(of: values, in: tree)
                        let added = leafValues + root.firstLeafValue + leaf * leafWidth
                        let sum = sums + row * scoreCount + output
                        for index in 0..<leafWidth { sum[index] += Double(added[index]) }
                    }
                }
            }
        }
    }

    /// The leaf of a row in a tree whose nodes may test anything.
    private func anyLeaf(of row: UnsafePointer<Float>, in tree: UnsafePointer<Node>) -> Int {
        var node = tree[0]
        while node.feature != Tree.leaf {
            node = tree[Int(node.child) &+ (goesLeft(row, at: node) ? 0 : 1)]
        }
        return Int(node.child)
    }

    private func goesLeft(_ row: UnsafePointer<Float>, at node: Node) -> Bool {
        if node.isCategorical {
            return categoryWords.withUnsafeBufferPointer { words in
                guard let words = words.baseAddress else { return node.missingGoesLeft }
                let set = Int(node.start)..<Int(node.end)
                return CategorySets.contains(row[Int(node.feature)], words, set)
                    ?? node.missingGoesLeft
            }
        }
        guard node.feature < 0 else {
            let value = row[Int(node.feature)]
            return value <= node.threshold || (value.isNaN && node.missingGoesLeft)
        }
        var sum = 0.0
        for term in Int(node.start)..<Int(node.end) {
            let feature = Int(termFeatures[term])
            let value = row[feature].isNaN ? imputations[feature] : row[feature]
            sum += Double(termWeights[term]) * Double(value)
        }
        return sum <= Double(node.threshold)
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

    private static let sumMax = Double(Float.greatestFiniteMagnitude)

    /// From a row's sums to its scores.
    private func finish(
        _ sums: UnsafeMutablePointer<Double>, into scores: UnsafeMutablePointer<Float>
    ) {
        for output in 0..<scoreCount {
            // What a linear part makes of huge values stays a number that JSON has.
            sums[output] = min(max(sums[output] / divisor, -Self.sumMax), Self.sumMax)
        }
        switch transform {
        case .identity:
            for output in 0..<scoreCount { scores[output] = Float(sums[output]) }
        case .logistic where scoreCount == 1:
            scores[0] = Float(PortableMath.logistic(-sums[0]))
            scores[1] = Float(PortableMath.logistic(sums[0]))
        case .logistic:
            for output in 0..<scoreCount {
                scores[output] = Float(PortableMath.logistic(sums[output]))
            }
        case .exponential:
            // A score that overflows stays a number that JSON has.
            for output in 0..<scoreCount {
                let value = Float(PortableMath.exp(sums[output]))
                scores[output] = min(value, Float.greatestFiniteMagnitude)
            }
        case .softmax:
            var greatest = sums[0]
            for output in 1..<scoreCount { greatest = max(greatest, sums[output]) }
            var total = 0.0
            for output in 0..<scoreCount {
                sums[output] = PortableMath.exp(sums[output] - greatest)
                total += sums[output]
            }
            for output in 0..<scoreCount { scores[output] = Float(sums[output] / total) }
        }
    }
}
