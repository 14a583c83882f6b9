import Synchronization

/// Holds all trees of an ensemble against the rules that every walk relies on, in a few linear
/// passes over the columns of some trees at a time. It only finds the tree; `Tree.validate` says
/// what is wrong with it.
struct TreeCheck {
    private let columns: TreeColumns
    private let featureCount: Int32

    /// Words of a set of as many categories as a feature may have.
    static let setWordsMax = Int32((FeatureKind.levelCountMax + 31) / 32)

    init(_ columns: TreeColumns, featureCount: Int) {
        self.columns = columns
        self.featureCount = Int32(featureCount)
    }

    /// A tree that breaks a rule.
    struct Fault: Error {
        let tree: Int
    }

    /// The depth of each tree: 0 for one leaf. Throws the first tree that breaks a rule.
    ///
    /// Threads share the trees; one of them does `work` first, which has nothing to do with them.
    func depths(beside work: (@Sendable () -> Void)? = nil) throws(Fault) -> [Int32] {
        let faulty = Atomic<Int>(.max)
        let depths = [Int32](unsafeUninitializedCapacity: columns.treeCount) { depths, count in
            depths.initialize(repeating: 0)
            nonisolated(unsafe) let target = depths
            columns.withView { trees in
                nonisolated(unsafe) let trees = trees
                let (runs, others) = (trees.runs(), work == nil ? 0 : 1)
                HelperPool.shared.forEach(
                    runs.count + others, threads: HelperPool.loadThreadCount
                ) { index, _ in
                    guard index >= others else {
                        work?()
                        return
                    }
                    let found = firstFault(in: runs[index - others], trees, target)
                    if let found { faulty.min(found, ordering: .relaxed) }
                }
            }
            count = columns.treeCount
        }
        let first = faulty.load(ordering: .relaxed)
        guard first == .max else { throw Fault(tree: first) }
        return depths
    }

    /// Finds the depths of some trees up to the first that breaks a rule, which it returns.
    private func firstFault(
        in run: Range<Int>, _ trees: ColumnsView, _ depths: UnsafeMutableBufferPointer<Int32>
    ) -> Int? {
        let nodes = trees.nodes(of: run)
        let numbersAreSound = hasSoundNumbers(nodes, values: trees.values(of: run), trees)
        let room = Self.levelCount(of: run.reduce(0) { max($0, trees.nodes(of: $1).count) })
        return withUnsafeTemporaryAllocation(of: Int32.self, capacity: room) {
            guard let levels = $0.baseAddress else { return run.lowerBound }
            for tree in run {
                guard
                    let depth = depth(of: tree, trees, levels, numbersAreSound: numbersAreSound)
                else { return tree }
                depths[tree] = depth
            }
            return nil
        }
    }

    /// A tree's depth; nil if it breaks a rule. `numbersAreSound` says that those of all trees are,
    /// so that no one's need another look.
    private func depth(
        of tree: Int, _ trees: ColumnsView, _ levels: UnsafeMutablePointer<Int32>,
        numbersAreSound: Bool
    ) -> Int32? {
        let (nodes, leafCount) = (trees.nodes(of: tree), trees.leafCount(of: tree))
        guard !nodes.isEmpty, nodes.count <= Int(Int32.max), leafCount <= Int(Int32.max) else {
            return nil
        }
        if !numbersAreSound {
            let values = trees.values(of: tree..<tree + 1)
            guard hasSoundNumbers(nodes, values: values, trees) else { return nil }
        }
        guard hasSoundSets(tree, nodes), hasSoundProjections(tree) else { return nil }
        return depth(of: tree, nodes, leafCount: leafCount, trees, levels)
    }

