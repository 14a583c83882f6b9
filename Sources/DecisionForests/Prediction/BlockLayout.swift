internal import ForestKernels

/// Trees of at most 128 leaves, arranged for `BlockKernel`, and those of at most 64 also for
/// `LeafBitsKernel`. Leaves are numbered from left to right.
///
/// Trees are taken in groups in which no column has more than 254 different thresholds, so that a
/// value's place among them, or that it is missing, fits a byte. Nothing changes after the
/// initialiser: that a class holds it spares a prediction the counting of its many references.
final class BlockLayout: @unchecked Sendable {
    private typealias Node = BlockKernel.Node

    /// Trees that share the cuts of their columns.
    private struct Group {
        var trees: Range<Int>
        /// The first of the trees' bands in `bits`.
        var firstBand: Int
        /// The group's first pair in `searches`: per column where its table starts and its blocks,
        /// as `BlockKernel.code` reads them.
        var firstSearch: Int
    }

    private let kernels: PredictionKernels
    private let inputs: ScoringInputs
    private let leafWidth: Int
    private let outputCount: Int
    /// Per column the feature.
    private let features: [Int32]
    private var groups: [Group] = []
    private var searches: [Int32] = []
    private var tables: [Float] = []
    /// `tables` where a block of 16 is one line of the cache.
    private var sealedTables = HugeBuffer<Float>(count: 0)
    private var nodes: [Node] = []
    private var nodeStarts: [Int] = []
    private var values: [Float] = []
    private var valueStarts: [Int32] = []
    /// For single rows; nil where a walk is better.
    private var bits: LeafBits?

    /// Different thresholds of a column in a group.
    private static let cutCountMax = 254
    /// Numbers that the kernel compares at once.
    private static let blockSize = 16

    /// Nil if a tree has too many leaves, or if there are too many inputs.
    init?(_ ensemble: TreeEnsemble, choice: KernelChoice) {
        let leafCountMax = BlockKernel.leafCountMax
        guard
            ensemble.trees.allSatisfy({ $0.leafValues.count <= leafCountMax * ensemble.leafWidth }),
            ensemble.trees.reduce(0, { $0 + $1.leafValues.count }) <= Int(Int32.max),
            let inputs = ScoringInputs(ensemble, countMax: Int(UInt16.max))
        else { return nil }
        self.inputs = inputs
        kernels = .of(choice)
        leafWidth = ensemble.leafWidth
        outputCount = ensemble.outputCount
        features = inputs.columns.map { Int32($0.feature) }
        bits = LeafBits(for: ensemble, columnCount: features.count, choice: choice)
        divide(0..<ensemble.trees.count, of: ensemble)
        if bits?.seal() == false { bits = nil }
        sealedTables = HugeBuffer(copying: tables)
        tables = []
    }

    /// Whether a row alone is scored here; otherwise only whole blocks are worth it.
    var takesSingleRows: Bool { bits != nil }

    // MARK: Building

    /// Makes a group of these trees, or of each half of them.
    private func divide(_ trees: Range<Int>, of ensemble: TreeEnsemble) {
        guard !trees.isEmpty else { return }
        var thresholds = [[Float]](repeating: [], count: features.count)
        for number in trees {
            let tree = ensemble.trees[number]
            for node in 0..<tree.nodeCount where tree.splitFeature[node] != Tree.leaf {
                let (input, threshold) = inputs.test(node, of: tree, number: number)
                thresholds[inputs.columnOf[input]].append(threshold)
            }
        }
        for column in thresholds.indices {
            thresholds[column].sort()
            thresholds[column] = Self.withoutRepeats(thresholds[column])
        }
        guard thresholds.allSatisfy({ $0.count <= Self.cutCountMax }) else {
            let middle = trees.lowerBound + trees.count / 2
            divide(trees.lowerBound..<middle, of: ensemble)
            divide(middle..<trees.upperBound, of: ensemble)
            return
        }
        groups.append(
            Group(
                trees: trees, firstBand: bits?.bandCount ?? 0, firstSearch: searches.count))
        for cuts in thresholds { appendTable(cuts) }
        for number in trees { append(ensemble.trees[number], number: number, cuts: thresholds) }
        bits?.endGroup()
    }

