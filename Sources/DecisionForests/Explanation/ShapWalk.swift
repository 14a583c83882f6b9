internal import ForestKernels

/// One tree as the nodes and steps that `ShapKernel` goes through, and the mean of its leaves.
///
/// Made once per explainer. The tree must have passed `Tree.validate`.
struct ShapWalk: Sendable {
    typealias Node = ShapKernel.Node

    private(set) var steps: [Int32] = []
    /// In the order in which they are entered.
    private(set) var nodes: [Node] = []
    /// Slots that the walk uses.
    private(set) var slotCount = 2
    /// The most different features that a path tests.
    private(set) var featuresOfPathMax = 0
    /// Per output, the leaves' values weighed by how much of the training weight reached them.
    private(set) var means: [Double]

    /// The edge that was last taken on the way to the node at hand, for each feature.
    private struct Edge {
        var slot: Int32
        var share: Double
    }

    /// What is left to do while the steps are written.
    private enum Errand {
        case enter(node: Int, slot: Int, weight: Double)
        /// Goes to a child by an edge of the feature.
        case follow(node: Int, feature: Int, edge: Edge, weight: Double)
        case leave(place: Int, feature: Int, edge: Edge?)
    }

    /// Throws for a tree without covers, with weighted sums or with paths too long.
    ///
    /// - Parameters:
    ///   - number: The tree's, for errors.
    ///   - firstWord: Where its sets of categories start among those of the ensemble.
    init(
        _ tree: Tree, number: Int, leafWidth: Int, firstWord: Int
    ) throws(ExplanationError) {
        guard tree.cover.count == tree.nodeCount else { throw .noCovers(tree: number) }
        guard tree.leafValues.count <= Int(Int32.max) else {
            throw .shape(tree: number, problem: "it has more than 2^31 - 1 leaf values")
        }
        means = Array(repeating: 0, count: leafWidth)
        var edges: [Int: Edge] = [:]
        var errands = [Errand.enter(node: 0, slot: 0, weight: 1)]
        while let errand = errands.popLast() {
            switch errand {
            case .follow(let node, let feature, let edge, let weight):
                edges[feature] = edge
                errands.append(.enter(node: node, slot: Int(edge.slot), weight: weight))
            case .leave(let place, let feature, let edge):
                edges[feature] = edge
                steps.append(Int32(-1 - place))
            case .enter(let node, let slot, let weight):
                if tree.splitFeature[node] == Tree.leaf {
                    appendLeaf(node, of: tree, slot: slot, weight: weight)
                } else {
                    errands += try open(
                        node, of: tree, number: number, slot: slot, weight: weight,
                        firstWord: firstWord, edges: edges)
                }
            }
        }
    }

    private mutating func appendLeaf(_ index: Int, of tree: Tree, slot: Int, weight: Double) {
        let first = Int(tree.leftChild[index]) * means.count
        var node = ShapKernel.node(kind: ShapKernel.leaf, slot: Int32(slot))
        node.start = Int32(first)
        append(node)
        for output in means.indices {
            means[output] += weight * Double(tree.leafValues[first + output])
        }
    }

    private mutating func append(_ node: Node) {
        steps.append(Int32(nodes.count))
        nodes.append(node)
    }

    /// Enters an inner node; returns what must follow, the first thing last.
    private mutating func open(
        _ node: Int, of tree: Tree, number: Int, slot: Int, weight: Double, firstWord: Int,
        edges: [Int: Edge]
    ) throws(ExplanationError) -> [Errand] {
        let feature = Int(tree.splitFeature[node])
        guard feature >= 0 else { throw .weightedSum(tree: number, node: node) }
        let childSlot = slot / 2 * 2 + 2
        let child = Int(tree.leftChild[node])
        let earlier = edges[feature]
        try note(number, featuresOfPath: edges.count + (earlier == nil ? 1 : 0), childSlot)
        var inner = ShapKernel.node(kind: ShapKernel.number, slot: Int32(slot))
        inner.childSlot = Int32(childSlot)
        inner.earlierSlot = earlier?.slot ?? -1
        inner.feature = Int32(feature)
        inner.threshold = tree.threshold[node]
        if tree.isCategorical(node) {
            let (set, starts) = (Int(tree.categorySet[node]), tree.categorySets.starts)
            inner.kind = ShapKernel.category
            inner.start = Int32(firstWord) + starts[set]
            inner.end = Int32(firstWord) + starts[set + 1]
        }
        if tree.missingGoesLeft[node] { inner.kind += ShapKernel.missingGoesLeft }
        (inner.leftRatio, inner.rightRatio) = Self.ratios(
            tree.cover[child], tree.cover[child + 1])
        inner.share = earlier?.share ?? 1
        append(inner)
        let left = Edge(slot: Int32(childSlot), share: inner.share * inner.leftRatio)
        let right = Edge(slot: Int32(childSlot + 1), share: inner.share * inner.rightRatio)
        return [
            .leave(place: nodes.count - 1, feature: feature, edge: earlier),
            .follow(
                node: child + 1, feature: feature, edge: right, weight: weight * inner.rightRatio),
            .follow(node: child, feature: feature, edge: left, weight: weight * inner.leftRatio),
        ]
    }

    private mutating func note(
        _ tree: Int, featuresOfPath: Int, _ childSlot: Int
    ) throws(ExplanationError) {
        featuresOfPathMax = max(featuresOfPathMax, featuresOfPath)
        slotCount = max(slotCount, childSlot + 2)
        guard slotCount <= 2 * TreeExplainer.pathMax else {
            throw .shape(
                tree: tree, problem: "a path has \(TreeExplainer.pathMax) tests or more")
        }
    }

    /// The shares of both children; halves where no weight reached either.
    static func ratios(_ left: Float, _ right: Float) -> (left: Double, right: Double) {
        let sum = Double(left) + Double(right)
        return sum > 0 ? (Double(left) / sum, Double(right) / sum) : (0.5, 0.5)
    }
}
