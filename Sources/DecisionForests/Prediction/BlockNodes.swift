internal import ForestKernels

/// The nodes and leaf values of a `BlockLayout`, and their tests as a `LeafBitsBuilder` wants them:
/// tree by tree; each thread writes those of some trees from front to back.
struct BlockNodes {
    private typealias Target = (
        nodes: UnsafeMutableBufferPointer<BlockKernel.Node>,
        values: UnsafeMutableBufferPointer<Float>,
        tests: UnsafeMutableBufferPointer<LeafBitsBuilder.Test>
    )

    private(set) var nodes: [BlockKernel.Node] = []
    /// Where each tree's nodes start, and where the last one's end.
    let nodeStarts: [Int]
    /// Leaves from left to right.
    private(set) var values: [Float] = []
    private(set) var valueStarts: [Int32] = []
    private(set) var tests: [LeafBitsBuilder.Test] = []

    /// `cuts` has the place of each inner node's threshold in its group's table.
    init(_ trees: ColumnsView, _ inner: InnerNodes, cuts: [UInt8]) {
        nodeStarts = inner.starts
        // A tree has one leaf more than inner nodes, whatever leaves a file has beside them.
        let valueCount = (inner.count + trees.treeCount) * trees.leafWidth
        valueStarts = (0..<trees.treeCount).map {
            Int32(truncatingIfNeeded: (inner.starts[$0] + $0) * trees.leafWidth)
        }
        var (values, tests): ([Float], [LeafBitsBuilder.Test]) = ([], [])
        nodes = Array(unsafeUninitializedCapacity: inner.count) { ownNodes, nodeCount in
            values = Array(unsafeUninitializedCapacity: valueCount) { ownValues, filledCount in
                tests = Array(unsafeUninitializedCapacity: inner.count) { ownTests, testCount in
                    nonisolated(unsafe) let target: Target = (ownNodes, ownValues, ownTests)
                    nonisolated(unsafe) let trees = trees
                    let runs = trees.runs()
                    HelperPool.shared.forEach(
                        runs.count, threads: HelperPool.loadThreadCount
                    ) { index, _ in
                        _ = LeafPlaces.lend { leaves in
                            Self.fill(target, runs[index], trees, inner, cuts, leaves)
                        }
                    }
                    testCount = inner.count
                }
                filledCount = valueCount
            }
            nodeCount = inner.count
        }
        (self.values, self.tests) = (values, tests)
    }

    private static func fill(
        _ target: Target, _ run: Range<Int>, _ trees: ColumnsView, _ inner: InnerNodes,
        _ cuts: [UInt8],
        _ leaves: LeafPlaces
    ) {
        inner.nodes.withUnsafeBufferPointer { innerNodes in
            for tree in run {
                let own = inner.starts[tree]..<inner.starts[tree + 1]
                leaves.find(
                    in: trees.nodes(of: tree), UnsafeBufferPointer(rebasing: innerNodes[own]),
                    trees)
                fillNodes(own, target, trees, inner, cuts, leaves)
                let first = (inner.starts[tree] + tree) * trees.leafWidth
                fillValues(of: tree, trees, leaves, target.values, from: first)
            }
        }
    }

    /// Writes a tree's inner nodes and their tests.
    private static func fillNodes(
        _ own: Range<Int>, _ target: Target, _ trees: ColumnsView, _ inner: InnerNodes,
        _ cuts: [UInt8], _ leaves: LeafPlaces
    ) {
        var made = BlockKernel.Node(input: 0, cut: 0, left: 0, right: 0)
        inner.nodes.withUnsafeBufferPointer { nodes in
            inner.inputs.withUnsafeBufferPointer { inputs in
                inner.columns.withUnsafeBufferPointer { columns in
                    cuts.withUnsafeBufferPointer { cuts in
                        for number in own {
                            let node = Int(nodes[number])
                            let child = Int(trees.child[node])
                            // Field by field: the initialiser would be a call into another module.
                            made.input = inputs[number]
                            made.cut = cuts[number]
                            made.left = leaves.code(of: child)
                            made.right = leaves.code(of: child &+ 1)
                            target.nodes[number] = made
                            target.tests[number] = LeafBitsBuilder.Test(
                                column: columns[number], cut: cuts[number],
                                takenStart: leaves.start(child), takenCount: leaves.count(child),
                                missingPasses: trees.missingGoesLeft[node] != 0)
                        }
                    }
                }
            }
        }
    }

    /// Writes a tree's leaf values from left to right.
    private static func fillValues(
        of tree: Int, _ trees: ColumnsView, _ leaves: LeafPlaces,
        _ values: UnsafeMutableBufferPointer<Float>, from first: Int
    ) {
        let (range, own, width) = (trees.nodes(of: tree), trees.values(of: tree), trees.leafWidth)
        for node in range {
            // What an inner node writes is overwritten by its leftmost leaf, which stands behind
            // it: cheaper than asking each node what it is. A leaf's feature is −1, no other is
            // negative.
            let leaf = Int(trees.child[node] & (trees.feature[node] &>> 31))
            let place = first &+ Int(leaves.start(node &- range.lowerBound)) &* width
            values[place] = own[leaf &* width]
            guard width > 1 else { continue }
            for index in 1..<width { values[place &+ index] = own[leaf &* width &+ index] }
        }
    }
}
