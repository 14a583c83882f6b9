/// Judges splits by the squared error of the sides' means. All sums are integers.
///
/// Targets are fixed-point numbers: the greatest has 29 bits, and the mean of all rows is taken
/// off. A node's weights sum to at most 2^31, so a sum of targets stays below 2^61 and none
/// overflows.
final class ValueKernel: SplitKernel {
    struct Payload: BitwiseCopyable {
        var weight: UInt32
        var value: Int32
    }

    /// A histogram cell: row count and weight in the halves of the first word, the sum in the
    /// other.
    typealias Cell = SIMD2<Int64>

    private let target: FixedPointTarget
    private let histogram: UnsafeMutablePointer<Cell>
    private let occupied = OccupiedBins()
    private var total = Cell(0, 0)
    private var least = Int32.max
    private var greatest = Int32.min

    init(target: FixedPointTarget) {
        self.target = target
        histogram = .allocate(capacity: 256)
        histogram.initialize(repeating: Cell(0, 0), count: 256)
    }

    deinit {
        histogram.deallocate()
        occupied.deallocate()
    }

    func payload(row: Int, weight: UInt32) -> Payload {
        Payload(weight: weight, value: target.values[row])
    }

    func open(_ payloads: UnsafePointer<Payload>, count: Int) {
        var sum = Cell(0, 0)
        var (low, high) = (Int32.max, Int32.min)
        for index in 0..<count {
            sum &+= Self.cell(payloads[index])
            low = min(low, payloads[index].value)
            high = max(high, payloads[index].value)
        }
        (total, least, greatest) = (sum, low, high)
    }

    var isPure: Bool { least == greatest }

    func appendLeaf(to values: inout [Float]) {
        values.append(target.mean(sum: total.y, weight: total.x & 0xFFFF_FFFF))
    }

    var weight: Double { Double(total.x & 0xFFFF_FFFF) }

    /// Squared error in the target's own unit: what S²/w of the sides exceeds that of the node.
    func decrease(by split: Split) -> Double {
        let sum = Double(total.y)
        let gain = split.numerator / split.denominator - sum * sum / weight
        return max(0, gain) * target.squaredUnit
    }

    func judge(_ rows: NodeRows<Payload>, at cut: BinCut, feature: Int32, best: inout Split) {
        var (left, missing) = (Cell(0, 0), Cell(0, 0))
        rows.forEach(at: cut) { index, goesLeft, isMissing in
            let cell = Self.cell(rows.payloads[index])
            left &+= cell & Cell(repeating: 0 &- Int64(goesLeft))
            missing &+= cell & Cell(repeating: 0 &- Int64(isMissing))
        }
        for side in cut.missingSides {
            let sum = side == .left ? left &+ missing : left
            let count = Int(sum.x >> 32)
            guard min(count, rows.count - count) >= rows.leafCountMin else { continue }
            best.offer(
                gain(left: sum), feature: feature, bins: (cut.lastLeftBin, cut.firstRightBin),
                missing: side, threshold: cut.threshold, leftBins: cut.leftBins)
        }
    }

    func search(_ rows: NodeRows<Payload>, feature: Int32, best: inout Split) -> Bool {
        let (histogram, occupied) = (histogram, occupied)
        for index in 0..<rows.count {
            let bin = rows.bins[Int(rows.rows[index])]
            histogram[Int(bin)] &+= Self.cell(rows.payloads[index])
            occupied.insert(bin)
        }
        let count = occupied.collect()
        if rows.isCategorical, count > 1 {
            // By the target's mean.
            let list = occupied.list
            let means = (0..<count).map { place in
                let cell = histogram[Int(list[place])]
                return Double(cell.y) / Double(cell.x & 0xFFFF_FFFF)
            }
            _ = occupied.sortCategories(count) { means[$0] < means[$1] }
        }
        occupied.scanAll(count) { walk in scan(rows, feature, walk, &best) }
        for index in 0..<count { histogram[Int(occupied.list[index])] = Cell(0, 0) }
        return count > 1
    }

    @inline(__always)
    private static func cell(_ payload: Payload) -> Cell {
        Cell(
            (1 << 32) | Int64(payload.weight), Int64(payload.weight) &* Int64(payload.value))
    }

    /// L²/w + R²/w, greatest where the squared error of both sides' means is least.
    @inline(__always)
    private func gain(left: Cell) -> Double {
        let right = total &- left
        let (l, r) = (Double(left.y), Double(right.y))
        return l * l / Double(left.x & 0xFFFF_FFFF) + r * r / Double(right.x & 0xFFFF_FFFF)
    }

    private func scan(
        _ rows: NodeRows<Payload>, _ feature: Int32, _ walk: BinWalk, _ best: inout Split
    ) {
        let (histogram, list) = (histogram, occupied.list)
        var left = Cell(0, 0)
        var index = walk.start
        while index < walk.end {
            let bin = index < 0 ? FeatureBinner.missingBin : list[index]
            left &+= histogram[Int(bin)]
            index += 1
            let leftCount = Int(left.x >> 32)
            guard index > 0, leftCount >= rows.leafCountMin else { continue }
            guard rows.count - leftCount >= rows.leafCountMin else { break }
            best.offer(
                gain(left: left), feature: feature, bins: (bin, list[index]), missing: walk.missing,
                leftBins: rows.isCategorical ? occupied.mask(first: index) : nil)
        }
    }
}

/// A regression target as integers with a power-of-two scale, so that sums are exact.
struct FixedPointTarget: Sendable {
    /// (target × scale, rounded) − centre: at most 30 bits and a sign.
    let values: [Int32]
    private let scale: Double
    private let centre: Int64

    init(_ targets: [Float]) {
        let greatest = targets.reduce(Float(0)) { max($0, abs($1)) }
        // 2^(29 − e) where every |target| < 2^e.
        let exponent = greatest > 0 ? Int(greatest.exponent) + 1 : 0
        let scale = Double(sign: .plus, exponent: 29 - exponent, significand: 1)
        let integers = targets.map { Int64((Double($0) * scale).rounded()) }
        let centre = targets.isEmpty ? 0 : integers.reduce(0, +) / Int64(targets.count)
        values = integers.map { Int32($0 - centre) }
        self.scale = scale
        self.centre = centre
    }

    /// What a squared integer stands for in the target's own unit.
    var squaredUnit: Double { 1 / scale / scale }

    /// A mean in the target's own unit.
    func mean(sum: Int64, weight: Int64) -> Float {
        Float((Double(sum) / Double(weight) + Double(centre)) / scale)
    }
}
