import DecisionForests

/// A tree ensemble as the parallel lists of a TreeEnsembleRegressor node (ai.onnx.ml 3).
struct ONNXTreeAttributes {
    private var treeIDs: [Int64] = []
    private var nodeIDs: [Int64] = []
    private var features: [Int64] = []
    private var modes: [String] = []
    private var thresholds: [Double] = []
    private var trueNodes: [Int64] = []
    private var falseNodes: [Int64] = []
    private var missingTracksTrue: [Int64] = []
    private var targetTrees: [Int64] = []
    private var targetNodes: [Int64] = []
    private var targetIDs: [Int64] = []
    private var targetWeights: [Double] = []
    private let ensemble: TreeEnsemble
    private let levelCounts: [Int]
    private let hasBase: Bool
    /// Projections that these trees' nodes compare: columns behind those of the features.
    private(set) var projectionCount = 0

    /// These trees of an ensemble. `levelCounts` has the levels of every feature, 0 for those that
    /// are not categorical; `hasBase` puts the base scores into the node.
    init(of ensemble: TreeEnsemble, trees: Range<Int>, levelCounts: [Int], hasBase: Bool) {
        self.ensemble = ensemble
        self.levelCounts = levelCounts
        self.hasBase = hasBase
        for index in trees {
            let tree = ensemble.trees[index]
            append(tree, number: index, id: Int64(index - trees.lowerBound))
            projectionCount += tree.projections.count
        }
    }

    /// In the alphabetical order that ONNX's own tools write.
    var attributes: [(name: String, value: ONNXGraph.Attribute)] {
        var attributes: [(name: String, value: ONNXGraph.Attribute)] = [
            ("aggregate_function", .string("SUM"))
        ]
        if hasBase, ensemble.baseScores.contains(where: { $0 != 0 }) {
            attributes.append(
                ("base_values_as_tensor", .doubles(ensemble.baseScores.map(Double.init))))
        }
        attributes += [
            ("n_targets", .integer(Int64(ensemble.outputCount))),
            ("nodes_falsenodeids", .integers(falseNodes)),
            ("nodes_featureids", .integers(features)),
            ("nodes_missing_value_tracks_true", .integers(missingTracksTrue)),
            ("nodes_modes", .strings(modes)),
            ("nodes_nodeids", .integers(nodeIDs)),
            ("nodes_treeids", .integers(treeIDs)),
            ("nodes_truenodeids", .integers(trueNodes)),
            ("nodes_values_as_tensor", .doubles(thresholds)),
            ("post_transform", .string("NONE")),
            ("target_ids", .integers(targetIDs)),
            ("target_nodeids", .integers(targetNodes)),
            ("target_treeids", .integers(targetTrees)),
            ("target_weights_as_tensor", .doubles(targetWeights)),
        ]
        return attributes
    }

    /// A node of ONNX's lists.
    private struct Node {
        var id: Int64
        var feature: Int64 = 0
        var mode = "LEAF"
        var value = 0.0
        var whenTrue: Int64 = 0
        var whenFalse: Int64 = 0
        var missingIsTrue = false
    }

    private mutating func append(_ tree: Tree, number: Int, id: Int64) {
        var next = Int64(tree.nodeCount)
        var chained: [Node] = []
        for node in 0..<tree.nodeCount {
            let feature = Int(tree.splitFeature[node])
            let child = Int64(tree.leftChild[node])
            guard tree.splitFeature[node] != Tree.leaf else {
                append(Node(id: Int64(node)), treeID: id)
                appendLeaf(Int(child), of: tree, number: number, at: Int64(node), treeID: id)
                continue
            }
            if !tree.categorySet.isEmpty, tree.categorySet[node] >= 0 {
                let chain = chain(for: node, of: tree, next: &next)
                append(chain[0], treeID: id)
                chained += chain.dropFirst()
                continue
            }
            // A weighted sum is never missing, since its features are imputed.
            let isProjection = feature < 0
            let column =
                isProjection ? ensemble.featureCount + projectionCount - 2 - feature : feature
            append(
                Node(
                    id: Int64(node), feature: Int64(column), mode: "BRANCH_LEQ",
                    value: Double(tree.threshold[node]), whenTrue: child, whenFalse: child + 1,
                    missingIsTrue: !isProjection && tree.missingGoesLeft[node]), treeID: id)
        }
        chained.forEach { append($0, treeID: id) }
    }

