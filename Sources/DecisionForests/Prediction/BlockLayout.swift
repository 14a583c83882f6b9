internal import ForestKernels

/// Trees of at most 128 leaves, arranged for `BlockKernel`, and those of at most 64 also for
/// `LeafBitsKernel`. Leaves are numbered from left to right.
///
/// Trees are taken in groups in which no column has more than 254 different thresholds, so that a
/// value's place among them, or that it is missing, fits a byte. Nothing changes after the
/// initialiser: that a class holds it spares a prediction the counting of its many references.
final class BlockLayout: Sendable {
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
    private let groups: [Group]
    private let searches: [Int32]
    /// Where a block of 16 is one line of the cache.
    private let tables: HugeBuffer<Float>
    private let nodes: [Node]
    /// Where each tree's nodes start, and where the last one's end.
    private let nodeStarts: [Int]
    private let values: [Float]
    private let valueStarts: [Int32]
    /// For single rows; nil where a walk is better.
    private let bits: LeafBits?

    /// Nil if a tree has too many leaves, or if there are too many inputs.
    init?(_ ensemble: TreeEnsemble, _ trees: TreeColumns, choice: KernelChoice) {
        guard trees.leafCountMax <= BlockKernel.leafCountMax,
            Self.valuesAreFew(trees),
            let (inputs, tests) = ScoringInputs.make(
                of: ensemble, trees, countMax: Int(UInt16.max))
        else { return nil }
        self.inputs = inputs
        kernels = .of(choice)
        leafWidth = ensemble.leafWidth
        outputCount = ensemble.outputCount
        let columnCount = inputs.columns.count
        features = inputs.columns.map { Int32($0.feature) }
        let hasBits = LeafBitsBuilder.takes(trees, columnCount: columnCount, choice: choice)
        let (made, cutGroups, bits) = trees.withView { trees in
            tests.withView(trees) { tests in
                let inner = InnerNodes(tests, inputs)
                let cuts = Cuts(inner, tests, columnCount: columnCount)
                let (groups, order) = HelperPool.shared.both {
                    CutGroups(inner, cuts)
                } _: {
                    hasBits ? cuts.numbersByColumn(inner) : []
                }
                let made = BlockNodes(trees, inner, cuts: groups.cuts)
                guard hasBits else { return (made, groups, LeafBits?.none) }
                let builder = LeafBitsBuilder(
                    groups: groups.ranges, starts: inner.starts, tests: made.tests, order: order)
                return (made, groups, builder.build(columnCount: columnCount))
            }
        }
        self.bits = bits
        nodes = made.nodes
        nodeStarts = made.nodeStarts
        values = made.values
        valueStarts = made.valueStarts
        searches = cutGroups.searches
        tables = HugeBuffer(copying: cutGroups.tables)
        var firstBand = 0
        groups = cutGroups.ranges.enumerated().map { number, range in
            let group = Group(
                trees: range, firstBand: firstBand, firstSearch: 2 * columnCount * number)
            firstBand += LeafBitsBuilder.bandCount(of: range)
            return group
        }
    }

    /// Whether leaves that are copied to every node which names them are not many more than there
    /// were: nodes may share a leaf in a file that is not ours.
    private static func valuesAreFew(_ trees: TreeColumns) -> Bool {
        let count = (trees.nodeCount + trees.treeCount) / 2 * trees.leafWidth
        return count <= Int(Int32.max) && count <= 4 * trees.leafValues.count
    }

    /// Whether a row alone is scored here; otherwise only whole blocks are worth it.
    var takesSingleRows: Bool { bits != nil }

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
                tables.base + Int(searches[search]), Int(searches[search + 1]),
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
                    let count = nodeStarts[tree + 1] - nodeStarts[tree]
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
                    row, features, inputs.columns.count, tables.base,
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
