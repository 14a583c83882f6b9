internal import ForestKernels

/// Trees of at most 32 leaves as the records of `LeafBitsKernel`: for rows that come alone.
struct LeafBits: Sendable {
    /// An inner node: the input it tests, and the place of its threshold among the input's cuts.
    struct Test {
        var node: Int
        var input: Int
        var cut: Int
    }

    /// Inputs beyond this take longer to look up than a walk down the trees.
    private static let inputCountMax = 128

    private var records: [UInt8] = []
    /// 32 for each tree, from the leftmost leaf to the right.
    private var values: [Float] = []
    private let tables: Int

    /// Nil where a walk is faster or the only way: more leaves, leaves with several values, many
    /// inputs, or a processor without the shuffles that make it fast.
    init?(for ensemble: TreeEnsemble, inputCount: Int, choice: KernelChoice) {
        guard choice >= .avx2, ensemble.leafWidth == 1, inputCount <= Self.inputCountMax,
            ensemble.trees.allSatisfy({ $0.leafValues.count <= LeafBitsKernel.leafCountMax })
        else { return nil }
        let tableSize = LeafBitsKernel.tableSize
        tables = max(1, (inputCount + tableSize - 1) / tableSize)
    }

    /// Bytes of a row's codes; those beyond the inputs are 0.
    var codeCount: Int { tables * LeafBitsKernel.tableSize }

    /// Adds a tree; `tests` are its inner nodes.
    mutating func append(_ tree: Tree, _ tests: [Test]) {
        let width = LeafBitsKernel.leafCountMax
        let start = records.count
        // A test that is none passes always, and would take nothing away.
        records += repeatElement(0, count: width)
        records += repeatElement(UInt8.max, count: width)
        var masks = [UInt32](repeating: .max, count: width)
        let places = Self.leafPlaces(of: tree)
        for (slot, test) in tests.enumerated() {
            records[start + slot] = UInt8(test.input)
            records[start + width + slot] = UInt8(test.cut)
            let left = Int(tree.leftChild[test.node])
            let span = places[left]
            masks[slot] = ~(UInt32((1 << UInt64(span.count)) - 1) << UInt32(span.lowerBound))
        }
        for mask in masks {
            withUnsafeBytes(of: mask.littleEndian) { records += $0 }
        }
        var ofPlaces = [Float](repeating: 0, count: width)
        for node in 0..<tree.nodeCount where tree.splitFeature[node] == Tree.leaf {
            ofPlaces[places[node].lowerBound] = tree.leafValues[Int(tree.leftChild[node])]
        }
        values += ofPlaces
    }

    /// Per node, the places from the left of the leaves below it; a leaf's own is the only one.
    private static func leafPlaces(of tree: Tree) -> [Range<Int>] {
        // Children stand after their parents: counted from the back, placed from the front.
        var leafCounts = [Int](repeating: 1, count: tree.nodeCount)
        for node in stride(from: tree.nodeCount - 1, through: 0, by: -1)
        where tree.splitFeature[node] != Tree.leaf {
            let left = Int(tree.leftChild[node])
            leafCounts[node] = leafCounts[left] + leafCounts[left + 1]
        }
        var places = leafCounts.map { 0..<$0 }
        for node in 0..<tree.nodeCount where tree.splitFeature[node] != Tree.leaf {
            let left = Int(tree.leftChild[node])
            let middle = places[node].lowerBound + leafCounts[left]
            places[left] = places[node].lowerBound..<middle
            places[left + 1] = middle..<places[node].upperBound
        }
        return places
    }

    /// Adds the trees' values of one row to its sums.
    func add(
        _ trees: Range<Int>, codes: UnsafePointer<UInt8>, to sums: UnsafeMutablePointer<Double>,
        outputCount: Int, _ kernels: PredictionKernels
    ) {
        records.withUnsafeBufferPointer { records in
            values.withUnsafeBufferPointer { values in
                guard let records = records.baseAddress, let values = values.baseAddress else {
                    return
                }
                kernels.addBits(
                    records + trees.lowerBound * LeafBitsKernel.recordSize, trees.count, codes,
                    tables, values + trees.lowerBound * LeafBitsKernel.leafCountMax, sums,
                    trees.lowerBound % outputCount, outputCount)
            }
        }
    }
}
