/// Holds all trees of an ensemble against the rules that every walk relies on, in a few linear
/// passes over the columns. It only finds the tree; `Tree.validate` says what is wrong with it.
struct TreeCheck {
    private let columns: TreeColumns
    private let featureCount: Int32

    /// Words of a set of as many categories as a feature may have.
    static let setWordsMax = Int32((FeatureKind.levelCountMax + 31) / 32)

    init(_ columns: TreeColumns, featureCount: Int) {
        self.columns = columns
        self.featureCount = Int32(featureCount)
    }

    /// The first tree that breaks a rule; nil if all are sound.
    func firstFault() -> Int? {
        columns.withView { trees in
            let values = 0..<trees.leafValues.count
            let numbersAreSound = hasSoundNumbers(0..<trees.feature.count, values: values, trees)
            let nodeCountMax = (0..<trees.treeCount).reduce(0) {
                max($0, trees.nodes(of: $1).count)
            }
            return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: nodeCountMax + 2) {
                guard let marks = $0.baseAddress else { return nil }
                return (0..<trees.treeCount).first {
                    !isSound($0, trees, marks, numbersAreSound: numbersAreSound)
                }
            }
        }
    }

    /// `numbersAreSound` says that those of all trees are, so that no one's need another look.
    private func isSound(
        _ tree: Int, _ trees: ColumnsView, _ marks: UnsafeMutablePointer<UInt8>,
        numbersAreSound: Bool
    ) -> Bool {
        let (nodes, leafCount) = (trees.nodes(of: tree), trees.leafCount(of: tree))
        guard !nodes.isEmpty, nodes.count <= Int(Int32.max), leafCount <= Int(Int32.max) else {
            return false
        }
        if !numbersAreSound {
            let first = Int(trees.leafStarts[tree]) * trees.leafWidth
            let values = first..<first + leafCount * trees.leafWidth
            guard hasSoundNumbers(nodes, values: values, trees) else { return false }
        }
        return hasSoundSets(tree, nodes) && hasSoundProjections(tree)
            && hasSoundShape(tree, nodes, leafCount: leafCount, trees, marks)
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

    private func hasSoundShape(
        _ tree: Int, _ nodes: Range<Int>, leafCount: Int, _ trees: ColumnsView,
        _ marks: UnsafeMutablePointer<UInt8>
    ) -> Bool {
        let projectionCount =
            columns.projections.count == 0
            ? 0
            : columns.projections.treeStarts[tree + 1] - columns.projections.treeStarts[tree]
        guard let features = trees.feature.baseAddress, let children = trees.child.baseAddress,
            let lowest = Int32(exactly: -1 - Int(projectionCount))
        else { return false }
        let (ownFeatures, ownChildren) = (
            features + nodes.lowerBound, children + nodes.lowerBound
        )
        return Self.areInRange(
            ownFeatures, ownChildren, count: Int32(nodes.count), lowest: lowest,
            featureCount: featureCount, leafCount: Int32(leafCount))
            && Self.haveOneParentEach(ownFeatures, ownChildren, count: nodes.count, marks)
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
extension TreeCheck {
    private static func areFinite(_ values: UnsafePointer<Float>, count: Int) -> Bool {
        var bad: UInt32 = 0
        for index in 0..<count {
            let exponent = values[index].bitPattern & 0x7F80_0000
            bad |= exponent == 0x7F80_0000 ? 1 : 0
        }
        return bad == 0
    }

    private static func areComparable(_ values: UnsafePointer<Float>, count: Int) -> Bool {
        var bad: UInt32 = 0
        for index in 0..<count { bad |= values[index] != values[index] ? 1 : 0 }
        return bad == 0
    }

    private static func areNotNegative(_ values: UnsafePointer<Float>, count: Int) -> Bool {
        var bad: UInt32 = 0
        for index in 0..<count { bad |= values[index] < 0 ? 1 : 0 }
        return bad == 0
    }

    private static func areFlags(_ flags: UnsafePointer<UInt8>, count: Int) -> Bool {
        var all: UInt8 = 0
        for index in 0..<count { all |= flags[index] }
        return all <= 1
    }

    /// Whether every node tests a feature or projection that exists and has children behind it
    /// within the tree, or is a leaf that exists.
    private static func areInRange(
        _ features: UnsafePointer<Int32>, _ children: UnsafePointer<Int32>, count: Int32,
        lowest: Int32, featureCount: Int32, leafCount: Int32
    ) -> Bool {
        var bad: UInt32 = 0
        for place in 0..<Int(count) {
            let (feature, child) = (features[place], children[place])
            let node = Int32(truncatingIfNeeded: place)
            let isLeaf: UInt32 = feature == Tree.leaf ? 1 : 0
            let isNoLeaf: UInt32 = child < 0 ? 1 : 0
            let isBeyond: UInt32 = child >= leafCount ? 1 : 0
            let isUnknown: UInt32 = feature < lowest ? 1 : 0
            let isTooLarge: UInt32 = feature >= featureCount ? 1 : 0
            let isBehind: UInt32 = child <= node ? 1 : 0
            let isOutside: UInt32 = child >= count &- 1 ? 1 : 0
            bad |= isLeaf & (isNoLeaf | isBeyond)
            bad |= (1 &- isLeaf) & (isUnknown | isTooLarge | isBehind | isOutside)
        }
        return bad == 0
    }

    /// Whether every node but the root is the child of exactly one other. All children are in
    /// range; `marks` has room for two more than there are nodes.
    private static func haveOneParentEach(
        _ features: UnsafePointer<Int32>, _ children: UnsafePointer<Int32>, count: Int,
        _ marks: UnsafeMutablePointer<UInt8>
    ) -> Bool {
        marks.initialize(repeating: 0, count: count + 2)
        var innerCount = 0
        for node in 0..<count {
            let isLeaf = features[node] == Tree.leaf
            // Leaves mark what stands behind the tree.
            let child = isLeaf ? count : Int(children[node])
            marks[child] = 1
            marks[child + 1] = 1
            innerCount &+= isLeaf ? 0 : 1
        }
        // As many children as there are nodes behind the root, and each of those is one.
        var markCount = 0
        for node in 1..<max(1, count) { markCount &+= Int(marks[node]) }
        return markCount == count - 1 && 2 * innerCount == count - 1
    }
}
