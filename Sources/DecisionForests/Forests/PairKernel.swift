/// Judges splits of two classes by Gini impurity. All sums are integers.
///
/// A payload and a histogram cell are one word: the weight of all rows in the upper half, that of
/// the second class's rows in the lower one. A node's weights sum to at most 2^31, so neither half
/// overflows into the other, and no cell with a row is zero.
final class PairKernel: SplitKernel {
    typealias Payload = UInt64

    private let classes: [Int32]
    private let histogram: UnsafeMutablePointer<UInt64>
    /// Rows per bin; filled only where a leaf must have more than one.
    private let counts: UnsafeMutablePointer<UInt32>
    private let occupied = OccupiedBins()
    /// The occupied bins' cells and row counts, one after another.
    private let cells: UnsafeMutablePointer<UInt64>
    private let cellCounts: UnsafeMutablePointer<UInt32>
    /// The node at hand.
    private var total: UInt64 = 0

    init(classes: [Int32]) {
        self.classes = classes
        histogram = .allocate(capacity: 256)
        histogram.initialize(repeating: 0, count: 256)
        counts = .allocate(capacity: 256)
        counts.initialize(repeating: 0, count: 256)
        cells = .allocate(capacity: 256)
        cells.initialize(repeating: 0, count: 256)
        cellCounts = .allocate(capacity: 256)
        cellCounts.initialize(repeating: 0, count: 256)
    }

    deinit {
        histogram.deallocate()
        counts.deallocate()
        cells.deallocate()
        cellCounts.deallocate()
        occupied.deallocate()
    }

    func payload(row: Int, weight: UInt32) -> Payload {
        UInt64(weight) << 32 | UInt64(weight) &* UInt64(truncatingIfNeeded: classes[row])
    }

    func open(_ payloads: UnsafePointer<Payload>, count: Int) {
        var sum: UInt64 = 0
        for index in 0..<count { sum &+= payloads[index] }
        total = sum
    }

    var isPure: Bool { total & 0xFFFF_FFFF == 0 || total & 0xFFFF_FFFF == total >> 32 }

    func appendLeaf(to values: inout [Float]) {
        let (weight, second) = (total >> 32, total & 0xFFFF_FFFF)
        values.append(Float(Double(weight &- second) / Double(weight)))
        values.append(Float(Double(second) / Double(weight)))
    }

    var weight: Double { Double(total >> 32) }

    /// Of the fraction that candidates are compared by, the impurity is 2 / N.
    func decrease(by split: Split) -> Double {
        2 * split.numerator / split.denominator / weight
    }

    func judge(_ rows: NodeRows<Payload>, at cut: BinCut, feature: Int32, best: inout Split) {
        var (left, missing): (UInt64, UInt64) = (0, 0)
        var (leftCount, missingCount) = (0, 0)
        rows.forEach(at: cut) { index, goesLeft, isMissing in
            left &+= rows.payloads[index] & (0 &- UInt64(goesLeft))
            missing &+= rows.payloads[index] & (0 &- UInt64(isMissing))
            leftCount &+= goesLeft
            missingCount &+= isMissing
        }
        let (all, second) = (Int64(total >> 32), Int64(total & 0xFFFF_FFFF))
        for side in cut.missingSides {
            let sum = side == .left ? left &+ missing : left
            let count = side == .left ? leftCount + missingCount : leftCount
            guard min(count, rows.count - count) >= rows.leafCountMin else { continue }
            let (weight, ofSecond) = (Int64(sum >> 32), Int64(sum & 0xFFFF_FFFF))
            let excess = Double(ofSecond &* all &- second &* weight)
            best.offer(
                excess * excess, over: Double(weight &* (all &- weight)), feature: feature,
                bins: (cut.lastLeftBin, cut.firstRightBin), missing: side,
                threshold: cut.threshold, leftBins: cut.leftBins)
        }
    }

    func search(_ rows: NodeRows<Payload>, feature: Int32, best: inout Split) -> Bool {
        rows.leafCountMin > 1
            ? search(rows, feature, counted: true, &best)
            : search(rows, feature, counted: false, &best)
    }

