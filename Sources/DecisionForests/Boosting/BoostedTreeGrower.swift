/// Grows one tree after another from rows whose gradients are in their entries.
///
/// A node's rows are a range of the entries. A split divides the range; the smaller child's
/// histogram is summed from its rows, the larger one's is what its parent's has more. Sums are
/// integers, so neither the rows' order within a node nor the number of threads matters.
final class BoostedTreeGrower {
    let plan: BoosterPlan
    let states: RowStates
    let histograms: HistogramStore
    /// Per worker, room for a `NumericSplitSearch`.
    let searchScratch: HugeBuffer<Double>
    /// Where each feature's best split is put while features are searched side by side: first for
    /// one node, then for its sibling.
    let found: UnsafeMutablePointer<NodeSplit>
    /// 1 for bins that go left in the split at hand.
    private let goesLeft: UnsafeMutablePointer<UInt8>

    /// Set for each tree.
    var rules: SplitRules
    var features: [Int] = []
    var activeTiles: [BinTiles.Tile] = []
    var chance: Chance

    /// A leaf that may be split yet.
    struct Leaf {
        /// Its node in the tree.
        let node: Int
        let depth: Int
        /// Its entries of rows that the tree sees, and of those it does not.
        var rows: Range<Int>
        var hidden: Range<Int>
        /// Sums of its rows in the histograms' units.
        var g: Int64 = 0
        var h: Int64 = 0
        /// Its histogram; nil if it has none.
        var slot: Int?
        var isPacked = false
        /// Its best split, nil if it stays a leaf.
        var split: NodeSplit?
        /// The gain of that split in the loss's units.
        var gain = 0.0
        /// Sums of the rows that the split sends left.
        var leftSums: (g: Int64, h: Int64) = (0, 0)
        /// What each side of a split must have besides what the rules say.
        var hessianMin = 0.0
        /// Where monotone features allow its value to be.
        var bounds: ClosedRange<Double> = -Double.infinity...Double.infinity
    }

    /// A tree without leaf values, and the rows of each leaf.
    struct Grown {
        var tree: Tree
        /// In the order of the leaves' numbers.
        var leaves: [Leaf]
    }

    init(plan: BoosterPlan, states: RowStates) {
        self.plan = plan
        self.states = states
        histograms = HistogramStore(
            featureCount: plan.tiles.paddedCount, leafCountMax: plan.parameters.leafCountMax,
            workerCount: plan.team.size)
        searchScratch = HugeBuffer(
            count: plan.team.size * NumericSplitSearch.scratchCount)
        found = .allocate(capacity: 2 * plan.dataset.featureCount)
        found.initialize(repeating: NodeSplit(), count: 2 * plan.dataset.featureCount)
        goesLeft = .allocate(capacity: 256)
        goesLeft.initialize(repeating: 0, count: 256)
        chance = plan.seed
        rules = SplitRules(
            plan.parameters,
            quanta: Quanta(gradient: 1, hessian: 1, isWide: false, histogramHessian: 1))
    }

    deinit {
        found.deallocate()
        goesLeft.deallocate()
    }

    /// A tree over entries whose first `seenCount` ones it sees. `chance` decides its features.
    func grow(seenCount: Int, quanta: Quanta, chance: Chance) -> Grown {
        self.chance = chance
        rules = SplitRules(plan.parameters, quanta: quanta)
        features = plan.features(chance: chance.child(0x6665_6174))  // "feat"
        activeTiles = plan.tiles.tiles.filter { tile in
            features.contains {
                (tile.firstFeature..<tile.firstFeature + tile.featureCount).contains($0)
            }
        }
        histograms.reset(clearingWorkers: plan.parameters.featureShare < 1)
        var tree = Tree.stump()
        var leaves = [
            Leaf(node: 0, depth: 0, rows: 0..<seenCount, hidden: seenCount..<states.rowCount)
        ]
        openRoot(&leaves[0])
        while leaves.count < plan.parameters.leafCountMax, let next = next(of: leaves) {
            split(next, of: &leaves, tree: &tree)
        }
        leaves.sort { $0.node < $1.node }
        for (number, leaf) in leaves.enumerated() { tree.leftChild[leaf.node] = Int32(number) }
        return Grown(tree: tree, leaves: leaves)
    }

    /// The leaf to split now: the greatest gain, or the level nearest to the root; ties go to the
    /// lower node number.
    private func next(of leaves: [Leaf]) -> Int? {
        let isDepthWise = plan.parameters.growth == .depthWise
        var best: Int?
        for (index, leaf) in leaves.enumerated() where leaf.split != nil {
            guard let known = best else {
                best = index
                continue
            }
            let other = leaves[known]
            let isBetter =
                isDepthWise
                ? (leaf.depth, leaf.node) < (other.depth, other.node)
                : leaf.gain > other.gain || (leaf.gain == other.gain && leaf.node < other.node)
            if isBetter { best = index }
        }
        return best
    }

