/// Judges splits by how well they separate classes. All sums are integers.
///
/// A histogram cell belongs to one bin and one class: the number of rows in its upper half, the sum
/// of their weights in its lower half. A node's weights sum to at most 2^31, so neither overflows,
/// and squares of weight sums fit 62 bits.
final class ClassKernel: SplitKernel {
    struct Payload: BitwiseCopyable {
        var weight: UInt32
        var classIndex: UInt32
    }

    private let classes: [Int32]
    private let classCount: Int
    private let criterion: ClassificationCriterion
    private let histogram: UnsafeMutablePointer<UInt64>
    private let occupied = OccupiedBins()
    /// Weight per class of the node at hand, and of a split's left side.
    private let total: UnsafeMutablePointer<Int64>
    private let left: UnsafeMutablePointer<Int64>
    private var totalWeight: Int64 = 0

    init(classes: [Int32], classCount: Int, criterion: ClassificationCriterion) {
        self.classes = classes
        self.classCount = classCount
        self.criterion = criterion
        histogram = .allocate(capacity: 256 * classCount)
        histogram.initialize(repeating: 0, count: 256 * classCount)
        total = .allocate(capacity: classCount)
        total.initialize(repeating: 0, count: classCount)
        left = .allocate(capacity: classCount)
        left.initialize(repeating: 0, count: classCount)
    }

    deinit {
        histogram.deallocate()
        total.deallocate()
        left.deallocate()
        occupied.deallocate()
    }

    func payload(row: Int, weight: UInt32) -> Payload {
        Payload(weight: weight, classIndex: UInt32(classes[row]))
    }

    func open(_ payloads: UnsafePointer<Payload>, count: Int) {
        let total = total
        total.update(repeating: 0, count: classCount)
        var sum: Int64 = 0
        for index in 0..<count {
            let payload = payloads[index]
            total[Int(payload.classIndex)] &+= Int64(payload.weight)
            sum &+= Int64(payload.weight)
        }
        totalWeight = sum
    }

    var isPure: Bool {
        for index in 0..<classCount where total[index] != 0 { return total[index] == totalWeight }
        return true
    }

    func appendLeaf(to values: inout [Float]) {
        let weight = Double(totalWeight)
        for index in 0..<classCount { values.append(Float(Double(total[index]) / weight)) }
    }

    var weight: Double { Double(totalWeight) }

    func decrease(by split: Split) -> Double {
        let gain = split.numerator / split.denominator
        switch criterion {
        case .gini:
            var squares: Int64 = 0
            for index in 0..<classCount { squares &+= total[index] &* total[index] }
            return max(0, gain - Double(squares) / weight)
        case .entropy:
            // In bits, as scikit-learn counts it.
            var parent = Self.timesLog(totalWeight)
            for index in 0..<classCount { parent -= Self.timesLog(total[index]) }
            return max(0, gain + parent) / PortableMath.log(2)
        }
    }

    func judge(_ rows: NodeRows<Payload>, at cut: BinCut, feature: Int32, best: inout Split) {
        for side in cut.missingSides {
            let (left, total) = (left, total)
            left.update(repeating: 0, count: classCount)
            var (leftWeight, leftCount): (Int64, Int) = (0, 0)
            rows.forEach(at: cut) { index, goesLeft, isMissing in
                let goesLeft = goesLeft | (side == .left ? isMissing : 0)
                let payload = rows.payloads[index]
                let weight = Int64(payload.weight) &* Int64(goesLeft)
                left[Int(payload.classIndex)] &+= weight
                leftWeight &+= weight
                leftCount &+= goesLeft
            }
            guard min(leftCount, rows.count - leftCount) >= rows.leafCountMin else { continue }
            var (leftSquares, rightSquares): (Int64, Int64) = (0, 0)
            if criterion == .gini {
                for index in 0..<classCount {
                    let right = total[index] &- left[index]
                    leftSquares &+= left[index] &* left[index]
                    rightSquares &+= right &* right
                }
            }
            let gain =
                criterion == .gini
                ? Double(leftSquares) / Double(leftWeight)
                    + Double(rightSquares) / Double(totalWeight &- leftWeight)
                : entropyGain(leftWeight: leftWeight)
            best.offer(
                gain, feature: feature, bins: (cut.lastLeftBin, cut.firstRightBin), missing: side,
                threshold: cut.threshold, leftBins: cut.leftBins)
        }
    }

    func search(_ rows: NodeRows<Payload>, feature: Int32, best: inout Split) -> Bool {
        fill(rows)
        let count = occupied.collect()
        if rows.isCategorical, count > 1 {
            scanCategories(rows, feature, count, &best)
        } else {
            scan(rows, feature, count, &best)
        }
        clear(count)
        return count > 1
    }

    private func scan(
        _ rows: NodeRows<Payload>, _ feature: Int32, _ count: Int, _ best: inout Split
    ) {
        occupied.scanAll(count) { walk in
            switch criterion {
            case .gini: scanGini(rows, feature, walk, &best)
            case .entropy: scanEntropy(rows, feature, walk, &best)
            }
        }
    }

