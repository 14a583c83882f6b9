internal import ForestKernels
import Synchronization

/// Trees of any size arranged for `WalkKernel`.
struct WalkLayout: Sendable {
    private typealias Node = WalkKernel.Node

    private let kernels: PredictionKernels
    private let inputs: ScoringInputs
    private let leafWidth: Int
    private let outputCount: Int
    private let nodes: HugeBuffer<Node>
    /// Where each tree's root stands, padded to whole groups by the last one.
    private var roots: [Int] = []
    private let depths: [Int]
    private let values: HugeBuffer<Float>
    /// Where each tree's leaf values start, and where the last one's end.
    private let valueStarts: [Int]
    private let treeCount: Int
    /// A row's keys and the one of slot 0, and the bits of a node that name one.
    private let slotCount: Int
    private let slotBits: Int

    /// Categorical nodes that are worth an input each: beyond, walks would test fewer than are
    /// made.
    private static let memberCountMax = 1_024

    /// Rows that `add` takes at once: as many as are worth reading a tree of some thousand leaves
    /// for.
    static var rowCountMax: Int { 512 }
    /// Keys of rows that walk through a tree before the next, at most: they leave trees half of a
    /// second cache of 512 KiB.
    private static var keyCountMax: Int { 65_536 }
    /// Rows from which walking them side by side beats walking each alone through many trees.
    private static var batchRowCountMin: Int { 6 }
    /// Bytes of the next tree that are asked for during 16 rows, at most: 16 lines for each, half
    /// the second cache for a whole block.
    private static var aheadSizePerGroup: Int { 16 * WalkKernel.lanes * WalkKernel.lineSize }

    /// Nil if the ensemble is larger than a node's fields, or if its nodes weigh features.
    init?(_ ensemble: TreeEnsemble, _ columns: TreeColumns, choice: KernelChoice) {
        guard columns.sets.count <= Self.memberCountMax,
            let (inputs, tests) = ScoringInputs.make(
                of: ensemble, columns, countMax: WalkKernel.slotCountMax - 1),
            let slotBits = WalkKernel.slotBits(inputs.count + 1)
        else { return nil }
        self.inputs = inputs
        (slotCount, self.slotBits) = (inputs.count + 1, slotBits)
        kernels = .of(choice)
        leafWidth = ensemble.leafWidth
        outputCount = ensemble.outputCount
        treeCount = columns.treeCount
        depths = columns.depths.map { Int($0) }
        nodes = HugeBuffer(unfilledCount: columns.nodeCount)
        nodes.takePages()
        values = HugeBuffer(unfilledCount: columns.leafValues.count)
        valueStarts = columns.withView { trees in
            trees.leafStarts.map { Int($0) * trees.leafWidth }
        }
        let isPlaced = columns.withView { trees in
            roots = trees.nodeStarts.dropLast().map { Int($0) }
            return tests.withView(trees) { Self.place($0, slotBits, nodes.base, values.base) }
        }
        guard isPlaced, let last = roots.last else { return nil }
        while roots.count % WalkKernel.lanes != 0 { roots.append(last) }
    }

    /// Makes the nodes of all trees and copies their values, each thread those of some trees; false
    /// if a node would stand too far from its parent.
    private static func place(
        _ tests: ScoringInputs.TestsView, _ slotBits: Int, _ nodes: UnsafeMutablePointer<Node>,
        _ values: UnsafeMutablePointer<Float>
    ) -> Bool {
        let isPlaced = Atomic<Bool>(true)
        nonisolated(unsafe) let (tests, nodes, values) = (tests, nodes, values)
        let runs = tests.trees.runs()
        HelperPool.shared.forEach(runs.count, threads: HelperPool.loadThreadCount) { index, _ in
            let trees = tests.trees
            let own = trees.values(of: runs[index])
            if let source = trees.leafValues.baseAddress {
                (values + own.lowerBound).update(from: source + own.lowerBound, count: own.count)
            }
            let areNear = runs[index].allSatisfy { tree in
                let range = trees.nodes(of: tree)
                let target = nodes + range.lowerBound
                return convert(range, tests, slotBits, target)
                    || rearrange(range, tests, slotBits, target)
            }
            if !areNear { isPlaced.store(false, ordering: .relaxed) }
        }
        return isPlaced.load(ordering: .relaxed)
    }

