/// A tree to which nodes are added: each is a leaf without an answer until it is made one or split.
struct GrowingTree {
    private(set) var tree = Tree(
        splitFeature: [], threshold: [], missingGoesLeft: [], leftChild: [], leafValues: [])
    private var leafCount: Int32 = 0

    /// A tree of its root.
    init() { append() }

    /// Makes a node a leaf that answers like the kernel's node at hand.
    mutating func makeLeaf(_ node: Int, _ kernel: some SplitKernel) {
        kernel.appendLeaf(to: &tree.leafValues)
        tree.leftChild[node] = leafCount
        leafCount += 1
    }

    /// Makes a node an inner one and returns the left child's number; the right one's is the next.
    mutating func split(
        _ node: Int, by split: Split, gain: Double, missingGoesLeft: Bool, data: BinnedDataset
    ) -> Int {
        let child = tree.nodeCount
        tree.splitFeature[node] = split.feature
        tree.threshold[node] = data.threshold(of: split)
        tree.missingGoesLeft[node] = missingGoesLeft
        tree.leftChild[node] = Int32(child)
        tree.splitGains[node] = Float(gain)
        append()
        append()
        return child
    }

    private mutating func append() {
        tree.splitFeature.append(Tree.leaf)
        tree.threshold.append(0)
        tree.missingGoesLeft.append(false)
        tree.leftChild.append(0)
        tree.splitGains.append(0)
    }
}

extension BinnedDataset {
    /// The number that separates the two sides' values.
    fileprivate func threshold(of split: Split) -> Float {
        if !split.threshold.isNaN { return split.threshold }
        if split.firstRightBin == FeatureBinner.missingBin { return .greatestFiniteMagnitude }
        let bins = Int(split.feature) * 256
        return FeatureBinner.midpoint(
            greatestInBin[bins + Int(split.lastLeftBin)],
            leastInBin[bins + Int(split.firstRightBin)])
    }
}