    /// A categorical node as one question per category of its smaller side: "is it this one?" Every
    /// yes leads to that side, the last no to the other. ONNX Runtime makes one bit set of as many
    /// as 64 such nodes.
    ///
    /// Only levels of the feature count, for the graph's input turns every other text into NaN.
    private func chain(for node: Int, of tree: Tree, next: inout Int64) -> [Node] {
        let feature = Int(tree.splitFeature[node])
        let (left, right) = tree.sides(of: node, levelCount: levelCounts[feature])
        let child = Int64(tree.leftChild[node])
        let missingGoesLeft = tree.missingGoesLeft[node]
        guard !left.isEmpty, !right.isEmpty else {
            let bound = left.isEmpty ? -1 : Double(left.count)
            return [
                Node(
                    id: Int64(node), feature: Int64(feature), mode: "BRANCH_LEQ", value: bound,
                    whenTrue: child, whenFalse: child + 1, missingIsTrue: missingGoesLeft)
            ]
        }
        let asksLeft = left.count <= right.count
        let codes = asksLeft ? left : right
        let (yes, no) = asksLeft ? (child, child + 1) : (child + 1, child)
        var chain: [Node] = []
        for (place, code) in codes.enumerated() {
            let own = place == 0 ? Int64(node) : next
            if place > 0 { next += 1 }
            chain.append(
                Node(
                    id: own, feature: Int64(feature), mode: "BRANCH_EQ", value: Double(code),
                    whenTrue: yes, whenFalse: place == codes.count - 1 ? no : next,
                    missingIsTrue: missingGoesLeft == asksLeft))
        }
        return chain
    }

    private mutating func append(_ node: Node, treeID: Int64) {
        treeIDs.append(treeID)
        nodeIDs.append(node.id)
        features.append(node.feature)
        modes.append(node.mode)
        thresholds.append(node.value)
        trueNodes.append(node.whenTrue)
        falseNodes.append(node.whenFalse)
        missingTracksTrue.append(node.missingIsTrue ? 1 : 0)
    }

    private mutating func appendLeaf(
        _ leaf: Int, of tree: Tree, number: Int, at node: Int64, treeID: Int64
    ) {
        let (width, outputs) = (ensemble.leafWidth, ensemble.outputCount)
        let treesPerOutput = ensemble.trees.count * width / outputs
        let divisor = ensemble.aggregation == .average ? Double(treesPerOutput) : 1
        for place in 0..<width {
            targetTrees.append(treeID)
            targetNodes.append(node)
            targetIDs.append(Int64(width == outputs ? place : number % outputs))
            targetWeights.append(Double(tree.leafValues[leaf * width + place]) / divisor)
        }
    }
}

extension Tree {
    /// The levels that a categorical node sends left, and those that it sends right.
    fileprivate func sides(of node: Int, levelCount: Int) -> (left: [Int], right: [Int]) {
        let set = Int(categorySet[node])
        let words = categorySets.words[
            Int(categorySets.starts[set])..<Int(categorySets.starts[set + 1])]
        var (left, right): ([Int], [Int]) = ([], [])
        for code in 0..<levelCount {
            let word = words.startIndex + code / 32
            let goesLeft =
                word < words.endIndex
                ? words[word] >> UInt32(code % 32) & 1 == 1 : missingGoesLeft[node]
            if goesLeft { left.append(code) } else { right.append(code) }
        }
        return (left, right)
    }
}
