internal import ForestKernels

/// Trees of any size arranged for `WalkKernel`.
struct WalkLayout: Sendable {
    private typealias Node = WalkKernel.Node

    private let kernels: PredictionKernels
    private let inputs: ScoringInputs
    private let leafWidth: Int
    private let outputCount: Int
    private var nodes: [Node] = []
    /// Where each tree's root stands, padded to whole groups by the last one.
    private var roots: [Int] = []
    private var depths: [Int] = []
    private var values: [Float] = []
    private var valueStarts: [Int] = []
    private let treeCount: Int

    /// Categorical nodes that are worth an input each: beyond, walks would test fewer than are
    /// made.
    private static let memberCountMax = 1_024

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
        let isPlaced = columns.withView { trees in
            values = Array(trees.leafValues)
            valueStarts = trees.leafStarts.dropLast().map { Int($0) * leafWidth }
            roots = trees.nodeStarts.dropLast().map { Int($0) }
            return tests.withView(trees) { place($0) }
        }
        guard isPlaced else { return nil }
        while roots.count % WalkKernel.lanes != 0, let last = roots.last { roots.append(last) }
    }

    /// Makes the nodes of all trees; false if one would stand too far from its parent.
    private mutating func place(_ tests: ScoringInputs.TestsView) -> Bool {
        let trees = tests.trees
        let nodeCountMax = (0..<treeCount).reduce(0) { max($0, trees.nodes(of: $1).count) }
        depths.reserveCapacity(treeCount)
        // Of one tree, and one more that takes what is written of leaves' children.
        return withUnsafeTemporaryAllocation(of: Int32.self, capacity: nodeCountMax + 2) { room in
            nodes = [Node](unsafeUninitializedCapacity: trees.feature.count) { nodes, count in
                for tree in 0..<treeCount {
                    let range = trees.nodes(of: tree)
                    let depth =
                        Self.isInOrder(range, trees)
                        ? Self.convert(range, tests, nodes, depths: room)
                        : Self.rearrange(range, tests, nodes)
                    guard let depth else { return }
                    depths.append(depth)
                }
                count = trees.feature.count
            }
            return nodes.count == trees.feature.count
        }
    }

    /// Whether a tree's pairs of children already stand as `rearrange` would place them: those of a
    /// left child, or else of the right one, at once after the pair. So our forests grow.
    private static func isInOrder(_ nodes: Range<Int>, _ trees: ColumnsView) -> Bool {
        guard let feature = trees.feature.baseAddress, let child = trees.child.baseAddress,
            nodes.count > 1
        else { return true }
        let (ownFeature, ownChild) = (feature + nodes.lowerBound, child + nodes.lowerBound)
        var bad: Int32 = 0
        // No jump depends on what a node is. Leaves look at the root's children, in vain.
        for node in 0..<nodes.count {
            let isInner: Int32 = ownFeature[node] == Tree.leaf ? 0 : 1
            let left = ownChild[node] &* isInner
            let leftIsLeaf: Int32 = ownFeature[Int(left)] == Tree.leaf ? 1 : 0
            let next = Int(left &+ leftIsLeaf)
            let nextIsInner: Int32 = ownFeature[next] == Tree.leaf ? 0 : 1
            bad |= isInner & nextIsInner & (ownChild[next] == left &+ 2 ? 0 : 1)
        }
        return bad == 0
    }

    /// Makes each node of a tree one of the layout, where it stands; the tree's depth, or nil if a
    /// node stands too far from its parent. `depths` has room for the nodes and two more.
    private static func convert(
        _ range: Range<Int>, _ tests: ScoringInputs.TestsView,
        _ nodes: UnsafeMutableBufferPointer<Node>, depths: UnsafeMutableBufferPointer<Int32>
    ) -> Int? {
        let trees = tests.trees
        var deepest: Int32 = 0
        var farthest = 0
        depths[0] = 0
        var made = Node(leaf: 0)
        for node in range {
            let (place, child) = (node &- range.lowerBound, Int(trees.child[node]))
            let input = tests.input(of: node)
            let isLeaf = input < 0
            let offset = child &- place
            // What the initialisers of `Node` do, which would be two calls into another module.
            let word = UInt32(truncatingIfNeeded: offset << 12 | Int(input))
            let leaf = 0x7FC0_0000 | UInt32(truncatingIfNeeded: child)
            let threshold = tests.threshold(of: node).bitPattern
            made.word = isLeaf ? 0 : word
            made.threshold = Float(bitPattern: isLeaf ? leaf : threshold)
            nodes.initializeElement(at: node, to: made)
            farthest = max(farthest, isLeaf ? 0 : offset)
            deepest = max(deepest, depths[place])
            let below = isLeaf ? range.count : child
            depths[below] = depths[place] &+ 1
            depths[below &+ 1] = depths[place] &+ 1
        }
        return farthest <= WalkKernel.offsetMax ? Int(deepest) : nil
    }

    /// Places the pairs of children so that a left child's own follow at once; the tree's depth, or
    /// nil if a node would stand too far from its parent.
    private static func rearrange(
        _ range: Range<Int>, _ tests: ScoringInputs.TestsView,
        _ nodes: UnsafeMutableBufferPointer<Node>
    ) -> Int? {
        let trees = tests.trees
        let first = range.lowerBound
        var next = first + 1
        var deepest = 0
        var pending = [(node: first, place: first, depth: 0)]
        while let at = pending.popLast() {
            let child = first + Int(trees.child[at.node])
            let input = Int(tests.input(of: at.node))
            guard input >= 0 else {
                nodes.initializeElement(at: at.place, to: Node(leaf: child - first))
                deepest = max(deepest, at.depth)
                continue
            }
            let offset = next - at.place
            guard offset <= WalkKernel.offsetMax else { return nil }
            let threshold = tests.threshold(of: at.node)
            nodes.initializeElement(
                at: at.place, to: Node(threshold: threshold, input: input, offset: offset))
            pending.append((child + 1, next + 1, at.depth + 1))
            pending.append((child, next, at.depth + 1))
            next += 2
        }
        return deepest
    }

    /// Adds the trees' values of rows to their sums, `outputCount` a row.
    func add(
        rows: UnsafePointer<Float>, count: Int, featureCount: Int,
        to sums: UnsafeMutablePointer<Double>
    ) {
        let lanes = WalkKernel.lanes
        let padded = count == 1 ? 1 : (count + lanes - 1) / lanes * lanes
        let inputCount = max(1, inputs.count)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: padded * inputCount) { values in
            guard let values = values.baseAddress else { return }
            for row in 0..<padded {
                // Lanes without a row of their own repeat the last one.
                inputs.fill(
                    rows + min(row, count - 1) * featureCount, into: values + row * inputCount)
            }
            if count == 1 {
                walkTrees(values, to: sums)
            } else {
                walkRows(values, count: count, inputCount: inputCount, to: sums)
            }
        }
    }

    private func walkTrees(
        _ row: UnsafePointer<Float>, to sums: UnsafeMutablePointer<Double>
    ) {
        let lanes = WalkKernel.lanes
        withStorage { nodes, values, leaves in
            roots.withUnsafeBufferPointer { roots in
                guard let roots = roots.baseAddress else { return }
                for first in stride(from: 0, to: treeCount, by: lanes) {
                    let group = first..<min(first + lanes, treeCount)
                    var depth = 0
                    for tree in group { depth = max(depth, depths[tree]) }
                    kernels.walkTrees(nodes, roots + first, depth, row, leaves)
                    for tree in group {
                        let added = values + valueStarts[tree]
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
        withStorage { nodes, values, leaves in
            for tree in 0..<treeCount {
                let (root, depth, output) = (nodes + roots[tree], depths[tree], output(of: tree))
                let added = values + valueStarts[tree]
                for first in stride(from: 0, to: count, by: lanes) {
                    kernels.walkRows(root, depth, rows + first * inputCount, inputCount, leaves)
                    for row in first..<min(first + lanes, count) {
                        add(added, leaves[row - first], to: sums + (row * outputCount + output))
                    }
                }
            }
        }
    }

    private func withStorage(
        _ body: (
            UnsafePointer<Node>, UnsafePointer<Float>, UnsafeMutablePointer<Int32>
        ) -> Void
    ) {
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: WalkKernel.lanes) { leaves in
            nodes.withUnsafeBufferPointer { nodes in
                values.withUnsafeBufferPointer { values in
                    if let nodes = nodes.baseAddress, let values = values.baseAddress,
                        let leaves = leaves.baseAddress
                    {
                        body(nodes, values, leaves)
                    }
                }
            }
        }
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
