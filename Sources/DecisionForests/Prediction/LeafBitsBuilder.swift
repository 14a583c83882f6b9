internal import ForestKernels

/// Makes the records of a `LeafBits`, band by band, from the tests of all trees.
struct LeafBitsBuilder {
    /// An inner node: the column it tests, the place of its threshold among the column's cuts, the
    /// places of the leaves that a failed test takes away, and whether a missing value passes.
    struct Test {
        var column: UInt16
        var cut: UInt8
        var takenStart: UInt8
        var takenCount: UInt8
        var missingPasses: Bool
    }

    /// Up to 32 trees that stand side by side.
    private struct Band {
        var trees: Range<Int>
        var slotCount: Int
        /// Groups of eight leaves.
        var planes: Int
        var recordStart: Int
        var firstSlot: Int
    }

    /// Codes of a row that fit a stack's page.
    private static let columnCountMax = 1_024
    /// Tables that a slot looks into on average, from which on walks down the trees are faster.
    private static let meanTableCountMax = 8

    /// Where each tree's tests start in `order`, and where the last one's end.
    private let starts: [Int]
    private let tests: [Test]
    /// The numbers of each tree's tests, in the order of their columns.
    private let order: [Int32]
    private var bands: [Band] = []
    private var slotCount = 0
    private var recordSize = 0

    /// Whether such records are worth making: a walk is faster or the only way for more leaves, for
    /// many inputs, or on a processor without the shuffles that make these fast.
    static func takes(_ trees: TreeColumns, columnCount: Int, choice: KernelChoice) -> Bool {
        choice >= .avx2 && columnCount <= columnCountMax
            && trees.leafCountMax <= LeafBitsKernel.leafCountMax
    }

    /// Bands for groups of trees that share their cuts: one looks into one set of codes.
    init(groups: [Range<Int>], starts: [Int], tests: [Test], order: [Int32]) {
        (self.starts, self.tests, self.order) = (starts, tests, order)
        for group in groups {
            for first in stride(
                from: group.lowerBound, to: group.upperBound, by: LeafBitsKernel.lanes)
            {
                append(first..<min(first + LeafBitsKernel.lanes, group.upperBound))
            }
        }
    }

    /// Bands that a group of trees takes.
    static func bandCount(of group: Range<Int>) -> Int {
        (group.count + LeafBitsKernel.lanes - 1) / LeafBitsKernel.lanes
    }

    private mutating func append(_ trees: Range<Int>) {
        let count = trees.reduce(0) { max($0, starts[$1 + 1] - starts[$1]) }
        let planes = Self.planes(for: count + 1)
        bands.append(
            Band(
                trees: trees, slotCount: count, planes: planes, recordStart: recordSize,
                firstSlot: slotCount))
        slotCount += count
        recordSize += count * (2 + planes) * LeafBitsKernel.lanes
    }

    /// Groups of eight leaves that hold `leafCount`: 1, 2, 4 or 8.
    private static func planes(for leafCount: Int) -> Int {
        var planes = 1
        while planes * 8 < leafCount { planes *= 2 }
        return planes
    }

    /// The records; nil if walks would be faster.
    func build(columnCount: Int) -> LeafBits? {
        guard let spans = spans() else { return nil }
        let records = HugeBuffer<UInt8>(count: recordSize)
        let passing = HugeBuffer<UInt8>(count: slotCount * LeafBitsKernel.lanes)
        forEachBand { band in
            fill(
                band, spans: spans, record: records.base + band.recordStart,
                passing: passing.base + band.firstSlot * LeafBitsKernel.lanes)
        }
        let lanes = LeafBitsKernel.lanes
        return LeafBits(
            columnCount: columnCount,
            bands: bands.flatMap {
                [$0.recordStart / lanes, $0.firstSlot, $0.slotCount, $0.planes].map {
                    Int32(truncatingIfNeeded: $0)
                }
            }, spans: spans, records: records, passing: passing)
    }

    /// Calls `body` with each band, on several threads.
    private func forEachBand(_ body: @Sendable (Band) -> Void) {
        HelperPool.shared.forEach(bands.count, threads: HelperPool.loadThreadCount) { index, _ in
            body(bands[index])
        }
    }

