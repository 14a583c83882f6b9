/// The inner nodes of all trees, numbered without the leaves between them: what a `BlockLayout` is
/// built from. Loops over them need not ask each node what it is.
struct InnerNodes {
    /// Tree t has the inner nodes of the numbers `starts[t] ..< starts[t + 1]`.
    private(set) var starts: [Int] = []
    /// Per inner node its number among the nodes of all trees.
    private(set) var nodes: [Int32] = []
    /// Per inner node the input it tests.
    private(set) var inputs: [UInt16] = []
    /// Per inner node the column of that input.
    private(set) var columns: [UInt16] = []

    /// Inner nodes of all trees.
    var count: Int { nodes.count }

    /// The inner nodes of a sound ensemble with at most 65,536 inputs.
    init(_ tests: ScoringInputs.TestsView, _ inputs: ScoringInputs) {
        let trees = tests.trees
        let capacity = trees.feature.count + 1
        // Leaves, whose input is −1, take the first.
        let columnOf = [0] + inputs.columnOf.map { UInt16(truncatingIfNeeded: $0) }
        var starts = [0]
        starts.reserveCapacity(trees.treeCount + 1)
        var (inputs, columns): ([UInt16], [UInt16]) = ([], [])
        nodes = [Int32](unsafeUninitializedCapacity: capacity) { nodes, nodeCount in
            inputs = [UInt16](unsafeUninitializedCapacity: capacity) { inputs, inputCount in
                columns = [UInt16](unsafeUninitializedCapacity: capacity) { columns, columnCount in
                    columnOf.withUnsafeBufferPointer { columnOf in
                        var count = 0
                        for tree in 0..<trees.treeCount {
                            for node in trees.nodes(of: tree) {
                                // Written in any case, and overwritten unless it is one.
                                let input = tests.input(of: node)
                                nodes[count] = Int32(truncatingIfNeeded: node)
                                inputs[count] = UInt16(truncatingIfNeeded: input)
                                columns[count] = columnOf[Int(input) &+ 1]
                                count &+= 1 &+ Int(input &>> 31)
                            }
                            starts.append(count)
                        }
                        (nodeCount, inputCount, columnCount) = (count, count, count)
                    }
                }
            }
        }
        (self.starts, self.inputs, self.columns) = (starts, inputs, columns)
    }
}
