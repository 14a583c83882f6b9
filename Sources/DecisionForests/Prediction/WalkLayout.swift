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

    /// Categorical nodes that are worth an input each: beyond, walks would test fewer than are
    /// made.
    private static let memberCountMax = 1_024

    /// Rows that `add` takes at once: as many as are worth reading a tree of some thousand leaves
    /// for, and as leave it room in a second cache of 512 KiB.
    static var rowCountMax: Int { 256 }
    /// Rows from which walking them side by side beats walking each alone through many trees.
    private static var batchRowCountMin: Int { 6 }
    /// Bytes of the next tree that are asked for during 16 rows, at most: 16 lines for each, half
    /// the second cache for a whole block.
    private static var aheadSizePerGroup: Int { 16 * WalkKernel.lanes * WalkKernel.lineSize }

    /// Nil if the ensemble is larger than a node's fields, or if its nodes weigh features.
    init?(_ ensemble: TreeEnsemble, _ columns: TreeColumns, choice: KernelChoice) {
        guard columns.sets.count <= Self.memberCountMax,
            columns.leafCountMax <= WalkKernel.leafCountMax,
            let (inputs, tests) = ScoringInputs.make(
                of: ensemble, columns, countMax: WalkKernel.inputCountMax)
        else { return nil }
        self.inputs = inputs
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
            return tests.withView(trees) { Self.place($0, nodes.base, values.base) }
        }
        guard isPlaced, let last = roots.last else { return nil }
        while roots.count % WalkKernel.lanes != 0 { roots.append(last) }
    }

    /// Makes the nodes of all trees and copies their values, each thread those of some trees; false
    /// if a node would stand too far from its parent.
    private static func place(
        _ tests: ScoringInputs.TestsView, _ nodes: UnsafeMutablePointer<Node>,
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
                return convert(range, tests, target) || rearrange(range, tests, target)
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
        _ range: Range<Int>, _ tests: ScoringInputs.TestsView, _ nodes: UnsafeMutablePointer<Node>
    ) -> Bool {
        let trees = tests.trees
        guard let inputs = tests.inputOfFeature, let features = trees.feature.baseAddress,
            let children = trees.child.baseAddress, let thresholds = trees.threshold.baseAddress,
            let flags = trees.missingGoesLeft.baseAddress
        else { return false }
        let first = range.lowerBound
        var (all, stray, siblingIsLeaf): (Int32, Int32, Int32) = (0, 0, -1)
        var made = Node(leaf: 0)
        // No jump depends on what a node is: its kind is a mask.
        for place in 0..<range.count {
            let (feature, child) = (features[first &+ place], children[first &+ place])
            let isLeaf = feature &>> 31
            let input = inputs[2 &* (Int(feature) &+ 1) &+ Int(flags[first &+ place] & 1)]
            let offset = child &- Int32(truncatingIfNeeded: place)
            let threshold = Int32(bitPattern: thresholds[first &+ place].bitPattern)
            // What the initialisers of `Node` do, which would be two calls into another module.
            made.word = UInt32(bitPattern: (offset &<< 12 | input) & ~isLeaf)
            made.threshold = Float(
                bitPattern: UInt32(
                    bitPattern: (0x7FC0_0000 | child) & isLeaf | threshold & ~isLeaf))
            nodes[place] = made
            all |= offset & ~isLeaf
            // Left children have odd places.
            let isLeft = Int32(truncatingIfNeeded: place & 1)
            let isFirst = (0 &- isLeft) | siblingIsLeaf
            stray |= (offset ^ (1 &+ isLeft)) & ~isLeaf & isFirst
            siblingIsLeaf = isLeaf
        }
        return stray == 0 && all <= Int32(WalkKernel.offsetMax)
    }

    /// Places the pairs of children so that a left child's own follow at once; false if a node
    /// would stand too far from its parent.
    private static func rearrange(
        _ range: Range<Int>, _ tests: ScoringInputs.TestsView, _ nodes: UnsafeMutablePointer<Node>
    ) -> Bool {
        let trees = tests.trees
        let first = range.lowerBound
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
            guard offset <= WalkKernel.offsetMax else { return false }
            nodes[at.place] = Node(
                threshold: tests.threshold(of: at.node), input: input, offset: offset)
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
        let lanes = WalkKernel.lanes
        let isBatch = count >= Self.batchRowCountMin
        let padded = isBatch ? (count + lanes - 1) / lanes * lanes : 1
        let inputCount = max(1, inputs.count)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: padded * inputCount) { values in
            guard let values = values.baseAddress else { return }
            guard isBatch else {
                for row in 0..<count {
                    inputs.fill(rows + row * featureCount, into: values)
                    walkTrees(values, to: sums + row * outputCount)
                }
                return
            }
            for row in 0..<padded {
                // Lanes without a row of their own repeat the last one.
                inputs.fill(
                    rows + min(row, count - 1) * featureCount, into: values + row * inputCount)
            }
            walkRows(values, count: count, inputCount: inputCount, to: sums)
        }
    }

    private func walkTrees(
        _ row: UnsafePointer<Float>, to sums: UnsafeMutablePointer<Double>
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
                    kernels.walkTrees(nodes.base, starts + first, padded, depth, row, leaves)
                    for tree in group {
                        let added = values.base + valueStarts[tree]
                        add(added, leaves[tree - first], to: sums + output(of: tree))
                    }
                }
            }
        }
    }

    private func walkRows(
        _ rows: UnsafePointer<Float>, count: Int, inputCount: Int,
        to sums: UnsafeMutablePointer<Double>
    ) {
        let lanes = WalkKernel.lanes
        let groupCount = (count + lanes - 1) / lanes
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: Self.rowCountMax) { leaves in
            guard let leaves = leaves.baseAddress else { return }
            for tree in 0..<treeCount {
                let (root, depth) = (roots[tree], depths[tree])
                let ahead = ahead(of: tree, groupCount: groupCount)
                // The next tree's nodes come during the first half of the rows, its leaves' values
                // during the second.
                let half = groupCount / 2
                kernels.walkRows(
                    nodes.base, root, depth, rows, inputCount, half, ahead.nodes,
                    ahead.nodesSize, leaves)
                kernels.walkRows(
                    nodes.base, root, depth, rows + half * lanes * inputCount, inputCount,
                    groupCount - half, ahead.values, ahead.valuesSize, leaves + half * lanes)
                let (added, first) = (values.base + valueStarts[tree], sums + output(of: tree))
                for row in 0..<count { add(added, leaves[row], to: first + row * outputCount) }
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

    @inline(__always)
    private func add(
        _ values: UnsafePointer<Float>, _ leaf: Int32, to sums: UnsafeMutablePointer<Double>
    ) {
        let added = values + Int(leaf) &* leafWidth
        for index in 0..<leafWidth { sums[index] += Double(added[index]) }
    }
}
