/// Trees whose nodes may test anything, walked one by one: the layout for weighted sums of features
/// and for ensembles larger than the other layouts' fields.
struct GeneralLayout: Sendable {
    private struct Node {
        var threshold: Float
        /// The feature, or `Tree.leaf`, or below that a projection.
        var feature: Int32
        /// Against the tree's own first node, or first leaf.
        var child: Int32
        var missingGoesLeft: Bool
        var isCategorical = false
        /// The set of a categorical node, the projection of an oblique one: a range of the layout's
        /// words or terms.
        var start: Int32 = 0
        var end: Int32 = 0
    }

    private struct Root {
        var firstNode: Int
        var firstLeafValue: Int
    }

    private var nodes: [Node] = []
    private var leafValues: [Float] = []
    private var roots: [Root] = []
    private var categoryWords: [UInt32] = []
    private var termFeatures: [Int32] = []
    private var termWeights: [Float] = []
    private let imputations: [Float]
    private let leafWidth: Int
    private let outputCount: Int
    private let unknownFollowsMissing: Bool

    init(_ ensemble: TreeEnsemble, _ columns: TreeColumns) {
        imputations = ensemble.imputations
        leafWidth = ensemble.leafWidth
        outputCount = ensemble.outputCount
        unknownFollowsMissing = ensemble.unknownCategory == .followsMissing
        categoryWords = columns.sets.words[0..<columns.sets.words.count]
        let terms = 0..<columns.projections.features.count
        termFeatures = columns.projections.features[terms]
        termWeights = columns.projections.weights[terms]
        nodes.reserveCapacity(columns.nodeCount)
        columns.withView { trees in
            leafValues = Array(trees.leafValues)
            for tree in 0..<trees.treeCount {
                roots.append(
                    Root(
                        firstNode: nodes.count,
                        firstLeafValue: Int(trees.leafStarts[tree]) * leafWidth))
                for node in trees.nodes(of: tree) {
                    nodes.append(Self.node(node, of: tree, trees, columns))
                }
            }
        }
    }

    private static func node(
        _ index: Int, of tree: Int, _ trees: ColumnsView, _ columns: TreeColumns
    ) -> Node {
        let (sets, projections) = (columns.sets, columns.projections)
        var node = Node(
            threshold: trees.threshold[index], feature: trees.feature[index],
            child: trees.child[index], missingGoesLeft: trees.missingGoesLeft[index] != 0)
        if node.feature >= 0, sets.count > 0, sets.ofNodes[index] >= 0 {
            let set = Int(sets.treeStarts[tree]) + Int(sets.ofNodes[index])
            node.isCategorical = true
            node.start = Int32(sets.wordStarts[set])
            node.end = Int32(sets.wordStarts[set + 1])
        }
        if node.feature < Tree.leaf {
            let number = Int(projections.treeStarts[tree]) + Int(-2 - node.feature)
            node.start = Int32(projections.termStarts[number])
            node.end = Int32(projections.termStarts[number + 1])
        }
        return node
    }

    /// Adds the trees' values of rows to their sums, `outputCount` a row.
    func add(
        rows: UnsafePointer<Float>, count: Int, featureCount: Int,
        to sums: UnsafeMutablePointer<Double>
    ) {
        nodes.withUnsafeBufferPointer { nodes in
            leafValues.withUnsafeBufferPointer { leafValues in
                guard let nodes = nodes.baseAddress, let leafValues = leafValues.baseAddress else {
                    return
                }
                for (number, root) in roots.enumerated() {
                    let tree = nodes + root.firstNode
                    let output = leafWidth == outputCount ? 0 : number % outputCount
                    for row in 0..<count {
                        let values = rows + row * featureCount
                        let leaf = leaf(of: values, in: tree)
                        let added = leafValues + root.firstLeafValue + leaf * leafWidth
                        let sum = sums + row * outputCount + output
                        for index in 0..<leafWidth { sum[index] += Double(added[index]) }
                    }
                }
            }
        }
    }

    /// Writes the number of the leaf that each row ends in, tree by tree, row after row.
    func findLeaves(
        of rows: UnsafePointer<Float>, count: Int, featureCount: Int,
        into leaves: UnsafeMutablePointer<Int32>
    ) {
        nodes.withUnsafeBufferPointer { nodes in
            guard let nodes = nodes.baseAddress else { return }
            for (number, root) in roots.enumerated() {
                let tree = nodes + root.firstNode
                for row in 0..<count {
                    let leaf = leaf(of: rows + row * featureCount, in: tree)
                    (leaves + (row * roots.count + number)).initialize(to: Int32(leaf))
                }
            }
        }
    }

    /// The leaf of a row in a tree whose nodes may test anything.
    private func leaf(of row: UnsafePointer<Float>, in tree: UnsafePointer<Node>) -> Int {
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
                let value = row[Int(node.feature)]
                return CategorySets.contains(value, words, set)
                    ?? (node.missingGoesLeft && (unknownFollowsMissing || value.isNaN))
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
}
