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
    init?(_ ensemble: TreeEnsemble, choice: KernelChoice) {
        let memberCount = ensemble.trees.reduce(0) { $0 + $1.categorySets.count }
        guard memberCount <= Self.memberCountMax,
            let inputs = ScoringInputs(ensemble, countMax: WalkKernel.inputCountMax)
        else { return nil }
        self.inputs = inputs
        kernels = .of(choice)
        leafWidth = ensemble.leafWidth
        outputCount = ensemble.outputCount
        treeCount = ensemble.trees.count
        nodes.reserveCapacity(ensemble.trees.reduce(0) { $0 + $1.nodeCount })
        for (number, tree) in ensemble.trees.enumerated() {
            guard append(tree, number: number) else { return nil }
        }
        while roots.count % WalkKernel.lanes != 0, let last = roots.last { roots.append(last) }
    }

    /// Places the pairs of children so that a left child's own follow at once; false if a node
    /// would stand too far from its parent.
    private mutating func append(_ tree: Tree, number: Int) -> Bool {
        guard tree.leafValues.count / leafWidth <= WalkKernel.leafCountMax else { return false }
        let root = nodes.count
        roots.append(root)
        valueStarts.append(values.count)
        values += tree.leafValues
        nodes += repeatElement(Node(leaf: 0), count: tree.nodeCount)
        var next = root + 1
        var depth = 0
        var pending = [(node: 0, place: root, depth: 0)]
        while let at = pending.popLast() {
            let child = Int(tree.leftChild[at.node])
            guard tree.splitFeature[at.node] != Tree.leaf else {
                nodes[at.place] = Node(leaf: child)
                depth = max(depth, at.depth)
                continue
            }
            let offset = next - at.place
            guard offset <= WalkKernel.offsetMax else { return false }
            let (input, threshold) = inputs.test(at.node, of: tree, number: number)
            nodes[at.place] = Node(threshold: threshold, input: input, offset: offset)
            pending.append((child + 1, next + 1, at.depth + 1))
            pending.append((child, next, at.depth + 1))
            next += 2
        }
        depths.append(depth)
        return true
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