    /// Makes each node of a tree one of the layout, where it stands. False if that is no use: if a
    /// node stands too far from its parent, or unless the pairs of children stand as `rearrange`
    /// would place them, those of a left child, or else of the right one, at once after the pair.
    /// So our forests grow, whose nodes compare.
    private static func convert(
        _ range: Range<Int>, _ tests: ScoringInputs.TestsView, _ slotBits: Int,
        _ nodes: UnsafeMutablePointer<Node>
    ) -> Bool {
        let trees = tests.trees
        guard let inputs = tests.inputOfFeature, let features = trees.feature.baseAddress,
            let children = trees.child.baseAddress, let thresholds = trees.threshold.baseAddress,
            let flags = trees.missingGoesLeft.baseAddress
        else { return false }
        let first = range.lowerBound
        var (all, stray, siblingIsLeaf): (Int32, Int32, Int32) = (0, 0, -1)
        var made = Node(leaf: 0)
        let offsetShift = Int32(slotBits + 3)
        // No jump depends on what a node is: its kind is a mask.
        for place in 0..<range.count {
            let (feature, child) = (features[first &+ place], children[first &+ place])
            let isLeaf = feature &>> 31
            let input = inputs[2 &* (Int(feature) &+ 1) &+ Int(flags[first &+ place] & 1)]
            let offset = child &- Int32(truncatingIfNeeded: place)
            let threshold = Int32(
                bitPattern: FloatSorting.key(of: thresholds[first &+ place] + 0))
            // What the initialisers of `Node` do, which would be two calls into another module.
            made.word = UInt32(
                bitPattern: (offset &<< offsetShift | (input &+ 1) &<< 3) & ~isLeaf)
            made.threshold = UInt32(bitPattern: child & isLeaf | threshold & ~isLeaf)
            nodes[place] = made
            all |= offset & ~isLeaf
            // Left children have odd places.
            let isLeft = Int32(truncatingIfNeeded: place & 1)
            let isFirst = (0 &- isLeft) | siblingIsLeaf
            stray |= (offset ^ (1 &+ isLeft)) & ~isLeaf & isFirst
            siblingIsLeaf = isLeaf
        }
        return stray == 0 && all <= Int32(WalkKernel.offsetMax(slotBits: slotBits))
    }

    /// Places the pairs of children so that a left child's own follow at once; false if a node
    /// would stand too far from its parent.
    private static func rearrange(
        _ range: Range<Int>, _ tests: ScoringInputs.TestsView, _ slotBits: Int,
        _ nodes: UnsafeMutablePointer<Node>
    ) -> Bool {
        let trees = tests.trees
        let first = range.lowerBound
        let offsetMax = WalkKernel.offsetMax(slotBits: slotBits)
        var next = 1
        var pending = [(node: first, place: 0)]
        while let at = pending.popLast() {
            let child = Int(trees.child[at.node])
            let input = Int(tests.input(of: at.node))
            guard input >= 0 else {
                nodes[at.place] = Node(leaf: child)
                continue
            }
            let offset = next - at.place
            guard offset <= offsetMax else { return false }
            nodes[at.place] = Node(
                threshold: FloatSorting.key(of: tests.threshold(of: at.node) + 0),
                slot: input + 1, offset: offset, slotBits: slotBits)
            pending.append((first + child + 1, next + 1))
            pending.append((first + child, next))
            next += 2
        }
        return true
    }

