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
    init?(_ ensemble: TreeEnsemble, _ trees: TreeColumns, choice: KernelChoice) {
        guard trees.leafCountMax <= BlockKernel.leafCountMax,
            trees.leafValues.count <= Int(Int32.max),
            let (inputs, tests) = ScoringInputs.make(
                of: ensemble, trees, countMax: Int(UInt16.max))
        else { return nil }
        self.inputs = inputs
        kernels = .of(choice)
        leafWidth = ensemble.leafWidth
        outputCount = ensemble.outputCount
        features = inputs.columns.map { Int32($0.feature) }
        bits = LeafBits(for: trees, columnCount: features.count, choice: choice)
        nodes.reserveCapacity(max(0, trees.nodeCount - trees.treeCount) / 2)
        values.reserveCapacity(trees.leafValues.count)
        trees.withView { trees in
            let cuts = Cuts(trees, tests, inputs)
            divide(0..<trees.treeCount, Building(trees: trees, tests: tests, cuts: cuts))
        }
        if bits?.seal() == false { bits = nil }
        sealedTables = HugeBuffer(copying: tables)
        tables = []
    }

    /// Whether a row alone is scored here; otherwise only whole blocks are worth it.
    var takesSingleRows: Bool { bits != nil }

    // MARK: Building

    /// What a layout is built from.
    private struct Building {
        let trees: ColumnsView
        let tests: ScoringInputs.Tests
        let cuts: Cuts
    }

    /// Makes a group of these trees, or of each half of them.
    private func divide(_ range: Range<Int>, _ building: Building) {
        guard !range.isEmpty else { return }
        let (trees, cuts) = (building.trees, building.cuts)
        // Which of all cuts the group has, and then their places in the group.
        var places = [UInt8](repeating: 0, count: cuts.values.count)
        let nodes =
            Int(trees.nodeStarts[range.lowerBound])..<Int(trees.nodeStarts[range.upperBound])
        for node in nodes where building.tests.inputs[node] >= 0 {
            places[Int(cuts.places[node])] = 1
        }
        for column in features.indices {
            var count = 0
            for place in cuts.starts[column]..<cuts.starts[column + 1] {
                count += Int(places[place])
            }
            guard count <= Self.cutCountMax else {
                let middle = range.lowerBound + range.count / 2
                divide(range.lowerBound..<middle, building)
                divide(middle..<range.upperBound, building)
                return
            }
        }
        groups.append(
            Group(
                trees: range, firstBand: bits?.bandCount ?? 0, firstSearch: searches.count))
        appendTables(cuts, &places)
        var leaves = LeafPlaces()
        for tree in range { append(tree, building, places, &leaves) }
        bits?.endGroup()
    }

    /// Makes a table of each column's marked cuts, and marks each with its place there.
    private func appendTables(_ all: Cuts, _ places: inout [UInt8]) {
        var cuts: [Float] = []
        for column in features.indices {
            cuts.removeAll(keepingCapacity: true)
            for place in all.starts[column]..<all.starts[column + 1] where places[place] > 0 {
                places[place] = UInt8(cuts.count)
                cuts.append(all.values[place])
            }
            appendTable(cuts)
        }
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

    private func append(
        _ tree: Int, _ building: Building, _ places: [UInt8], _ leaves: inout LeafPlaces
    ) {
        let (trees, tests) = (building.trees, building.tests)
        let range = trees.nodes(of: tree)
        leaves.find(in: tree, trees)
        nodeStarts.append(nodes.count)
        appendValues(of: tree, trees, leaves)
        for node in range where tests.inputs[node] >= 0 {
            let input = Int(tests.inputs[node])
            let cut = places[Int(building.cuts.places[node])]
            let child = Int(trees.child[node])
            nodes.append(
                Node(
                    input: UInt16(input), cut: cut, left: leaves.code(of: child),
                    right: leaves.code(of: child + 1)))
            bits?.append(
                LeafBits.Test(
                    column: inputs.columnOf[input], cut: Int(cut), taken: leaves.below(child),
                    missingPasses: trees.missingGoesLeft[node] != 0))
        }
        bits?.endTree()
    }

    private func appendValues(of tree: Int, _ trees: ColumnsView, _ leaves: LeafPlaces) {
        let start = values.count
        valueStarts.append(Int32(start))
        values += repeatElement(0, count: leaves.count * leafWidth)
        let first = trees.nodes(of: tree).lowerBound
        let own = trees.values(of: tree)
        for node in trees.nodes(of: tree) where trees.feature[node] == Tree.leaf {
            let from = Int(trees.child[node]) * leafWidth
            let to = start + leaves.below(node - first).lowerBound * leafWidth
            for index in 0..<leafWidth { values[to + index] = own[from + index] }
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
