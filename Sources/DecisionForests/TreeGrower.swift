/// Grows one tree after another on one thread, which owns this grower and all its buffers.
///
/// Depth first: a node's rows are a range of one array; a split divides the range in place, keeping
/// the rows' order. At each node features are tried in a random order until enough were seen and
/// one was not constant (as in scikit-learn: constant ones count, but never end the search).
final class TreeGrower<Kernel: SplitKernel> {
    private typealias Payload = Kernel.Payload

    private let plan: GrowthPlan
    private let kernel: Kernel
    private let rowCount: Int
    private let rows: UnsafeMutablePointer<UInt32>
    private let payloads: UnsafeMutablePointer<Payload>
    /// Where the rows that go right wait while a node is divided.
    private let waitingRows: UnsafeMutablePointer<UInt32>
    private let waitingPayloads: UnsafeMutablePointer<Payload>
    /// 0 ..< featureCount between two nodes.
    private var featureOrder: [Int32]
    private var swaps: [Int32] = []

    /// A node whose rows are known and which is not yet a leaf or split.
    private struct PendingNode {
        let index: Int
        let start: Int
        let count: Int
        let depth: Int
        let chance: Chance
    }

    init(plan: GrowthPlan, kernel: Kernel) {
        self.plan = plan
        self.kernel = kernel
        rowCount = plan.data.dataset.rowCount
        rows = .allocate(capacity: rowCount)
        payloads = .allocate(capacity: rowCount)
        waitingRows = .allocate(capacity: rowCount)
        waitingPayloads = .allocate(capacity: rowCount)
        featureOrder = (0..<Int32(plan.data.dataset.featureCount)).map { $0 }
    }

    deinit {
        rows.deallocate()
        payloads.deallocate()
        waitingRows.deallocate()
        waitingPayloads.deallocate()
    }

    /// The tree of this number.
    func grow(tree number: Int) -> Tree {
        let chance = Chance(seed: plan.parameters.seed).child(UInt64(bitPattern: Int64(number)))
        let rootCount = drawRows(chance.child(0x726F7773))  // "rows"
        var tree = Tree(
            splitFeature: [], threshold: [], missingGoesLeft: [], leftChild: [], leafValues: [])
        tree.appendNode()
        var leafCount: Int32 = 0
        var pending = [
            PendingNode(
                index: 0, start: 0, count: rootCount, depth: 0, chance: chance.child(0x726F6F74))
        ]
        while let node = pending.popLast() {
            kernel.open(payloads + node.start, count: node.count)
            guard mayBeSplit(node), let split = bestSplit(of: node) else {
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
                    depth: node.depth + 1, chance: node.chance.child(1)))
            pending.append(
                PendingNode(
                    index: left, start: node.start, count: leftCount, depth: node.depth + 1,
                    chance: node.chance.child(0)))
        }
        return tree
    }

    /// Fills `rows` and `payloads` with the tree's rows in ascending order; returns how many.
    ///
    /// A bootstrap that misses every row of nonzero weight is replaced by all rows.
    private func drawRows(_ chance: Chance) -> Int {
        if plan.parameters.bootstrap {
            var draws = [UInt32](repeating: 0, count: rowCount)
            draws.withUnsafeMutableBufferPointer { draws in
                for turn in 0..<rowCount {
                    draws[chance.index(below: rowCount, UInt64(turn))] += 1
                }
            }
            let count = takeRows { draws[$0] }
            if count > 0 { return count }
        }
        return takeRows { _ in 1 }
    }

    private func takeRows(drawn: (Int) -> UInt32) -> Int {
        var count = 0
        for row in 0..<rowCount {
            let weight = drawn(row) * (plan.weights.map { $0[row] } ?? 1)
            guard weight > 0 else { continue }
            (rows + count).initialize(to: UInt32(row))
            (payloads + count).initialize(to: kernel.payload(row: row, weight: weight))
            count += 1
        }
        return count
    }

    private func mayBeSplit(_ node: PendingNode) -> Bool {
        let parameters = plan.parameters
        return node.count >= parameters.minSamplesSplit
            && node.count >= 2 * parameters.minSamplesLeaf
            && node.depth < parameters.maxDepth ?? .max && !kernel.isPure
    }

    private func bestSplit(of node: PendingNode) -> Split? {
        var best = Split()
        let featureCount = featureOrder.count
        var (tried, hasVaried) = (0, false)
        swaps.removeAll(keepingCapacity: true)
        while tried < featureCount, tried < plan.featuresPerNode || !hasVaried {
            let pick = tried + node.chance.index(below: featureCount - tried, UInt64(tried) + 2)
            featureOrder.swapAt(tried, pick)
            swaps.append(Int32(pick))
            let feature = featureOrder[tried]
            tried += 1
            if search(feature, of: node, best: &best) { hasVaried = true }
        }
        // Undone, so that a node's features depend on the node alone.
        for turn in stride(from: tried - 1, through: 0, by: -1) {
            featureOrder.swapAt(turn, Int(swaps[turn]))
        }
        return best.feature == Int32.max ? nil : best
    }

    private func search(_ feature: Int32, of node: PendingNode, best: inout Split) -> Bool {
        plan.data.bins.withUnsafeBufferPointer { bins in
            guard let base = bins.baseAddress else { return false }
            let view = NodeRows<Payload>(
                bins: base + Int(feature) * rowCount, rows: rows + node.start,
                payloads: payloads + node.start, count: node.count,
                leafCountMin: plan.parameters.minSamplesLeaf)
            return kernel.search(view, feature: feature, best: &best)
        }
    }

    /// Puts the node's rows that go left before those that go right; returns how many go left.
    private func divide(_ node: PendingNode, by split: Split) -> Int {
        let (rows, payloads) = (rows + node.start, payloads + node.start)
        let (waitingRows, waitingPayloads) = (waitingRows, waitingPayloads)
        var (leftCount, rightCount) = (0, 0)
        plan.data.bins.withUnsafeBufferPointer { bins in
            let column = UnsafeBufferPointer(rebasing: bins[(Int(split.feature) * rowCount)...])
            for index in 0..<node.count {
                let row = rows[index]
                let bin = column[Int(row)]
                let goesLeft =
                    bin == FeatureBinner.missingBin
                    ? split.missingGoesLeft : bin <= split.lastLeftBin
                // Both are written and one counter moves: no branch to mispredict.
                let payload = payloads[index]
                rows[leftCount] = row
                payloads[leftCount] = payload
                (waitingRows + rightCount).initialize(to: row)
                (waitingPayloads + rightCount).initialize(to: payload)
                leftCount &+= goesLeft ? 1 : 0
                rightCount &+= goesLeft ? 0 : 1
            }
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