    @inline(__always)
    private func search(
        _ rows: NodeRows<Payload>, _ feature: Int32, counted: Bool, _ best: inout Split
    ) -> Bool {
        let count: Int
        if rows.count < OccupiedBins.wholeScanRowsMin {
            fill(rows, counted: counted, marked: true)
            count = occupied.collect()
        } else {
            fill(rows, counted: counted, marked: false)
            count = occupied.collect(histogram)
        }
        takeCells(count, counted: counted)
        if rows.isCategorical, count > 1 { sortCategories(count) }
        occupied.scanAll(count) { walk in
            scan(rows, feature, walk, counted: counted, &best)
        }
        return count > 1
    }

    /// By the second class's share.
    private func sortCategories(_ count: Int) {
        let before = Array(UnsafeBufferPointer(start: cells, count: count))
        let counts = Array(UnsafeBufferPointer(start: cellCounts, count: count))
        let order = occupied.sortCategories(count) { first, second in
            let (a, b) = (before[first], before[second])
            return (a & 0xFFFF_FFFF) * (b >> 32) < (b & 0xFFFF_FFFF) * (a >> 32)
        }
        for (place, old) in order.enumerated() {
            cells[place] = before[old]
            cellCounts[place] = counts[old]
        }
    }

    @inline(__always)
    private func fill(_ rows: NodeRows<Payload>, counted: Bool, marked: Bool) {
        let (histogram, counts, occupied) = (histogram, counts, occupied)
        for index in 0..<rows.count {
            let bin = rows.bins[Int(rows.rows[index])]
            histogram[Int(bin)] &+= rows.payloads[index]
            if counted { counts[Int(bin)] &+= 1 }
            if marked { occupied.insert(bin) }
        }
    }

    /// Moves the listed bins' cells together and leaves an empty histogram.
    @inline(__always)
    private func takeCells(_ count: Int, counted: Bool) {
        let (histogram, counts, list) = (histogram, counts, occupied.list)
        let (cells, cellCounts) = (cells, cellCounts)
        for index in 0..<count {
            let bin = Int(list[index])
            cells[index] = histogram[bin]
            histogram[bin] = 0
            if counted {
                cellCounts[index] = counts[bin]
                counts[bin] = 0
            }
        }
    }

    /// Of N rows, n of the second class, let L be on the left, l of the second class. The weighted
    /// Gini impurity is least where (l N − n L)² / (L (N − L)) is greatest.
    @inline(__always)
    private func scan(
        _ rows: NodeRows<Payload>, _ feature: Int32, _ walk: BinWalk, counted: Bool,
        _ best: inout Split
    ) {
        let (cells, cellCounts) = (cells, cellCounts)
        let (all, second) = (Int64(total >> 32), Int64(total & 0xFFFF_FFFF))
        let missingCell = walk.missing == .left ? walk.valueCount : nil
        var left = missingCell.map { cells[$0] } ?? 0
        var leftCount = counted ? missingCell.map { Int(cellCounts[$0]) } ?? 0 : 0
        var (bestNumerator, bestDenominator) = (best.numerator, best.denominator)
        var position = -1
        for index in 0..<walk.end {
            left &+= cells[index]
            if counted {
                leftCount &+= Int(cellCounts[index])
                guard leftCount >= rows.leafCountMin else { continue }
                guard rows.count &- leftCount >= rows.leafCountMin else { break }
            }
            let (weight, ofSecond) = (Int64(left >> 32), Int64(left & 0xFFFF_FFFF))
            let excess = Double(ofSecond &* all &- second &* weight)
            let (numerator, denominator) = (
                excess * excess, Double(weight &* (all &- weight))
            )
            let (new, old) = (numerator * bestDenominator, bestNumerator * denominator)
            guard new >= old else { continue }
            // Of equal splits the lower feature's stays, and within a feature the first one.
            guard new > old || (position < 0 && feature < best.feature) else { continue }
            (bestNumerator, bestDenominator, position) = (numerator, denominator, index)
        }
        guard position >= 0 else { return }
        let list = occupied.list
        best = Split(
            numerator: bestNumerator, denominator: bestDenominator, feature: feature,
            lastLeftBin: list[position], firstRightBin: list[position + 1],
            missingGoesLeft: walk.missing == .left, hasMissing: walk.missing != .none,
            leftBins: rows.isCategorical ? occupied.mask(first: position + 1) : nil)
    }
}
