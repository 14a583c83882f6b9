internal import ForestKernels

/// Trees of at most 64 leaves as the records of `LeafBitsKernel`: for rows that come alone.
///
/// Trees are appended in order, test by test; a group of trees that share their cuts ends with
/// `endGroup`, because a band of trees looks into one set of codes.
final class LeafBits: @unchecked Sendable {
    /// An inner node: the column it tests, the place of its threshold among the column's cuts, the
    /// places of the leaves that a failed test takes away, and whether a missing value passes.
    struct Test {
        var column: Int
        var cut: Int
        var taken: Range<Int>
        var missingPasses: Bool
    }

    /// Codes of a row that fit a stack's page.
    private static let columnCountMax = 1_024
    /// Tables that a slot looks into on average, from which on walks down the trees are faster.
    private static let meanTableCountMax = 8

    /// Bytes of a row's codes; those beyond the inputs are never looked at.
    let codeCount: Int
    /// Four numbers for each band, as `LeafBitsKernel` reads them.
    private var bands: [Int32] = []
    private var spans: [UInt8] = []
    private var records: [UInt8] = []
    private var passing: [UInt8] = []
    /// `records` and `passing` at addresses that whole vectors may be read from.
    private var sealed = (
        records: HugeBuffer<UInt8>(count: 0), passing: HugeBuffer<UInt8>(count: 0)
    )
    private var isSound = true

    /// The tests of the trees of an unfinished band, and where each tree's end.
    private var tests: [Test] = []
    private var ends: [Int] = []

    /// Nil where a walk is faster or the only way: more leaves, many inputs, or a processor
    /// without the shuffles that make it fast.
    init?(for trees: TreeColumns, columnCount: Int, choice: KernelChoice) {
        guard choice >= .avx2, columnCount <= Self.columnCountMax,
            trees.leafCountMax <= LeafBitsKernel.leafCountMax
        else { return nil }
        let tableSize = LeafBitsKernel.tableSize
        codeCount = max(1, (columnCount + tableSize - 1) / tableSize) * tableSize
    }

    /// Bands so far.
    var bandCount: Int { bands.count / 4 }

    // MARK: Building

    /// Adds a test of the tree that `endTree` ends.
    func append(_ test: Test) { tests.append(test) }

    /// Ends a tree, which may be a single leaf.
    func endTree() {
        ends.append(tests.count)
        if ends.count == LeafBitsKernel.lanes { endBand() }
    }

    /// Ends a group: its trees are scored together.
    func endGroup() {
        if !ends.isEmpty { endBand() }
    }

    /// Ends the last group; false if walks would be faster.
    func seal() -> Bool {
        let tableCount = stride(from: 1, to: spans.count, by: 2).reduce(0) { $0 + Int(spans[$1]) }
        guard isSound, tableCount <= spans.count / 2 * Self.meanTableCountMax else { return false }
        sealed = (HugeBuffer(copying: records), HugeBuffer(copying: passing))
        records = []
        passing = []
        return true
    }

    private func endBand() {
        let lanes = LeafBitsKernel.lanes
        var slotCount = 0
        var start = 0
        for end in ends {
            slotCount = max(slotCount, end - start)
            tests[start..<end].sort { $0.column < $1.column }
            start = end
        }
        let planes = Self.planes(for: slotCount + 1)
        let slotSize = (2 + planes) * lanes
        let recordStart = records.count
        bands += [
            Int32(recordStart / lanes), Int32(spans.count / 2), Int32(slotCount), Int32(planes),
        ]
        records += repeatElement(0, count: slotCount * slotSize)
        passing += repeatElement(0, count: slotCount * lanes)
        // A lane without a test has a cut that no code exceeds.
        for slot in 0..<slotCount {
            let cuts = recordStart + slot * slotSize + lanes
            for lane in cuts..<cuts + lanes { records[lane] = UInt8(bitPattern: Int8.max) }
        }
        let firstTables = appendSpans(slotCount: slotCount)
        if isSound {
            fill(slotCount, from: recordStart, planes: planes, firstTables: firstTables)
        }
        tests.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
    }