    private func hasSoundNumbers(
        _ nodes: Range<Int>, values: Range<Int>, _ trees: ColumnsView
    ) -> Bool {
        let areFinite =
            values.isEmpty
            || trees.leafValues.baseAddress.map {
                Self.areFinite($0 + values.lowerBound, count: values.count)
            } ?? false
        guard areFinite else { return false }
        guard !nodes.isEmpty else { return true }
        guard let thresholds = trees.threshold.baseAddress,
            let flags = trees.missingGoesLeft.baseAddress
        else { return false }
        return Self.areComparable(thresholds + nodes.lowerBound, count: nodes.count)
            && Self.areFlags(flags + nodes.lowerBound, count: nodes.count)
            && hasSoundCover(nodes)
    }

    private func hasSoundCover(_ nodes: Range<Int>) -> Bool {
        guard !columns.cover.isEmpty else { return true }
        return columns.cover.withElements { cover in
            guard let cover = cover.baseAddress.map({ $0 + nodes.lowerBound }) else { return false }
            return Self.areFinite(cover, count: nodes.count)
                && Self.areNotNegative(cover, count: nodes.count)
        }
    }

    /// The depth of a tree whose children and leaves exist and have one parent each; nil of others.
    private func depth(
        of tree: Int, _ nodes: Range<Int>, leafCount: Int, _ trees: ColumnsView,
        _ levels: UnsafeMutablePointer<Int32>
    ) -> Int32? {
        let projectionCount =
            columns.projections.count == 0
            ? 0
            : columns.projections.treeStarts[tree + 1] - columns.projections.treeStarts[tree]
        guard let features = trees.feature.baseAddress, let children = trees.child.baseAddress,
            let lowest = Int32(exactly: -1 - Int(projectionCount))
        else { return nil }
        let (ownFeatures, ownChildren) = (
            features + nodes.lowerBound, children + nodes.lowerBound
        )
        guard
            Self.areInRange(
                ownFeatures, ownChildren, count: Int32(nodes.count), lowest: lowest,
                featureCount: featureCount, leafCount: Int32(leafCount))
        else { return nil }
        return Self.depth(ownFeatures, ownChildren, count: nodes.count, levels)
    }

    private func hasSoundSets(_ tree: Int, _ nodes: Range<Int>) -> Bool {
        let sets = columns.sets
        guard sets.count > 0 else { return true }
        let own = Int(sets.treeStarts[tree])..<Int(sets.treeStarts[tree + 1])
        let areSmall = sets.wordStarts.withElements { starts in
            own.allSatisfy { starts[$0 + 1] - starts[$0] <= UInt64(Self.setWordsMax) }
        }
        return areSmall
            && sets.ofNodes.withElements { ofNodes in
                columns.splitFeature.withElements { features in
                    nodes.allSatisfy { node in
                        ofNodes[node] == -1
                            || (ofNodes[node] >= 0 && Int(ofNodes[node]) < own.count
                                && features[node] >= 0)
                    }
                }
            }
    }

    private func hasSoundProjections(_ tree: Int) -> Bool {
        let projections = columns.projections
        guard projections.count > 0 else { return true }
        let first = projections.termStarts[Int(projections.treeStarts[tree])]
        let last = projections.termStarts[Int(projections.treeStarts[tree + 1])]
        let terms = Int(first)..<Int(last)
        return projections.features.withElements { features in
            projections.weights.withElements { weights in
                terms.allSatisfy {
                    features[$0] >= 0 && features[$0] < featureCount && weights[$0].isFinite
                }
            }
        }
    }
}

/// The passes themselves: no branch and no call inside, so that they run several nodes at a time.
/// What is wrong is gathered in the sign of a word.
extension TreeCheck {
    private static func areFinite(_ values: UnsafePointer<Float>, count: Int) -> Bool {
        var bad: UInt32 = 0
        // Magnitudes from infinity's on reach the sign.
        for index in 0..<count {
            bad |= (values[index].bitPattern & 0x7FFF_FFFF) &+ 0x0080_0000
        }
        return bad < 0x8000_0000
    }

