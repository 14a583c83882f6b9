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
        let starts = Self.starts(of: trees)
        let total = starts[trees.treeCount]
        // Leaves, whose input is −1, take the first.
        let columnOf = [0] + inputs.columnOf.map { UInt16(truncatingIfNeeded: $0) }
        // Each thread has a place behind all for what comes after its trees' last inner node.
        let threads = HelperPool.loadThreadCount
        let capacity = total + threads
        var (inputs, columns): ([UInt16], [UInt16]) = ([], [])
        nodes = [Int32](unsafeUninitializedCapacity: capacity) { nodes, nodeCount in
            inputs = [UInt16](unsafeUninitializedCapacity: capacity) { inputs, inputCount in
                columns = [UInt16](unsafeUninitializedCapacity: capacity) { columns, columnCount in
                    let runs = trees.runs()
                    nonisolated(unsafe) let tests = tests
                    nonisolated(unsafe) let target: Target = (nodes, inputs, columns)
                    HelperPool.shared.forEach(runs.count, threads: threads) { index, worker in
                        let run = runs[index]
                        Self.fill(
                            target, starts[run.lowerBound]..<starts[run.upperBound],
                            spare: total + worker, tests, tests.trees.nodes(of: run), columnOf)
                    }
                    (nodeCount, inputCount, columnCount) = (total, total, total)
                }
            }
        }
        (self.starts, self.inputs, self.columns) = (starts, inputs, columns)
    }

    /// A sound tree has one leaf more than inner nodes.
    private static func starts(of trees: ColumnsView) -> [Int] {
        var starts = [0]
        starts.reserveCapacity(trees.treeCount + 1)
        for tree in 0..<trees.treeCount {
            starts.append(starts[tree] + trees.nodes(of: tree).count / 2)
        }
        return starts
    }

    private typealias Target = (
        nodes: UnsafeMutableBufferPointer<Int32>, inputs: UnsafeMutableBufferPointer<UInt16>,
        columns: UnsafeMutableBufferPointer<UInt16>
    )

    /// Writes what is inner among some trees' nodes; `numbers` are those that they have.
    private static func fill(
        _ target: Target, _ numbers: Range<Int>, spare: Int, _ tests: ScoringInputs.TestsView,
        _ treeNodes: Range<Int>, _ columnOf: [UInt16]
    ) {
        columnOf.withUnsafeBufferPointer { columnOf in
            var next = numbers.lowerBound
            for node in treeNodes {
                // Written in any case, and overwritten unless it is an inner node.
                let input = tests.input(of: node)
                let place = next < numbers.upperBound ? next : spare
                target.nodes[place] = Int32(truncatingIfNeeded: node)
                target.inputs[place] = UInt16(truncatingIfNeeded: input)
                target.columns[place] = columnOf[Int(input) &+ 1]
                next &+= 1 &+ Int(input &>> 31)
            }
        }
    }
}
