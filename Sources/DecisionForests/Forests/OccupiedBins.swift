/// The bins that a small node's rows occupy, in ascending order; the missing bin is the last.
///
/// Small nodes thus cost what their rows cost, however many bins the feature has: the bit set sorts
/// their bins.
struct OccupiedBins {
    /// 256 bits while a histogram is filled, eight a byte: neighbouring rows seldom wait for each
    /// other's byte.
    let bits: UnsafeMutablePointer<UInt8>
    /// The list that `collect` makes of them; one more than the bins, for `collect` writes ahead.
    let list: UnsafeMutablePointer<UInt8>

    init() {
        bits = .allocate(capacity: 32)
        bits.initialize(repeating: 0, count: 32)
        list = .allocate(capacity: 257)
        list.initialize(repeating: 0, count: 257)
    }

    func deallocate() {
        bits.deallocate()
        list.deallocate()
    }

    /// From so many rows on, looking at all bins costs less than marking those in use.
    static let wholeScanRowsMin = 256

    @inline(__always)
    func insert(_ bin: UInt8) {
        bits[Int(bin >> 3)] |= 1 << (bin & 7)
    }

    /// Lists the bins, forgets the bits, and returns how many there are.
    @inline(__always)
    func collect() -> Int {
        let words = UnsafeMutableRawPointer(bits)
        var count = 0
        for word in 0..<4 {
            var rest = UInt64(
                littleEndian: words.loadUnaligned(fromByteOffset: word * 8, as: UInt64.self))
            words.storeBytes(of: 0, toByteOffset: word * 8, as: UInt64.self)
            while rest != 0 {
                list[count] = UInt8(truncatingIfNeeded: word * 64 + rest.trailingZeroBitCount)
                count += 1
                rest &= rest &- 1
            }
        }
        return count
    }

    /// Lists the bins whose cell is not zero, and returns how many there are.
    @inline(__always)
    func collect(_ cells: UnsafeMutablePointer<UInt64>) -> Int {
        var count = 0
        for bin in 0..<256 {
            let cell = cells[bin]
            list[count] = UInt8(truncatingIfNeeded: bin)
            // One if any bit is set, without a branch.
            count &+= Int((cell | (0 &- cell)) >> 63)
        }
        return count
    }

    /// Sorts the listed categories, without the missing bin, so that `isBefore` holds from one
    /// place to the next; the places are those before sorting. Returns the old place of each.
    ///
    /// Of categories sorted by a class's share, or by the target's mean, one of the best divisions
    /// parts the list at some place (Breiman et al., "Classification and regression trees", 1984,
    /// theorem 4.5), so that the walk over ordered bins serves categories too.
    func sortCategories(_ count: Int, isBefore: (Int, Int) -> Bool) -> [Int] {
        let valueCount = endsWithMissing(count) ? count - 1 : count
        // Equal categories stay in the order of their bins.
        let order = (0..<valueCount).sorted { first, second in
            if isBefore(first, second) { return true }
            return !isBefore(second, first) && first < second
        }
        let bins = order.map { list[$0] }
        for (place, bin) in bins.enumerated() { list[place] = bin }
        return order
    }

    /// The bins at the first places of the list.
    func mask(first count: Int) -> BinMask {
        BinMask(UnsafeBufferPointer(start: list, count: count))
    }

    /// Whether the last of `count` listed bins is the missing one.
    @inline(__always)
    func endsWithMissing(_ count: Int) -> Bool {
        list[count - 1] == FeatureBinner.missingBin
    }

    /// Judges all splits of a feature with `count` listed bins: with missing rows, both sides for
    /// them, the right one first.
    @inline(__always)
    func scanAll(_ count: Int, _ scan: (BinWalk) -> Void) {
        guard count > 1 else { return }
        if endsWithMissing(count) {
            scan(BinWalk(missing: .right, valueCount: count - 1))
            scan(BinWalk(missing: .left, valueCount: count - 1))
        } else {
            scan(BinWalk(missing: .none, valueCount: count))
        }
    }
}

/// One pass over a node's occupied bins: bins move from the right side to the left one by one.
struct BinWalk {
    let missing: MissingRows
    /// Listed bins of values, without the missing one.
    let valueCount: Int

    /// The first position; −1 stands for the missing bin, which is then moved before all others.
    var start: Int { missing == .left ? -1 : 0 }

    /// Bins at positions before it are moved. The last bin always stays, so that both sides have
    /// rows: the missing bin if it is on the right, else the last value's.
    var end: Int { missing == .right ? valueCount : valueCount - 1 }
}

/// Where a judged split sends the node's rows whose value is missing.
enum MissingRows {
    /// There are none.
    case none
    case left
    case right
}