    /// Splits a leaf, or gives it another split, or none, where its own proves too small on a side.
    private func split(_ index: Int, of leaves: inout [Leaf], tree: inout Tree) {
        guard let split = leaves[index].split else { return }
        let leaf = leaves[index]
        fillTable(split)
        let leftCount = divide(leaf.rows, by: split)
        let smaller = min(leftCount, leaf.rows.count - leftCount)
        guard smaller >= max(1, plan.parameters.minRowsInLeaf) else {
            searchAgain(&leaves[index], below: split)
            return
        }
        let missingGoesLeft =
            split.hasMissing ? split.missingGoesLeft : 2 * leftCount > leaf.rows.count
        goesLeft[Int(FeatureBinner.missingBin)] = missingGoesLeft ? 1 : 0
        let hiddenLeft = divide(leaf.hidden, by: split)
        let firstChild = tree.nodeCount
        tree.split(
            leaf.node, by: split, gain: leaf.gain, missingGoesLeft: missingGoesLeft, plan: plan)
        let middle = (
            rows: leaf.rows.lowerBound + leftCount, hidden: leaf.hidden.lowerBound + hiddenLeft
        )
        var left = Leaf(
            node: firstChild, depth: leaf.depth + 1, rows: leaf.rows.lowerBound..<middle.rows,
            hidden: leaf.hidden.lowerBound..<middle.hidden)
        var right = Leaf(
            node: firstChild + 1, depth: leaf.depth + 1,
            rows: middle.rows..<leaf.rows.upperBound, hidden: middle.hidden..<leaf.hidden.upperBound
        )
        (left.bounds, right.bounds) = childBounds(of: leaf, split)
        (left.g, left.h) = leaf.leftSums
        (right.g, right.h) = (leaf.g - left.g, leaf.h - left.h)
        // The local copy has the slot from now on; nobody may take it.
        leaves[index].slot = nil
        let isLast = leaves.count + 1 >= plan.parameters.leafCountMax
        open(&left, &right, parent: leaf, isLast: isLast, others: &leaves)
        leaves[index] = left
        leaves.append(right)
    }

    private func fillTable(_ split: NodeSplit) {
        for bin in 0..<256 {
            let isLeft = split.categories?.contains(bin) ?? (bin <= split.lastLeftBin)
            goesLeft[bin] = isLeft ? 1 : 0
        }
        goesLeft[Int(FeatureBinner.missingBin)] = split.missingGoesLeft ? 1 : 0
    }

    /// Rows below which one thread divides a node alone.
    private static let parallelRows = 65_536

    private static let chunkRows = 16_384

    /// Moves the entries that go left before the others; returns how many go left.
    private func divide(_ range: Range<Int>, by split: NodeSplit) -> Int {
        guard !range.isEmpty else { return 0 }
        let column = plan.columns + split.feature * states.rowCount
        let entries = states.entries.base + range.lowerBound
        let scratch = states.scratch.base + range.lowerBound
        guard plan.team.size > 1, range.count >= Self.parallelRows else {
            let left = plan.kernels.divide(entries, range.count, column, goesLeft, scratch)
            (entries + left).update(from: scratch, count: range.count - left)
            return left
        }
        return divideTogether(range.count, column: column, entries: entries, scratch: scratch)
    }

    private func divideTogether(
        _ count: Int, column: UnsafePointer<UInt8>, entries: UnsafeMutablePointer<UInt64>,
        scratch: UnsafeMutablePointer<UInt64>
    ) -> Int {
        let size = Self.chunkRows
        let chunkCount = (count + size - 1) / size
        let lefts = UnsafeMutablePointer<Int>.allocate(capacity: chunkCount)
        lefts.initialize(repeating: 0, count: chunkCount)
        defer { lefts.deallocate() }
        let (kernels, table) = (plan.kernels, goesLeft)
        plan.team.forEach(chunkCount) { chunk, _ in
            let start = chunk * size
            lefts[chunk] = kernels.divideApart(
                entries + start, min(size, count - start), column, table, scratch + start)
        }
        var before: [Int] = []
        var left = 0
        for chunk in 0..<chunkCount {
            before.append(left)
            left += lefts[chunk]
        }
        plan.team.forEach(chunkCount) { chunk, _ in
            let start = chunk * size
            let (mine, all) = (lefts[chunk], min(size, count - start))
            (entries + before[chunk]).update(from: scratch + start, count: mine)
            (entries + (left + start - before[chunk])).update(
                from: scratch + start + mine, count: all - mine)
        }
        return left
    }
}
