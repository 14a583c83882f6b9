/// Grows one tree after another on one thread, which owns this grower and all its buffers.
///
/// Depth first: a node's rows are a range of one array; a split divides the range in place, keeping
/// the rows' order. At each node features are tried in a random order until enough were seen and
/// one was not constant (as in scikit-learn: constant ones count, but never end the search).
final class TreeGrower<Kernel: SplitKernel> {
    private typealias Payload = Kernel.Payload

    private let plan: GrowthPlan
    /// The plan's bins, column after column; they outlive the grower.
    private let bins: UnsafePointer<UInt8>
    private let kernel: Kernel
    private let rowCount: Int
    private let featureCount: Int
    private let rows: UnsafeMutablePointer<UInt32>
    private let payloads: UnsafeMutablePointer<Payload>
    /// Where the rows that go right wait while a node is divided.
    private let waitingRows: UnsafeMutablePointer<UInt32>
    private let waitingPayloads: UnsafeMutablePointer<Payload>
    /// 0 ..< featureCount between two nodes.
    private let featureOrder: UnsafeMutablePointer<Int32>
    /// What each turn of a node's choice exchanged, to undo it.
    private let swaps: UnsafeMutablePointer<Int32>
    private var block: RowBlock

    /// A node whose rows are known and which is not yet a leaf or split.
    private struct PendingNode {
        let index: Int
        let start: Int
        let count: Int
        let depth: Int
        let chance: Chance
        /// Whether its rows are numbered by their positions in the block.
        var isInBlock: Bool
    }

    init(plan: GrowthPlan, bins: UnsafePointer<UInt8>, kernel: Kernel) {
        self.plan = plan
        self.bins = bins
        self.kernel = kernel
        rowCount = plan.data.dataset.rowCount
        featureCount = plan.data.dataset.featureCount
        rows = .allocate(capacity: rowCount)
        payloads = .allocate(capacity: rowCount)
        waitingRows = .allocate(capacity: rowCount)
        waitingPayloads = .allocate(capacity: rowCount)
        featureOrder = .allocate(capacity: featureCount)
        for feature in 0..<featureCount {
            (featureOrder + feature).initialize(to: Int32(feature))
        }
        swaps = .allocate(capacity: featureCount)
        swaps.initialize(repeating: 0, count: featureCount)
        block = RowBlock(rowCount: rowCount, featureCount: featureCount)
    }

    deinit {
        rows.deallocate()
        payloads.deallocate()
        waitingRows.deallocate()
        waitingPayloads.deallocate()
        featureOrder.deallocate()
        swaps.deallocate()
        block.deallocate()
    }

    /// The tree of this number.
    func grow(tree number: Int) -> Tree {
        let chance = RowSample.chance(seed: plan.parameters.seed, tree: number)
        let rootCount = drawRows(tree: number)
        var tree = Tree(
            splitFeature: [], threshold: [], missingGoesLeft: [], leftChild: [], leafValues: [])
        tree.appendNode()
        var leafCount: Int32 = 0
        var pending = [
            PendingNode(
                index: 0, start: 0, count: rootCount, depth: 0,
                chance: chance.child(0x726F_6F74), isInBlock: false)  // "root"
        ]
        while var node = pending.popLast() {
            kernel.open(payloads + node.start, count: node.count)
            guard mayBeSplit(node), let split = bestSplit(of: &node) else {
                kernel.appendLeaf(to: &tree.leafValues)
                tree.leftChild[node.index] = leafCount
                leafCount += 1
                continue
            }
            let leftCount = divide(node, by: split)
            let left = tree.nodeCount
            record(split, at: node, leftCount: leftCount, in: &tree)
            pending.append(
                PendingNode(
                    index: left + 1, start: node.start + leftCount, count: node.count - leftCount,
                    depth: node.depth + 1, chance: node.chance.child(1),
                    isInBlock: node.isInBlock))
            pending.append(
                PendingNode(
                    index: left, start: node.start, count: leftCount, depth: node.depth + 1,
                    chance: node.chance.child(0), isInBlock: node.isInBlock))
        }
        return tree
    }

    /// Fills `rows` and `payloads` with the tree's rows in ascending order; returns how many.
    ///
    /// A sample that misses every row of nonzero weight is replaced by all rows.
    private func drawRows(tree: Int) -> Int {
        waitingRows.initialize(repeating: 0, count: rowCount)
        plan.sample.draw(tree: tree, into: waitingRows)
        let count = takeDrawnRows()
        if count > 0 { return count }
        waitingRows.update(repeating: 1, count: rowCount)
        return takeDrawnRows()
    }

    /// Takes the rows that `waitingRows` counts, with the plan's weights.
    private func takeDrawnRows() -> Int {
        let (rows, payloads, draws) = (rows, payloads, waitingRows)
        var count = 0
        func take(_ row: Int, _ weight: UInt32) {
            // Written always and kept if it counts: no branch to mispredict.
            (rows + count).initialize(to: UInt32(truncatingIfNeeded: row))
            (payloads + count).initialize(to: kernel.payload(row: row, weight: weight))
            count &+= weight > 0 ? 1 : 0
        }
        if let weights = plan.weights {
            for row in 0..<rowCount { take(row, draws[row] &* weights[row]) }
        } else {
            for row in 0..<rowCount { take(row, draws[row]) }
        }
        return count
    }

