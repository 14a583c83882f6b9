import Synchronization

/// How the rows of a leaf move to its children, and the smaller child is summed on the way.
extension BoostedTreeGrower {
    /// What dividing a leaf's rows left behind.
    struct Division {
        let leftCount: Int
        /// The histogram of one child; nil if none was wanted.
        var slot: Int?
        /// Which child's it is.
        var isOfLeft = true
        /// Whether the sums are with the workers, to be collected.
        var isShared = false
    }

    /// Rows that a thread divides and sums at once: they stay in its first cache.
    private static let chunkRows = 2048
    /// The same where a row has so many features that going through all tiles for few rows costs.
    static let chunkRowsMax = 8192
    private static let chunkRowsMin = 256
    /// Rows below which one thread divides a node alone: about 20 microseconds.
    private static let parallelRows = 4096
    /// Rows that tell which child is the smaller one, before all are counted.
    private static let sampleRows = 128

    /// Room for a child's histogram; nil if neither child can be split, or the leaf has lost the
    /// histogram that the other child's would be subtracted from.
    func slotForChild(of leaf: Leaf, others: inout [Leaf]) -> Int? {
        guard leaf.slot != nil, leaf.depth + 1 < plan.parameters.maxDepth ?? .max,
            leaf.rows.count >= 3 * max(1, plan.parameters.minRowsInLeaf)
        else { return nil }
        return takeSlot(&others)
    }

    /// Moves the rows of a leaf to its range of the other entries: those that go left to its front,
    /// the others to its end. With a `slot`, sums the histogram of the smaller child, or of one
    /// that is hardly larger.
    func divide(_ leaf: Leaf, by split: NodeSplit, into slot: Int?) -> Division {
        let isWorthSharing =
            leaf.rows.count >= Self.parallelRows
            || slot != nil && leaf.rows.count * plan.tiles.paddedCount >= Self.parallelUpdates
        if plan.team.size > 1, isWorthSharing {
            return divideTogether(leaf, by: split, into: slot)
        }
        var division = Division(leftCount: divideAlone(leaf.rows, of: leaf, by: split), slot: slot)
        guard let slot else { return division }
        let middle = leaf.rows.lowerBound + division.leftCount
        division.isOfLeft = 2 * division.leftCount <= leaf.rows.count
        let rows =
            division.isOfLeft
            ? leaf.rows.lowerBound..<middle : middle..<leaf.rows.upperBound
        division.isShared = fillAlone(
            slot, from: states.entries(inSpare: !leaf.isInSpare), rows)
        return division
    }

    /// Moves the rows that the tree does not see; returns how many go left.
    func divideHidden(_ leaf: Leaf, by split: NodeSplit) -> Int {
        guard !leaf.hidden.isEmpty else { return 0 }
        guard plan.team.size > 1, leaf.hidden.count >= Self.parallelRows else {
            return divideAlone(leaf.hidden, of: leaf, by: split)
        }
        return divideTogether(leaf.hidden, of: leaf, by: split) { _, _, _, _ in }
    }

    /// Forgets what was summed: the leaf stays where and what it was.
    func discard(_ division: Division) {
        guard let slot = division.slot else { return }
        if division.isShared { histograms.endCollecting() }
        histograms.giveBack(slot)
    }

    private func column(of split: NodeSplit) -> UnsafePointer<UInt8> {
        plan.columns + split.feature * states.rowCount
    }

    private func divideAlone(_ rows: Range<Int>, of leaf: Leaf, by split: NodeSplit) -> Int {
        let target = states.entries(inSpare: !leaf.isInSpare)
        return plan.kernels.divide(
            states.entries(inSpare: leaf.isInSpare) + rows.lowerBound, rows.count,
            column(of: split), goesLeft, target + rows.lowerBound, target + (rows.upperBound - 1))
    }

    private func divideTogether(
        _ leaf: Leaf, by split: NodeSplit, into slot: Int?
    ) -> Division {
        guard let slot else {
            return Division(
                leftCount: divideTogether(leaf.rows, of: leaf, by: split) { _, _, _, _ in })
        }
        let isOfLeft = seemsSmallerLeft(leaf, by: split)
        let leftCount = divideTogether(leaf.rows, of: leaf, by: split) {
            entries, left, count, worker in
            if isOfLeft {
                addInPieces(entries, 0..<left, worker: worker)
            } else {
                addInPieces(entries, left..<count, worker: worker)
            }
        }
        return Division(leftCount: leftCount, slot: slot, isOfLeft: isOfLeft, isShared: true)
    }

    /// Whether fewer rows seem to go left, from some of them.
    private func seemsSmallerLeft(_ leaf: Leaf, by split: NodeSplit) -> Bool {
        let entries = states.entries(inSpare: leaf.isInSpare) + leaf.rows.lowerBound
        let column = column(of: split)
        let step = max(1, leaf.rows.count / Self.sampleRows)
        var (left, all) = (0, 0)
        for index in stride(from: 0, to: leaf.rows.count, by: step) {
            left += Int(goesLeft[Int(column[Int(entries[index] >> 32)])])
            all += 1
        }
        return 2 * left <= all
    }

    /// Moves rows with all threads; returns how many go left. `then` gets each chunk while it is
    /// at hand: its entries, how many at their start go left, their number, and the worker's.
    ///
    /// Who has divided a chunk takes the next free places on both sides of the target, so the order
    /// of chunks there is that in which they were ready.
    private func divideTogether(
        _ rows: Range<Int>, of leaf: Leaf, by split: NodeSplit,
        then: (
            _ entries: UnsafePointer<UInt64>, _ left: Int, _ count: Int, _ worker: Int
        ) -> Void
    ) -> Int {
        let source = states.entries(inSpare: leaf.isInSpare) + rows.lowerBound
        let target = states.entries(inSpare: !leaf.isInSpare) + rows.lowerBound
        let (count, size) = (rows.count, chunkSize(rows.count))
        let (kernels, column, table) = (plan.kernels, column(of: split), goesLeft)
        let room = chunkEntries.base
        // Rows gone left in the upper half, rows gone right in the lower one.
        let taken = Atomic<UInt64>(0)
        plan.team.forEach((count + size - 1) / size) { chunk, worker in
            let start = chunk * size
            let all = min(size, count - start)
            let entries = room + worker * Self.chunkRowsMax
            let left = kernels.divide(
                source + start, all, column, table, entries, entries + (all - 1))
            let right = all - left
            let before = taken.add(
                UInt64(left) << 32 | UInt64(right), ordering: .relaxed
            ).oldValue
            let (leftBefore, rightBefore) = (Int(before >> 32), Int(before & 0xFFFF_FFFF))
            Self.copy(entries, left, to: target + leftBefore)
            Self.copy(entries + left, right, to: target + (count - rightBefore - right))
            then(entries, left, all, worker)
        }
        return Int(taken.load(ordering: .relaxed) >> 32)
    }

    /// Copies in steps of a kibibyte. For more the C library takes the processor's string
    /// instruction, which is slow where others have just written the target's lines.
    private static func copy(
        _ entries: UnsafePointer<UInt64>, _ count: Int, to target: UnsafeMutablePointer<UInt64>
    ) {
        for start in stride(from: 0, to: count, by: 128) {
            (target + start).update(from: entries + start, count: min(128, count - start))
        }
    }

    /// Some chunks for each thread, so that none waits long for the last.
    private func chunkSize(_ count: Int) -> Int {
        let most = plan.tiles.tiles.count > 4 ? Self.chunkRowsMax : Self.chunkRows
        return min(most, max(Self.chunkRowsMin, count / (4 * plan.team.size)))
    }
}
