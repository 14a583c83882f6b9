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
        var starts = [0]
        starts.reserveCapacity(trees.treeCount + 1)
        nodes = [Int32](unsafeUninitializedCapacity: trees.feature.count + 1) { found, foundCount in
            var count = 0
            for tree in 0..<trees.treeCount {
                for node in trees.nodes(of: tree) {
                    // Written in any case, and overwritten unless it is one.
                    found[count] = Int32(truncatingIfNeeded: node)
                    count &+= trees.feature[node] == Tree.leaf ? 0 : 1
                }
                starts.append(count)
            }
            foundCount = count
        }
        self.starts = starts
        let columnOf = inputs.columnOf
        let (own, count) = (nodes, nodes.count)
        self.inputs = [UInt16](unsafeUninitializedCapacity: count) { inputs, inputCount in
            for number in 0..<count {
                inputs[number] = UInt16(truncatingIfNeeded: tests.input(of: Int(own[number])))
            }
            inputCount = count
        }
        columns = self.inputs.map { UInt16(truncatingIfNeeded: columnOf[Int($0)]) }
    }
}