    /// Sorts the categories by one class's share and parts them, for each of the node's classes,
    /// the heaviest ones where there are many. For two classes the best division is among these;
    /// for more it is a good one.
    private func scanCategories(
        _ rows: NodeRows<Payload>, _ feature: Int32, _ count: Int, _ best: inout Split
    ) {
        let heaviest = (0..<classCount).filter { total[$0] > 0 }
            .sorted { total[$0] != total[$1] ? total[$0] > total[$1] : $0 < $1 }
        for classIndex in heaviest.prefix(Self.orderingClassesMax) {
            let shares = (0..<count).map { place in
                let cells = histogram + Int(occupied.list[place]) * classCount
                let weights = (0..<classCount).map { Int64(cells[$0] & 0xFFFF_FFFF) }
                return Double(weights[classIndex]) / Double(weights.reduce(0, +))
            }
            _ = occupied.sortCategories(count) { shares[$0] < shares[$1] }
            scan(rows, feature, count, &best)
        }
    }

    /// Classes whose shares a node's categories are sorted by, one after another.
    private static let orderingClassesMax = 8

    /// Empties the cells of `count` listed bins.
    private func clear(_ count: Int) {
        let (histogram, list, classCount) = (histogram, occupied.list, classCount)
        for index in 0..<count {
            (histogram + Int(list[index]) &* classCount).update(repeating: 0, count: classCount)
        }
    }

    private func fill(_ rows: NodeRows<Payload>) {
        let (histogram, occupied, classCount) = (histogram, occupied, classCount)
        for index in 0..<rows.count {
            let bin = rows.bins[Int(rows.rows[index])]
            let payload = rows.payloads[index]
            histogram[Int(bin) &* classCount &+ Int(payload.classIndex)] &+=
                (1 << 32) | UInt64(payload.weight)
            occupied.insert(bin)
        }
    }

    /// Gini for any number of classes; the sums of squares follow each change of a class.
    private func scanGini(
        _ rows: NodeRows<Payload>, _ feature: Int32, _ walk: BinWalk, _ best: inout Split
    ) {
        let (left, total) = (left, total)
        left.update(repeating: 0, count: classCount)
        var (leftSquares, leftWeight): (Int64, Int64) = (0, 0)
        var rightSquares: Int64 = 0
        for index in 0..<classCount { rightSquares &+= total[index] &* total[index] }
        move(along: walk, rows) { classIndex, weight in
            let (l, r) = (left[classIndex], total[classIndex] &- left[classIndex])
            leftSquares &+= weight &* (2 &* l &+ weight)
            rightSquares &-= weight &* (2 &* r &- weight)
            left[classIndex] = l &+ weight
            leftWeight &+= weight
        } judge: { bins, set in
            let gain =
                Double(leftSquares) / Double(leftWeight)
                + Double(rightSquares) / Double(totalWeight &- leftWeight)
            best.offer(gain, feature: feature, bins: bins, missing: walk.missing, leftBins: set)
        }
    }

    /// Entropy: Σ l log l − L log L + Σ r log r − R log R is greatest where it is least.
    private func scanEntropy(
        _ rows: NodeRows<Payload>, _ feature: Int32, _ walk: BinWalk, _ best: inout Split
    ) {
        let left = left
        left.update(repeating: 0, count: classCount)
        var leftWeight: Int64 = 0
        move(along: walk, rows) { classIndex, weight in
            left[classIndex] &+= weight
            leftWeight &+= weight
        } judge: { bins, set in
            best.offer(
                entropyGain(leftWeight: leftWeight), feature: feature, bins: bins,
                missing: walk.missing, leftBins: set)
        }
    }

    private func entropyGain(leftWeight: Int64) -> Double {
        var gain = -Self.timesLog(leftWeight) - Self.timesLog(totalWeight &- leftWeight)
        for index in 0..<classCount {
            gain += Self.timesLog(left[index]) + Self.timesLog(total[index] &- left[index])
        }
        return gain
    }

    private static func timesLog(_ weight: Int64) -> Double {
        weight <= 1 ? 0 : Double(weight) * PortableMath.log(Double(weight))
    }

    /// Moves one bin after another to the left side; judges after each that leaves both sides
    /// enough rows.
    @inline(__always)
    private func move(
        along walk: BinWalk, _ rows: NodeRows<Payload>,
        take: (_ classIndex: Int, _ weight: Int64) -> Void,
        judge: (_ bins: (left: UInt8, right: UInt8), _ set: BinMask?) -> Void
    ) {
        let (histogram, list) = (histogram, occupied.list)
        var leftCount = 0
        var index = walk.start
        while index < walk.end {
            let bin = index < 0 ? FeatureBinner.missingBin : list[index]
            let cells = histogram + Int(bin) * classCount
            for classIndex in 0..<classCount where cells[classIndex] != 0 {
                leftCount &+= Int(cells[classIndex] >> 32)
                take(classIndex, Int64(cells[classIndex] & 0xFFFF_FFFF))
            }
            index += 1
            guard index > 0, leftCount >= rows.leafCountMin else { continue }
            guard rows.count - leftCount >= rows.leafCountMin else { break }
            judge((bin, list[index]), rows.isCategorical ? occupied.mask(first: index) : nil)
        }
    }
}

/// How a classifier's split is judged.
public enum ClassificationCriterion: String, Sendable, Hashable, Codable, CaseIterable {
    /// Gini impurity.
    case gini
    /// Shannon entropy.
    case entropy
}
