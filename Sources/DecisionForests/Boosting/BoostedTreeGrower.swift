/// Grows one tree after another from rows whose gradients are in their entries.
///
/// A node's rows are a range of the entries in each section. A split moves them to the same range
/// of the spare entries, one child's before the other's, and its children move theirs back. The
/// smaller child's histogram is summed from its rows, the larger one's is what its parent's has
/// more. Sums are integers, so neither the rows' order within a node nor the number of threads
/// matters.
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
    let goesLeft: UnsafeMutablePointer<UInt8>
    /// Per section, how many rows of the node at hand go left.
    let leftCounts: HugeBuffer<Int>

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
        var rows: SectionedRows
        var hidden: SectionedRows
        /// Whether its entries stand in `RowStates.spare`.
        var isInSpare = false
        /// Whether they stand from the last row to the first, more or less.
        var isReversed = false
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
        leftCounts = HugeBuffer(count: states.sections.ranges.count)
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

    /// A tree over the rows that the sample sees. `chance` decides its features.
    func grow(sample: RoundSample, quanta: Quanta, chance: Chance) -> Grown {
        self.chance = chance
        rules = SplitRules(plan.parameters, quanta: quanta)
        features = plan.features(chance: chance.child(0x6665_6174))  // "feat"
        activeTiles = plan.tiles.tiles.filter { tile in
            features.contains {
                (tile.firstFeature..<tile.firstFeature + tile.featureCount).contains($0)
            }
        }
        histograms.reset()
        var tree = Tree.stump(rowCount: sample.seen.count)
        var leaves = [Leaf(node: 0, depth: 0, rows: sample.seen, hidden: sample.hidden)]
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
        // The local copy has the slot from now on; nobody may take it.
        leaves[index].slot = nil
        let isLast = leaves.count + 1 >= plan.parameters.leafCountMax
        let division = divide(
            leaf, by: split, into: isLast ? nil : slotForChild(of: leaf, others: &leaves))
        let smaller = min(division.left.count, division.right.count)
        guard smaller >= max(1, plan.parameters.minRowsInLeaf) else {
            discard(division)
            leaves[index].slot = leaf.slot
            searchAgain(&leaves[index], below: split)
            return
        }
        var (left, right) = children(of: leaf, split, division, tree: &tree)
        open(
            &left, &right, parent: leaf, division: division, isLast: isLast, others: &leaves)
        leaves[index] = left
        leaves.append(right)
    }

    /// Adds the split to the tree, divides the rows that it does not see, and returns both leaves.
    private func children(
        of leaf: Leaf, _ split: NodeSplit, _ division: Division, tree: inout Tree
    ) -> (left: Leaf, right: Leaf) {
        let missingGoesLeft =
            split.hasMissing
            ? split.missingGoesLeft : division.left.count > division.right.count
        goesLeft[Int(FeatureBinner.missingBin)] = missingGoesLeft ? 1 : 0
        let firstChild = tree.nodeCount
        tree.split(
            leaf.node, by: split, gain: leaf.gain, missingGoesLeft: missingGoesLeft,
            rowCounts: (division.left.count, division.right.count), plan: plan)
        let hidden = divideHidden(leaf, by: split)
        var left = Leaf(
            node: firstChild, depth: leaf.depth + 1, rows: division.left, hidden: hidden.left)
        var right = Leaf(
            node: firstChild + 1, depth: leaf.depth + 1, rows: division.right,
            hidden: hidden.right)
        (left.isInSpare, right.isInSpare) = (!leaf.isInSpare, !leaf.isInSpare)
        (left.isReversed, right.isReversed) = (leaf.isReversed, !leaf.isReversed)
        (left.bounds, right.bounds) = childBounds(of: leaf, split)
        (left.g, left.h) = leaf.leftSums
        (right.g, right.h) = (leaf.g - left.g, leaf.h - left.h)
        return (left, right)
    }

    private func fillTable(_ split: NodeSplit) {
        for bin in 0..<256 {
            let isLeft = split.categories?.contains(bin) ?? (bin <= split.lastLeftBin)
            goesLeft[bin] = isLeft ? 1 : 0
        }
        goesLeft[Int(FeatureBinner.missingBin)] = split.missingGoesLeft ? 1 : 0
    }
}