    private static func withoutRepeats(_ sorted: [Float]) -> [Float] {
        var different: [Float] = []
        for value in sorted where value != different.last { different.append(value) }
        return different
    }

    private func appendTable(_ cuts: [Float]) {
        let size = Self.blockSize
        let blockCount = (cuts.count + size - 1) / size
        searches += [Int32(tables.count), Int32(blockCount)]
        if blockCount > 1 {
            for block in 0..<size {
                tables.append(block < blockCount - 1 ? cuts[block * size + size - 1] : .infinity)
            }
        }
        tables += cuts
        tables += repeatElement(.infinity, count: blockCount * size - cuts.count)
    }

    private func append(_ tree: Tree, number: Int, cuts: [[Float]]) {
        // Inner nodes keep their order: children stand after their parent.
        var innerNumber = [Int](repeating: 0, count: tree.nodeCount)
        var innerCount = 0
        for node in 0..<tree.nodeCount where tree.splitFeature[node] != Tree.leaf {
            innerNumber[node] = innerCount
            innerCount += 1
        }
        let places = tree.leafPlaces
        func code(_ node: Int) -> UInt8 {
            tree.splitFeature[node] == Tree.leaf
                ? UInt8(BlockKernel.leafCountMax + places[node].lowerBound)
                : UInt8(innerNumber[node])
        }
        nodeStarts.append(nodes.count)
        appendValues(of: tree, places)
        for node in 0..<tree.nodeCount where tree.splitFeature[node] != Tree.leaf {
            let (input, threshold) = inputs.test(node, of: tree, number: number)
            let column = inputs.columnOf[input]
            let cut = cuts[column].firstIndex(atOrAfter: threshold)
            let child = Int(tree.leftChild[node])
            nodes.append(
                Node(
                    input: UInt16(input), cut: UInt8(cut), left: code(child),
                    right: code(child + 1)))
            bits?.append(
                LeafBits.Test(
                    column: column, cut: cut, taken: places[child],
                    missingPasses: tree.missingGoesLeft[node]))
        }
        bits?.endTree()
    }

    private func appendValues(of tree: Tree, _ places: [Range<Int>]) {
        let start = values.count
        valueStarts.append(Int32(start))
        let leafCount = places.first?.count ?? 0
        values += repeatElement(0, count: leafCount * leafWidth)
        for node in 0..<tree.nodeCount where tree.splitFeature[node] == Tree.leaf {
            let from = Int(tree.leftChild[node]) * leafWidth
            let to = start + places[node].lowerBound * leafWidth
            for index in 0..<leafWidth { values[to + index] = tree.leafValues[from + index] }
        }
    }

    // MARK: Scoring blocks

    /// Adds the trees' values of up to 64 rows to their sums, `outputCount` a row.
    ///
    /// `sums` has room for 64 rows.
    func add(
        rows: UnsafePointer<Float>, count: Int, featureCount: Int,
        to sums: UnsafeMutablePointer<Double>
    ) {
        let blockSize = BlockKernel.rowCount
        // One more for the codes that no node asks for.
        let size = (2 * BlockKernel.leafCountMax + inputs.count + 1) * blockSize
        withUnsafeTemporaryAllocation(byteCount: size, alignment: blockSize) { bytes in
            let answers = bytes.bindMemory(to: UInt8.self)
            guard let answers = answers.baseAddress else { return }
            Self.prepare(answers, size: size)
            let codes = answers + 2 * BlockKernel.leafCountMax * blockSize
            for group in groups {
                encode(rows, count: count, featureCount: featureCount, group, into: codes)
                add(group, codes: codes, answers: answers, to: sums)
            }
        }
    }

    /// Each leaf's own number, 64 times; everything else 0.
    private static func prepare(_ answers: UnsafeMutablePointer<UInt8>, size: Int) {
        let blockSize = BlockKernel.rowCount
        answers.initialize(repeating: 0, count: size)
        for leaf in 0..<BlockKernel.leafCountMax {
            let place = answers + (BlockKernel.leafCountMax + leaf) * blockSize
            place.update(repeating: UInt8(leaf), count: blockSize)
        }
    }

