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
            nodes = Array(repeating: Node(leaf: 0), count: trees.feature.count)
            return nodes.withUnsafeMutableBufferPointer { nodes in
                (0..<treeCount).allSatisfy { tree in
                    let range = trees.nodes(of: tree)
                    roots.append(range.lowerBound)
                    let place = Self.isInOrder(range, trees) ? Self.convert : Self.rearrange
                    let depth = place(range, trees, tests, nodes)
                    depths.append(depth ?? 0)
                    return depth != nil
                }
            }
        }
        guard isPlaced else { return nil }
        while roots.count % WalkKernel.lanes != 0, let last = roots.last { roots.append(last) }
    }

    /// Whether a tree's pairs of children already stand as `rearrange` would place them: those of a
    /// left child, or else of the right one, at once after the pair. So our forests grow.
    private static func isInOrder(_ nodes: Range<Int>, _ trees: ColumnsView) -> Bool {
        let first = nodes.lowerBound
        for node in nodes where trees.feature[node] != Tree.leaf {
            let child = trees.child[node]
            let left = first + Int(child)
            let next = trees.feature[left] != Tree.leaf ? left : left + 1
            if trees.feature[next] != Tree.leaf, trees.child[next] != child + 2 { return false }
        }
        return true
    }

    /// Makes each node of a tree one of the layout, where it stands; the tree's depth, or nil if a
    /// node stands too far from its parent.
    private static func convert(
        _ range: Range<Int>, _ trees: ColumnsView, _ tests: ScoringInputs.Tests,
        _ nodes: UnsafeMutableBufferPointer<Node>
    ) -> Int? {
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: range.count) { depths in
            var deepest: Int32 = 0
            var isNear = true
            if range.count > 0 { depths[0] = 0 }
            for node in range {
                let (place, child) = (node - range.lowerBound, Int(trees.child[node]))
                let input = tests.inputs[node]
                guard input >= 0 else {
                    nodes[node] = Node(leaf: child)
                    deepest = max(deepest, depths[place])
                    continue
                }
                isNear = isNear && child - place <= WalkKernel.offsetMax
                nodes[node] = Node(
                    threshold: tests.threshold(of: node, trees), input: Int(input),
                    offset: child - place)
                depths[child] = depths[place] + 1
                depths[child + 1] = depths[place] + 1
            }
            return isNear ? Int(deepest) : nil
        }
    }

    /// Places the pairs of children so that a left child's own follow at once; the tree's depth, or
    /// nil if a node would stand too far from its parent.
    private static func rearrange(
        _ range: Range<Int>, _ trees: ColumnsView, _ tests: ScoringInputs.Tests,
        _ nodes: UnsafeMutableBufferPointer<Node>
    ) -> Int? {
        let first = range.lowerBound
        var next = first + 1
        var deepest = 0
        var pending = [(node: first, place: first, depth: 0)]
        while let at = pending.popLast() {
            let child = first + Int(trees.child[at.node])
            guard tests.inputs[at.node] >= 0 else {
                nodes[at.place] = Node(leaf: child - first)
                deepest = max(deepest, at.depth)
                continue
            }
            let offset = next - at.place
            guard offset <= WalkKernel.offsetMax else { return nil }
            nodes[at.place] = Node(
                threshold: tests.threshold(of: at.node, trees),
                input: Int(tests.inputs[at.node]), offset: offset)
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
