/// How a boosted tree comes into being, node by node.
extension Tree {
    /// A tree of one leaf that this many rows reach.
    static func stump(rowCount: Int) -> Tree {
        Tree(
            splitFeature: [Tree.leaf], threshold: [0], missingGoesLeft: [false], leftChild: [0],
            leafValues: [], cover: [Float(rowCount)], splitGains: [0])
    }

    /// Makes a leaf an inner node with two leaves, the next two nodes, reached by `rowCounts` rows.
    mutating func split(
        _ node: Int, by split: NodeSplit, gain: Double, missingGoesLeft goesLeft: Bool,
        rowCounts: (left: Int, right: Int), plan: BoosterPlan
    ) {
        splitFeature[node] = Int32(split.feature)
        missingGoesLeft[node] = goesLeft
        leftChild[node] = Int32(nodeCount)
        splitGains[node] = Float(gain)
        let edges = plan.data.binner.edges[split.feature]
        if let set = split.categories {
            if categorySet.isEmpty { categorySet = Array(repeating: -1, count: nodeCount) }
            let codes = (plan.levels[split.feature] ?? []).filter { set.contains($0.bin) }
            let levels = plan.dataset.featureKinds[split.feature].levels ?? []
            categorySet[node] = categorySets.append(codes.map(\.code), levelCount: levels.count)
        } else {
            // Beyond the last edge all values go left; only the missing ones go right.
            threshold[node] =
                split.lastLeftBin < edges.count
                ? edges[split.lastLeftBin] : .greatestFiniteMagnitude
        }
        appendLeaf(rowCount: rowCounts.left)
        appendLeaf(rowCount: rowCounts.right)
    }

    private mutating func appendLeaf(rowCount: Int) {
        splitFeature.append(Tree.leaf)
        threshold.append(0)
        missingGoesLeft.append(false)
        leftChild.append(0)
        cover.append(Float(rowCount))
        splitGains.append(0)
        if !categorySet.isEmpty { categorySet.append(-1) }
    }
}