    private static func areComparable(_ values: UnsafePointer<Float>, count: Int) -> Bool {
        var bad: UInt32 = 0
        // Magnitudes beyond infinity's reach the sign.
        for index in 0..<count {
            bad |= (values[index].bitPattern & 0x7FFF_FFFF) &+ 0x007F_FFFF
        }
        return bad < 0x8000_0000
    }

    private static func areNotNegative(_ values: UnsafePointer<Float>, count: Int) -> Bool {
        var bad: UInt32 = 0
        // Magnitudes from 1 on reach the sign: −0 is no negative number.
        for index in 0..<count {
            let bits = values[index].bitPattern
            bad |= bits & ((bits & 0x7FFF_FFFF) &+ 0x7FFF_FFFF)
        }
        return bad < 0x8000_0000
    }

    private static func areFlags(_ flags: UnsafePointer<UInt8>, count: Int) -> Bool {
        var all: UInt8 = 0
        for index in 0..<count { all |= flags[index] }
        return all <= 1
    }

    /// Whether every node tests a feature or projection that exists and has children behind it
    /// within the tree, or is a leaf that exists. No count is negative, `lowest` is.
    private static func areInRange(
        _ features: UnsafePointer<Int32>, _ children: UnsafePointer<Int32>, count: Int32,
        lowest: Int32, featureCount: Int32, leafCount: Int32
    ) -> Bool {
        var bad: Int32 = 0
        let last = count &- 1
        for place in 0..<Int(count) {
            let (feature, child) = (features[place], children[place])
            let isLeaf: Int32 = feature == Tree.leaf ? -1 : 0
            // Greater than the one and less than the other; −1 for a leaf's lower bound.
            let lower = Int32(truncatingIfNeeded: place) | isLeaf
            let upper = leafCount & isLeaf | last & ~isLeaf
            bad |= child | (child &- lower &- 1) | (upper &- 1 &- child)
            bad |= feature < lowest ? -1 : 0
            bad |= feature < featureCount ? 0 : -1
        }
        return bad >= 0
    }

    /// Words that `depth` needs for a tree: the root, each two nodes, and what leaves write.
    private static func levelCount(of nodeCount: Int) -> Int { nodeCount / 2 + 2 }

    /// The depth of a tree in which every node but the root is the child of exactly one other; nil
    /// of others. All children are in range; `levels` has room for `levelCount` words.
    ///
    /// Node 1 can only be a left child, so 2 is its sibling, 3 a left child again, and so on:
    /// siblings make the pairs (1, 2), (3, 4), …, of which each must have one parent.
    private static func depth(
        _ features: UnsafePointer<Int32>, _ children: UnsafePointer<Int32>, count: Int,
        _ levels: UnsafeMutablePointer<Int32>
    ) -> Int32? {
        let pairCount = count / 2
        levels.initialize(repeating: 0, count: levelCount(of: count))
        // One more than the depth, so that 0 is a pair without a parent.
        levels[0] = 1
        let idle = Int32(truncatingIfNeeded: pairCount &+ 1)
        var innerCount: Int32 = 0
        var odd: Int32 = 1
        for node in 0..<count {
            let isLeaf: Int32 = features[node] == Tree.leaf ? -1 : 0
            let child = children[node]
            odd &= child | isLeaf
            let pair = Int32(bitPattern: UInt32(bitPattern: child) &>> 1) &+ 1
            let place = idle & isLeaf | pair & ~isLeaf
            levels[Int(place)] = levels[(node &+ 1) &>> 1] &+ 1
            innerCount &+= isLeaf &+ 1
        }
        guard odd == 1, Int(innerCount) == pairCount, count % 2 == 1 else { return nil }
        // As many parents as pairs, and each pair has one.
        var (deepest, orphans): (Int32, Int32) = (1, 0)
        for pair in 0..<pairCount &+ 1 {
            orphans |= levels[pair] &- 1
            deepest = max(deepest, levels[pair])
        }
        return orphans >= 0 ? deepest &- 1 : nil
    }
}
