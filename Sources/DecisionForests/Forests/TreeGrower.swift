/// Grows one tree after another on one thread, which owns this grower and all its buffers.
///
/// Depth first, or best first where the number of leaves is limited: a node's rows are a range of
/// one array; a split divides the range in place, keeping the rows' order.
final class TreeGrower<Kernel: SplitKernel> {
    private typealias Payload = Kernel.Payload

    let plan: GrowthPlan
    let kernel: Kernel
    let rowCount: Int
    let featureCount: Int
    /// The plan's bins, column after column; they outlive the grower.
    private let bins: UnsafePointer<UInt8>
    private let rows: UnsafeMutablePointer<UInt32>
    private let payloads: UnsafeMutablePointer<Payload>
    /// Where the rows that go right wait while a node is divided.
    private let waitingRows: UnsafeMutablePointer<UInt32>
    private let waitingPayloads: UnsafeMutablePointer<Payload>
    /// 0 ..< featureCount between two nodes.
    let featureOrder: UnsafeMutablePointer<Int32>
    /// What each turn of a node's choice exchanged, to undo it.
    let swaps: UnsafeMutablePointer<Int32>
    private var block: RowBlock
    private var rootWeight = 0.0

    /// A node whose rows are known and which is not yet a leaf or split.
    struct PendingNode {
        let index: Int
        let start: Int
        let count: Int
        let depth: Int
        let chance: Chance
        /// Whether its rows are numbered by their positions in the block.
        var isInBlock = false
    }

    init(plan: GrowthPlan, bins: UnsafePointer<UInt8>, kernel: Kernel) {
        self.plan = plan
        self.bins = bins
        self.kernel = kernel
        rowCount = plan.data.rowCount
        featureCount = plan.data.featureCount
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
        var root = PendingNode(
            index: 0, start: 0, count: drawRows(tree: number), depth: 0,
            chance: chance.child(0x726F_6F74))  // "root"
        enterBlock(&root)
        open(root)
        rootWeight = kernel.weight
        var growing = GrowingTree()
        if let leafCountMax = plan.parameters.maxLeafNodes {
            growBestFirst(from: root, leafCountMax: leafCountMax, in: &growing)
        } else {
            growDepthFirst(from: root, in: &growing)
        }
        return growing.tree
    }

    private func growDepthFirst(from root: PendingNode, in growing: inout GrowingTree) {
        var pending = [root]
        while var node = pending.popLast() {
            enterBlock(&node)
            open(node)
            guard let split = bestSplit(of: node) else {
                growing.makeLeaf(node.index, kernel)
                continue
            }
            let (left, right) = divide(node, by: split, in: &growing)
            pending.append(right)
            pending.append(left)
        }
    }

    /// Gathers the rows of a node that is small enough and not yet in the block. What the block
    /// held before is lost: all its nodes must be done.
    private func enterBlock(_ node: inout PendingNode) {
        guard !node.isInBlock, node.count <= block.rowCountMax else { return }
        block.open(rows + node.start, count: node.count)
        node.isInBlock = true
    }

    /// Makes the node the kernel's node at hand.
    func open(_ node: PendingNode) {
        kernel.open(payloads + node.start, count: node.count)
    }

    /// The best split of the node at hand, nil if it must be a leaf.
    func bestSplit(of node: PendingNode) -> Split? {
        let parameters = plan.parameters
        guard node.count >= parameters.minSamplesSplit,
            node.count >= 2 * parameters.minSamplesLeaf,
            node.depth < parameters.maxDepth ?? .max, !kernel.isPure,
            let split = searchFeatures(of: node)
        else { return nil }
        guard
            parameters.minImpurityDecrease == 0
                || decrease(by: split) >= parameters.minImpurityDecrease
        else { return nil }
        return split
    }

    /// How much the split of the node at hand lowers the tree's impurity.
    func decrease(by split: Split) -> Double { kernel.decrease(by: split) / rootWeight }

    /// A node's rows, seen through one feature.
    func view(_ feature: Int, of node: PendingNode) -> NodeRows<Kernel.Payload> {
        NodeRows(
            bins: column(feature, of: node), rows: rows + node.start,
            payloads: payloads + node.start, count: node.count,
            leafCountMin: plan.parameters.minSamplesLeaf,
            isCategorical: !plan.data.binner.categoryBins[feature].isEmpty)
    }

    /// The feature's bins by the numbers that the node's rows have.
    private func column(_ feature: Int, of node: PendingNode) -> UnsafePointer<UInt8> {
        let column = bins + feature * rowCount
        return node.isInBlock ? block.bins(of: feature, from: column) : column
    }

    /// Splits the node at hand and returns its children.
    func divide(
        _ node: PendingNode, by split: Split, in growing: inout GrowingTree
    ) -> (left: PendingNode, right: PendingNode) {
        let gain = decrease(by: split)
        let (leftCount, seen) = part(node, by: split)
        let child = growing.split(
            node.index, by: split, gain: gain, weight: kernel.weight,
            // Where no row of the node told, missing values follow the greater part of the rows.
            missingGoesLeft: split.hasMissing
                ? split.missingGoesLeft : 2 * leftCount > node.count,
            seen: seen, data: plan.data)
        return (
            PendingNode(
                index: child, start: node.start, count: leftCount, depth: node.depth + 1,
                chance: node.chance.child(0), isInBlock: node.isInBlock),
            PendingNode(
                index: child + 1, start: node.start + leftCount, count: node.count - leftCount,
                depth: node.depth + 1, chance: node.chance.child(1), isInBlock: node.isInBlock)
        )
    }

    /// Puts the node's rows that go left before those that go right. Tells how many go left, and of
    /// a categorical feature which bins there were.
    private func part(
        _ node: PendingNode, by split: Split
    ) -> (leftCount: Int, seen: BinMask) {
        let column = column(Int(split.feature), of: node)
        var seen = BinMask()
        if var leftBins = split.leftBins {
            if split.missingGoesLeft { leftBins.insert(FeatureBinner.missingBin) }
            let leftCount = part(node, column) { bin in
                seen.insert(bin)
                return leftBins.contains(bin) ? 1 : 0
            }
            return (leftCount, seen)
        }
        let lastLeftBin = split.lastLeftBin
        // The missing bin is above all others: it goes left only if it is asked for by itself.
        let leftToo = split.missingGoesLeft ? FeatureBinner.missingBin : lastLeftBin
        let leftCount = part(node, column) { bin in
            (bin <= lastLeftBin ? 1 : 0) | (bin == leftToo ? 1 : 0)
        }
        return (leftCount, seen)
    }

    @inline(__always)
    private func part(
        _ node: PendingNode, _ column: UnsafePointer<UInt8>, goesLeft: (UInt8) -> Int
    ) -> Int {
        let (rows, payloads) = (rows + node.start, payloads + node.start)
        let (waitingRows, waitingPayloads) = (waitingRows, waitingPayloads)
        var (leftCount, rightCount) = (0, 0)
        for index in 0..<node.count {
            let row = rows[index]
            let payload = payloads[index]
            let isLeft = goesLeft(column[Int(row)])
            // Both are written and one counter moves: no branch to mispredict.
            rows[leftCount] = row
            payloads[leftCount] = payload
            (waitingRows + rightCount).initialize(to: row)
            (waitingPayloads + rightCount).initialize(to: payload)
            leftCount &+= isLeft
            rightCount &+= 1 &- isLeft
        }
        (rows + leftCount).update(from: waitingRows, count: rightCount)
        (payloads + leftCount).update(from: waitingPayloads, count: rightCount)
        return leftCount
    }
}

extension TreeGrower {
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
}