    /// Calls `body` with every test of a band and its slot. Smaller trees leave slots out here and
    /// there, so that theirs too look into the tables that the others look into.
    @inline(__always)
    private func forEachTest(
        of band: Band, _ body: (_ lane: Int, _ slot: Int, _ test: Test) -> Void
    ) {
        tests.withUnsafeBufferPointer { tests in
            order.withUnsafeBufferPointer { order in
                for tree in band.trees {
                    let own = starts[tree]..<starts[tree + 1]
                    guard !own.isEmpty else { continue }
                    // Test i of n has the slot ⌊i · slotCount / n⌋.
                    let (step, rest) = band.slotCount.quotientAndRemainder(dividingBy: own.count)
                    var (slot, remainder) = (0, 0)
                    for place in own {
                        body(tree &- band.trees.lowerBound, slot, tests[Int(order[place])])
                        slot &+= step
                        remainder &+= rest
                        let carries = remainder >= own.count
                        slot &+= carries ? 1 : 0
                        remainder &-= carries ? own.count : 0
                    }
                }
            }
        }
    }

    /// Per slot of all bands the first table it looks into and how many; nil if they are too many.
    private func spans() -> [UInt8]? {
        var isSound = true
        var tableCount = 0
        let spans = [UInt8](unsafeUninitializedCapacity: 2 * slotCount) { spans, count in
            for slot in 0..<slotCount { (spans[2 * slot], spans[2 * slot + 1]) = (.max, 0) }
            // A division by a number of another module's would be one.
            let tableShift = UInt16(LeafBitsKernel.tableSize.trailingZeroBitCount)
            nonisolated(unsafe) let target = spans
            forEachBand { band in
                let own = UnsafeMutableBufferPointer(rebasing: target[(2 * band.firstSlot)...])
                // First and last table, of which there are 64 at most.
                forEachTest(of: band) { _, slot, test in
                    let table = UInt8(truncatingIfNeeded: test.column &>> tableShift)
                    own[2 * slot] = min(own[2 * slot], table)
                    own[2 * slot + 1] = max(own[2 * slot + 1], table)
                }
            }
            let lengthMax = LeafBitsKernel.tableCountMax
            for slot in 0..<slotCount {
                let length = Int(spans[2 * slot + 1]) - Int(spans[2 * slot]) + 1
                isSound = isSound && length >= 1 && length <= lengthMax
                tableCount += length
                spans[2 * slot + 1] = UInt8(truncatingIfNeeded: length)
            }
            count = 2 * slotCount
        }
        return isSound && tableCount <= slotCount * Self.meanTableCountMax ? spans : nil
    }

    /// Writes the tests of a band: at most one of each of its trees to a slot.
    private func fill(
        _ band: Band, spans: [UInt8], record: UnsafeMutablePointer<UInt8>,
        passing: UnsafeMutablePointer<UInt8>
    ) {
        let (lanes, tableSize) = (LeafBitsKernel.lanes, LeafBitsKernel.tableSize)
        let slotSize = (2 + band.planes) * lanes
        // A lane without a test has a cut that no code exceeds.
        for slot in 0..<band.slotCount {
            (record + (slot * slotSize + lanes)).update(repeating: 127, count: lanes)
        }
        spans.withUnsafeBufferPointer { spans in
            forEachTest(of: band) { lane, slot, test in
                let place = record + (slot &* slotSize &+ lane)
                let firstTable = Int(spans[2 &* (band.firstSlot &+ slot)])
                passing[slot &* lanes &+ lane] = test.missingPasses ? UInt8.max : 0
                place[0] = UInt8(
                    truncatingIfNeeded: Int(test.column) &- firstTable &* tableSize)
                place[lanes] = test.cut ^ 0x80
                var bits = ((1 as UInt64) &<< UInt64(test.takenCount) &- 1)
                bits = bits &<< UInt64(test.takenStart)
                for plane in 0..<band.planes {
                    place[(2 &+ plane) &* lanes] = UInt8(truncatingIfNeeded: bits)
                    bits &>>= 8
                }
            }
        }
    }
}