    private func encode(
        _ rows: UnsafePointer<Float>, count: Int, featureCount: Int, _ group: Group,
        into codes: UnsafeMutablePointer<UInt8>
    ) {
        let blockSize = BlockKernel.rowCount
        let unused = inputs.count
        for (number, column) in inputs.columns.enumerated() {
            let search = group.firstSearch + 2 * number
            kernels.code(
                rows + column.feature, featureCount, count,
                sealedTables.base + Int(searches[search]), Int(searches[search + 1]),
                codes + (column.left < 0 ? unused : column.left) * blockSize,
                codes + (column.right < 0 ? unused : column.right) * blockSize)
        }
        guard !inputs.members.isEmpty else { return }
        for row in 0..<count {
            inputs.forEachMember(of: rows + row * featureCount) { input, value in
                codes[input * blockSize + row] = value == 0 ? 0 : 1
            }
        }
    }

    private func add(
        _ group: Group, codes: UnsafePointer<UInt8>, answers: UnsafeMutablePointer<UInt8>,
        to sums: UnsafeMutablePointer<Double>
    ) {
        nodes.withUnsafeBufferPointer { nodes in
            values.withUnsafeBufferPointer { values in
                guard let values = values.baseAddress else { return }
                for tree in group.trees {
                    let end = tree + 1 < nodeStarts.count ? nodeStarts[tree + 1] : nodes.count
                    let count = end - nodeStarts[tree]
                    if count > 0, let base = nodes.baseAddress {
                        kernels.findLeaves(base + nodeStarts[tree], count, codes, answers)
                    } else {
                        answers.update(repeating: 0, count: BlockKernel.rowCount)
                    }
                    let added = values + Int(valueStarts[tree])
                    if leafWidth == 1 {
                        kernels.addValues(answers, added, sums + tree % outputCount, outputCount)
                    } else {
                        kernels.addVectors(answers, added, leafWidth, sums)
                    }
                }
            }
        }
    }

    // MARK: Scoring a row

    /// Adds the trees' values of one row to its sums; only if `takesSingleRows`.
    func add(row: UnsafePointer<Float>, to sums: UnsafeMutablePointer<Double>) {
        guard let bits else { return }
        let size = bits.codeCount
        withUnsafeTemporaryAllocation(byteCount: size, alignment: LeafBitsKernel.tableSize) {
            let codes = $0.bindMemory(to: Int8.self)
            guard let codes = codes.baseAddress else { return }
            codes.initialize(repeating: 0, count: size)
            groups.withUnsafeBufferPointer { groups in
                for index in groups.indices {
                    let hasMissing = encode(row, groups[index], into: codes)
                    add(groups[index], codes: codes, hasMissing: hasMissing, bits, to: sums)
                }
            }
        }
    }

    /// The codes of a row; whether a value is missing.
    private func encode(
        _ row: UnsafePointer<Float>, _ group: Group, into codes: UnsafeMutablePointer<Int8>
    ) -> Bool {
        let hasMissing = searches.withUnsafeBufferPointer { searches in
            features.withUnsafeBufferPointer { features in
                guard let searches = searches.baseAddress, let features = features.baseAddress
                else { return false }
                return kernels.codeRow(
                    row, features, inputs.columns.count, sealedTables.base,
                    searches + group.firstSearch, codes)
            }
        }
        inputs.forEachMember(of: row) { input, value in
            codes[inputs.columnOf[input]] = value == 0 ? -128 : -127
        }
        return hasMissing
    }

    private func add(
        _ group: Group, codes: UnsafePointer<Int8>, hasMissing: Bool, _ bits: LeafBits,
        to sums: UnsafeMutablePointer<Double>
    ) {
        values.withUnsafeBufferPointer { values in
            valueStarts.withUnsafeBufferPointer { starts in
                guard let values = values.baseAddress, let starts = starts.baseAddress else {
                    return
                }
                bits.add(
                    group.trees, firstBand: group.firstBand, codes: codes, hasMissing: hasMissing,
                    values: values, starts: starts + group.trees.lowerBound, width: leafWidth,
                    to: sums, outputCount: outputCount, kernels)
            }
        }
    }
}

extension [Float] {
    /// The place of a value that occurs among these ascending ones.
    fileprivate func firstIndex(atOrAfter value: Float) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