    private func mayBeSplit(_ node: PendingNode) -> Bool {
        let parameters = plan.parameters
        return node.count >= parameters.minSamplesSplit
            && node.count >= 2 * parameters.minSamplesLeaf
            && node.depth < parameters.maxDepth ?? .max && !kernel.isPure
    }

    private func bestSplit(of node: inout PendingNode) -> Split? {
        if !node.isInBlock, node.count <= block.rowCountMax {
            block.open(rows + node.start, count: node.count)
            node.isInBlock = true
        }
        var best = Split()
        let (featureOrder, swaps) = (featureOrder, swaps)
        var (tried, hasVaried) = (0, false)
        while tried < featureCount, tried < plan.featuresPerNode || !hasVaried {
            let pick = tried + node.chance.index(below: featureCount - tried, UInt64(tried) + 2)
            let feature = featureOrder[pick]
            featureOrder[pick] = featureOrder[tried]
            featureOrder[tried] = feature
            swaps[tried] = Int32(truncatingIfNeeded: pick)
            tried += 1
            if search(feature, of: node, best: &best) { hasVaried = true }
        }
        // Undone, so that a node's features depend on the node alone.
        for turn in stride(from: tried - 1, through: 0, by: -1) {
            let pick = Int(swaps[turn])
            let feature = featureOrder[pick]
            featureOrder[pick] = featureOrder[turn]
            featureOrder[turn] = feature
        }
        return best.feature == Int32.max ? nil : best
    }

    private func search(_ feature: Int32, of node: PendingNode, best: inout Split) -> Bool {
        let view = NodeRows<Payload>(
            bins: column(Int(feature), of: node), rows: rows + node.start,
            payloads: payloads + node.start, count: node.count,
            leafCountMin: plan.parameters.minSamplesLeaf)
        return kernel.search(view, feature: feature, best: &best)
    }

    /// The feature's bins by the numbers that the node's rows have.
    private func column(_ feature: Int, of node: PendingNode) -> UnsafePointer<UInt8> {
        let column = bins + feature * rowCount
        return node.isInBlock ? block.bins(of: feature, from: column) : column
    }

    /// Puts the node's rows that go left before those that go right; returns how many go left.
    private func divide(_ node: PendingNode, by split: Split) -> Int {
        let (rows, payloads) = (rows + node.start, payloads + node.start)
        let (waitingRows, waitingPayloads) = (waitingRows, waitingPayloads)
        let column = column(Int(split.feature), of: node)
        let lastLeftBin = split.lastLeftBin
        // The missing bin is above all others: it goes left only if it is asked for by itself.
        let leftToo = split.missingGoesLeft ? FeatureBinner.missingBin : lastLeftBin
        var (leftCount, rightCount) = (0, 0)
        for index in 0..<node.count {
            let row = rows[index]
            let payload = payloads[index]
            let bin = column[Int(row)]
            let goesLeft = (bin <= lastLeftBin ? 1 : 0) | (bin == leftToo ? 1 : 0)
            // Both are written and one counter moves: no branch to mispredict.
            rows[leftCount] = row
            payloads[leftCount] = payload
            (waitingRows + rightCount).initialize(to: row)
            (waitingPayloads + rightCount).initialize(to: payload)
            leftCount &+= goesLeft
            rightCount &+= 1 &- goesLeft
        }
        (rows + leftCount).update(from: waitingRows, count: rightCount)
        (payloads + leftCount).update(from: waitingPayloads, count: rightCount)
        return leftCount
    }

    /// Makes the node an inner one and appends its children.
    private func record(
        _ split: Split, at node: PendingNode, leftCount: Int, in tree: inout Tree
    ) {
        let bins = Int(split.feature) * 256
        tree.splitFeature[node.index] = split.feature
        tree.threshold[node.index] =
            split.firstRightBin == FeatureBinner.missingBin
            ? .greatestFiniteMagnitude
            : FeatureBinner.midpoint(
                plan.data.greatestInBin[bins + Int(split.lastLeftBin)],
                plan.data.leastInBin[bins + Int(split.firstRightBin)])
        // Where no row of the node told, missing values follow the greater part of the rows.
        tree.missingGoesLeft[node.index] =
            split.hasMissing ? split.missingGoesLeft : 2 * leftCount > node.count
        tree.leftChild[node.index] = Int32(tree.nodeCount)
        tree.appendNode()
        tree.appendNode()
    }
}

extension Tree {
    /// One more node, a leaf for now.
    fileprivate mutating func appendNode() {
        splitFeature.append(Tree.leaf)
        threshold.append(0)
        missingGoesLeft.append(false)
        leftChild.append(0)
    }
}