    /// Calls `body` with every test of a band and its slot. Smaller trees leave slots out here and
    /// there, so that theirs too look into the tables that the others look into.
    private func forEachTest(
        slotCount: Int, _ body: (_ lane: Int, _ slot: Int, _ test: Test) -> Void
    ) {
        var start = 0
        for (lane, end) in ends.enumerated() {
            let count = end - start
            for number in 0..<count {
                body(lane, number * slotCount / count, tests[start + number])
            }
            start = end
        }
    }

    /// Appends which tables each slot of a band looks into; the first of each.
    private func appendSpans(slotCount: Int) -> [Int] {
        var spansOfSlots = [(first: Int, last: Int)](repeating: (.max, 0), count: slotCount)
        forEachTest(slotCount: slotCount) { _, slot, test in
            let table = test.column / LeafBitsKernel.tableSize
            spansOfSlots[slot].first = min(spansOfSlots[slot].first, table)
            spansOfSlots[slot].last = max(spansOfSlots[slot].last, table)
        }
        for (first, last) in spansOfSlots {
            let isShort = first <= last && last - first < LeafBitsKernel.tableCountMax
            isSound = isSound && isShort
            spans += isShort ? [UInt8(first), UInt8(last - first + 1)] : [0, 1]
        }
        return spansOfSlots.map(\.first)
    }

    /// Writes the tests of a band: at most one of each of its trees to a slot.
    private func fill(_ slotCount: Int, from start: Int, planes: Int, firstTables: [Int]) {
        let (lanes, tableSize) = (LeafBitsKernel.lanes, LeafBitsKernel.tableSize)
        let passingStart = passing.count - slotCount * lanes
        forEachTest(slotCount: slotCount) { lane, slot, test in
            let place = start + slot * (2 + planes) * lanes + lane
            passing[passingStart + slot * lanes + lane] = test.missingPasses ? UInt8.max : 0
            records[place] = UInt8(test.column - firstTables[slot] * tableSize)
            records[place + lanes] = UInt8(truncatingIfNeeded: test.cut - 128)
            let bits = ((1 as UInt64) << test.taken.count &- 1) << test.taken.lowerBound
            for plane in 0..<planes {
                records[place + (2 + plane) * lanes] =
                    UInt8(truncatingIfNeeded: bits >> UInt64(8 * plane))
            }
        }
    }

    /// Groups of eight leaves that hold `leafCount`: 1, 2, 4 or 8.
    private static func planes(for leafCount: Int) -> Int {
        var planes = 1
        while planes * 8 < leafCount { planes *= 2 }
        return planes
    }

    // MARK: Scoring

    /// Adds the values of a group's trees for one row to its sums.
    ///
    /// `firstBand` was `bandCount` before the group, `starts` has where each of its trees' values
    /// start.
    func add(
        _ trees: Range<Int>, firstBand: Int, codes: UnsafePointer<Int8>, hasMissing: Bool,
        values: UnsafePointer<Float>, starts: UnsafePointer<Int32>, width: Int,
        to sums: UnsafeMutablePointer<Double>, outputCount: Int, _ kernels: PredictionKernels
    ) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: LeafBitsKernel.lanes) { leaves in
            bands.withUnsafeBufferPointer { bands in
                spans.withUnsafeBufferPointer { spans in
                    guard let bands = bands.baseAddress, let leaves = leaves.baseAddress else {
                        return
                    }
                    let noSpans = UnsafePointer<UInt8>(leaves)
                    kernels.addBits(
                        bands + 4 * firstBand, trees.count, sealed.records.base,
                        spans.baseAddress ?? noSpans, hasMissing ? sealed.passing.base : nil,
                        codes, values, starts, leaves, width, sums,
                        trees.lowerBound % outputCount, outputCount)
                }
            }
        }
    }
}

extension HugeBuffer {
    /// The same elements.
    convenience init(copying elements: [Element]) {
        self.init(count: elements.count)
        elements.withUnsafeBufferPointer { source in
            if let start = source.baseAddress { base.update(from: start, count: source.count) }
        }
    }
}
