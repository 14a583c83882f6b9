/// How the rows of a leaf move to its children, and the smaller child is summed on the way.
extension BoostedTreeGrower {
    /// What dividing a leaf's rows left behind.
    struct Division {
        let left: SectionedRows
        let right: SectionedRows
        /// The histogram of one child; nil if none was wanted.
        var slot: Int?
        /// Which child's it is.
        var isOfLeft = true
        /// Whether the sums are with the workers, to be collected.
        var isShared = false

        /// With `leftCounts` of each section's rows gone left.
        init(_ rows: SectionedRows, leftCounts: [Int], slot: Int?) {
            (left, right) = rows.split(after: leftCounts)
            self.slot = slot
        }
    }

    /// Rows that a thread divides and sums at once: they stay in its first cache.
    private static let groupRows = 2048
    /// The same where a row has so many features that going through all tiles for few rows costs.
    static let groupRowsMax = 8192
    private static let groupRowsMin = 256
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

    /// Moves the rows of a leaf to its ranges of the other entries: those that go left to the
    /// front, the others to the end. With a `slot`, sums the histogram of the smaller child, or of
    /// one that is hardly larger.
    func divide(_ leaf: Leaf, by split: NodeSplit, into slot: Int?) -> Division {
        let isWorthSharing =
            leaf.rows.count >= Self.parallelRows
            || slot != nil && leaf.rows.count * plan.tiles.paddedCount >= Self.parallelUpdates
        if plan.team.size > 1, isWorthSharing {
            return divideTogether(leaf, by: split, into: slot)
        }
        divide(0..<leaf.rows.ranges.count, of: leaf.rows, of: leaf, by: split)
        var division = Division(leaf.rows, leftCounts: divided(leaf.rows), slot: slot)
        guard let slot else { return division }
        division.isOfLeft = division.left.count <= division.right.count
        division.isShared = fillAlone(
            slot, from: states.entries(inSpare: !leaf.isInSpare),
            division.isOfLeft ? division.left : division.right)
        return division
    }

    /// Moves the rows that the tree does not see; returns those of each child.
    func divideHidden(
        _ leaf: Leaf, by split: NodeSplit
    ) -> (left: SectionedRows, right: SectionedRows) {
        guard leaf.hidden.count > 0 else { return (leaf.hidden, leaf.hidden) }
        let groups = groups(
            of: leaf.hidden, isShared: leaf.hidden.count >= Self.parallelRows)
        plan.team.forEach(groups.count) { index, _ in
            divide(groups[index], of: leaf.hidden, of: leaf, by: split)
        }
        return leaf.hidden.split(after: divided(leaf.hidden))
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

    /// Moves the rows in these sections, and notes in `leftCounts` how many go left.
    private func divide(
        _ sections: Range<Int>, of rows: SectionedRows, of leaf: Leaf, by split: NodeSplit
    ) {
        let source = states.entries(inSpare: leaf.isInSpare)
        let target = states.entries(inSpare: !leaf.isInSpare)
        let column = column(of: split)
        for section in sections {
            let range = rows.ranges[section]
            leftCounts.base[section] =
                range.isEmpty
                ? 0
                : plan.kernels.divide(
                    source + range.lowerBound, range.count, column, goesLeft,
                    target + range.lowerBound, target + (range.upperBound - 1))
        }
    }

    /// How many rows went left in each section.
    private func divided(_ rows: SectionedRows) -> [Int] {
        Array(UnsafeBufferPointer(start: leftCounts.base, count: rows.ranges.count))
    }

    /// With all threads: who has divided the rows of some sections sums them while they are at
    /// hand.
    private func divideTogether(
        _ leaf: Leaf, by split: NodeSplit, into slot: Int?
    ) -> Division {
        let isOfLeft = slot != nil && seemsSmallerLeft(leaf, by: split)
        let target = states.entries(inSpare: !leaf.isInSpare)
        let groups = groups(of: leaf.rows, isShared: true)
        let counts = leftCounts.base
        plan.team.forEach(groups.count) { index, worker in
            let sections = groups[index]
            divide(sections, of: leaf.rows, of: leaf, by: split)
            guard slot != nil else { return }
            let summed = sections.lazy.map { section in
                let range = leaf.rows.ranges[section]
                let middle = range.lowerBound + counts[section]
                return isOfLeft ? range.lowerBound..<middle : middle..<range.upperBound
            }
            add(summed, of: target, worker: worker)
        }
        var division = Division(leaf.rows, leftCounts: divided(leaf.rows), slot: slot)
        (division.isOfLeft, division.isShared) = (isOfLeft, slot != nil)
        return division
    }

    /// Whether fewer rows seem to go left, from some of them.
    private func seemsSmallerLeft(_ leaf: Leaf, by split: NodeSplit) -> Bool {
        let entries = states.entries(inSpare: leaf.isInSpare)
        let column = column(of: split)
        let step = max(1, leaf.rows.count / Self.sampleRows)
        var (left, all) = (0, 0)
        for rows in leaf.rows.ranges {
            for index in stride(from: rows.lowerBound, to: rows.upperBound, by: step) {
                left += Int(goesLeft[Int(column[Int(entries[index] >> 32)])])
                all += 1
            }
        }
        return 2 * left <= all
    }

    /// The sections in groups, one at a time for a thread: some for each, so that none waits long
    /// for the last.
    func groups(of rows: SectionedRows, isShared: Bool) -> [Range<Int>] {
        guard isShared, plan.team.size > 1 else { return [0..<rows.ranges.count] }
        let most = plan.tiles.tiles.count > 4 ? Self.groupRowsMax : Self.groupRows
        return rows.groups(
            least: min(most, max(Self.groupRowsMin, rows.count / (8 * plan.team.size))))
    }
}