    /// Adds the trees' values of up to `rowCountMax` rows to their sums, `outputCount` a row.
    func add(
        rows: UnsafePointer<Float>, count: Int, featureCount: Int,
        to sums: UnsafeMutablePointer<Double>
    ) {
        let isBatch = count >= Self.batchRowCountMin
        let room = isBatch ? rowsAtOnce(count) * slotCount : slotCount
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: room) { keys in
            guard let keys = keys.baseAddress else { return }
            guard isBatch else {
                keys.initialize(to: 0)
                for row in 0..<count {
                    inputs.fill(rows + row * featureCount, into: keys + 1, stride: 1)
                    walkTrees(keys, to: sums + row * outputCount)
                }
                return
            }
            for first in stride(from: 0, to: count, by: rowsAtOnce(count)) {
                let part = min(rowsAtOnce(count), count - first)
                fill(rows + first * featureCount, count: part, featureCount, into: keys)
                walkRows(keys, count: part, to: sums + first * outputCount)
            }
        }
    }

    /// How many of some rows walk through a tree before the next, in whole groups: fewer where a
    /// row has many keys.
    private func rowsAtOnce(_ count: Int) -> Int {
        let lanes = WalkKernel.lanes
        let groups = max(1, Self.keyCountMax / (slotCount * lanes))
        return min(groups, (count + lanes - 1) / lanes) * lanes
    }

    /// The keys of rows as `WalkKernel.walkRows` reads them.
    private func fill(
        _ rows: UnsafePointer<Float>, count: Int, _ featureCount: Int,
        into keys: UnsafeMutablePointer<UInt32>
    ) {
        let lanes = WalkKernel.lanes
        for first in stride(from: 0, to: count, by: lanes) {
            let group = keys + first * slotCount
            group.initialize(repeating: 0, count: lanes)
            for lane in 0..<lanes {
                // Lanes without a row of their own repeat the last one.
                let row = rows + min(first + lane, count - 1) * featureCount
                inputs.fill(row, into: group + (lanes + lane), stride: lanes)
            }
        }
    }

    private func walkTrees(
        _ keys: UnsafePointer<UInt32>, to sums: UnsafeMutablePointer<Double>
    ) {
        let treesMax = WalkKernel.treesMax
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: treesMax) { leaves in
            roots.withUnsafeBufferPointer { roots in
                guard let leaves = leaves.baseAddress, let starts = roots.baseAddress else {
                    return
                }
                for first in stride(from: 0, to: treeCount, by: treesMax) {
                    let group = first..<min(first + treesMax, treeCount)
                    var depth = 0
                    for tree in group { depth = max(depth, depths[tree]) }
                    let padded = min(treesMax, roots.count - first)
                    kernels.walkTrees(
                        nodes.base, starts + first, padded, depth, keys, slotBits, leaves)
                    for tree in group {
                        let added = values.base + valueStarts[tree]
                        add(added, leaves[tree - first], to: sums + output(of: tree))
                    }
                }
            }
        }
    }

    private func walkRows(
        _ keys: UnsafePointer<UInt32>, count: Int, to sums: UnsafeMutablePointer<Double>
    ) {
        let lanes = WalkKernel.lanes
        let groupCount = (count + lanes - 1) / lanes
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: groupCount * lanes) { leaves in
            guard let leaves = leaves.baseAddress else { return }
            for tree in 0..<treeCount {
                let (root, depth) = (nodes.base + roots[tree], depths[tree])
                let ahead = ahead(of: tree, groupCount: groupCount)
                // The next tree's nodes come during the first half of the rows, its leaves' values
                // during the second.
                let half = groupCount / 2
                kernels.walkRows(
                    root, depth, keys, slotCount, slotBits, half, ahead.nodes, ahead.nodesSize,
                    leaves)
                kernels.walkRows(
                    root, depth, keys + half * lanes * slotCount, slotCount, slotBits,
                    groupCount - half, ahead.values, ahead.valuesSize, leaves + half * lanes)
                let (added, first) = (values.base + valueStarts[tree], sums + output(of: tree))
                add(added, UnsafePointer(leaves), count: count, to: first)
            }
        }
    }

    /// What is asked for while a tree is walked.
    private struct Ahead {
        let nodes: UnsafeRawPointer
        var nodesSize = 0
        let values: UnsafeRawPointer
        var valuesSize = 0
    }

    /// The next tree's memory, or none of it if the rows are too few to read most of it.
    private func ahead(of tree: Int, groupCount: Int) -> Ahead {
        let next = tree + 1
        guard next < treeCount else { return Ahead(nodes: nodes.base, values: values.base) }
        var ahead = Ahead(
            nodes: nodes.base + roots[next], values: values.base + valueStarts[next])
        let end = next + 1 < treeCount ? roots[next + 1] : nodes.count
        let nodesSize = (end - roots[next]) * MemoryLayout<Node>.stride
        let valuesSize =
            (valueStarts[next + 1] - valueStarts[next]) * MemoryLayout<Float>.stride
        guard nodesSize + valuesSize <= groupCount * Self.aheadSizePerGroup else { return ahead }
        (ahead.nodesSize, ahead.valuesSize) = (nodesSize, valuesSize)
        return ahead
    }

    /// The first score that a tree adds to.
    private func output(of tree: Int) -> Int { leafWidth == 1 ? tree % outputCount : 0 }

    /// Adds the values of rows' leaves; one or two values of a leaf need no loop of their own.
    private func add(
        _ values: UnsafePointer<Float>, _ leaves: UnsafePointer<Int32>, count: Int,
        to sums: UnsafeMutablePointer<Double>
    ) {
        switch leafWidth {
        case 1:
            for row in 0..<count { sums[row &* outputCount] += Double(values[Int(leaves[row])]) }
        case 2:
            for row in 0..<count {
                let (added, sum) = (values + 2 &* Int(leaves[row]), sums + 2 &* row)
                sum[0] += Double(added[0])
                sum[1] += Double(added[1])
            }
        default:
            for row in 0..<count { add(values, leaves[row], to: sums + row &* outputCount) }
        }
    }

    @inline(__always)
    private func add(
        _ values: UnsafePointer<Float>, _ leaf: Int32, to sums: UnsafeMutablePointer<Double>
    ) {
        let added = values + Int(leaf) &* leafWidth
        for index in 0..<leafWidth { sums[index] += Double(added[index]) }
    }
}
