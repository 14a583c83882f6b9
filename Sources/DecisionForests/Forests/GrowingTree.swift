/// A tree to which nodes are added: each is a leaf without an answer until it is made one or split.
struct GrowingTree {
    private var growing = Tree(
        splitFeature: [], threshold: [], missingGoesLeft: [], leftChild: [], leafValues: [])
    private var leafCount: Int32 = 0

    /// The tree as it is; without categories if no node has any.
    var tree: Tree {
        var tree = growing
        if tree.categorySets.count == 0 { tree.categorySet = [] }
        return tree
    }

    /// A tree of its root.
    init() { append() }

    /// Makes a node a leaf that answers like the kernel's node at hand.
    mutating func makeLeaf(_ node: Int, _ kernel: some SplitKernel) {
        kernel.appendLeaf(to: &growing.leafValues)
        growing.leftChild[node] = leafCount
        growing.cover[node] = Float(kernel.weight)
        leafCount += 1
    }

    /// Makes a node of this weight an inner one and returns the left child's number; the right
    /// one's is the next.
    ///
    /// Categories that none of the node's rows has, being not in `seen`, go where missing values
    /// go.
    mutating func split(
        _ node: Int, by split: Split, gain: Double, weight: Double, missingGoesLeft: Bool,
        seen: BinMask, data: BinnedDataset
    ) -> Int {
        let child = growing.nodeCount
        growing.splitFeature[node] = split.feature
        if let leftBins = split.leftBins {
            let bins = (0..<FeatureBinner.missingBin).filter {
                seen.contains($0) ? leftBins.contains($0) : missingGoesLeft
            }
            let feature = Int(split.feature)
            growing.categorySet[node] = growing.categorySets.append(
                data.binner.codes(of: feature, in: BinMask(bins)),
                levelCount: data.binner.categoryBins[feature].count)
        } else {
            growing.threshold[node] = data.threshold(of: split)
        }
        growing.missingGoesLeft[node] = missingGoesLeft
        growing.leftChild[node] = Int32(child)
        growing.cover[node] = Float(weight)
        growing.splitGains[node] = Float(gain)
        append()
        append()
        return child
    }

    private mutating func append() {
        growing.splitFeature.append(Tree.leaf)
        growing.threshold.append(0)
        growing.missingGoesLeft.append(false)
        growing.leftChild.append(0)
        growing.cover.append(0)
        growing.splitGains.append(0)
        growing.categorySet.append(-1)
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
