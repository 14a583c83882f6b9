/// What a tree's growth needs to know of the target: how rows are summed and how a split is judged.
///
/// A kernel belongs to one thread. It works on one node at a time: `open` sums the node's rows,
/// then `search` judges one feature after another.
protocol SplitKernel: SendableMetatype {
    /// What of a row enters the sums; moved along with the row's number.
    associatedtype Payload: BitwiseCopyable

    /// The payload of a row that counts `weight` times.
    func payload(row: Int, weight: UInt32) -> Payload
    /// Makes these rows the node at hand.
    func open(_ payloads: UnsafePointer<Payload>, count: Int)
    /// Whether all rows of the node at hand have the same target.
    var isPure: Bool { get }
    /// Puts the feature's best split into `best` if it is better. False if the feature is constant
    /// in the node.
    func search(_ rows: NodeRows<Payload>, feature: Int32, best: inout Split) -> Bool
    /// Appends the answer of the node at hand.
    func appendLeaf(to values: inout [Float])
}

/// The rows of a node, seen through one feature.
struct NodeRows<Payload> {
    /// The feature's bins, by row number.
    let bins: UnsafePointer<UInt8>
    /// Row numbers.
    let rows: UnsafePointer<UInt32>
    /// In the order of `rows`.
    let payloads: UnsafePointer<Payload>
    let count: Int
    /// Rows that each side of a split must have.
    let leafCountMin: Int
}

/// A node's best split so far.
struct Split {
    /// Larger is better; comparable within one node only.
    var gain = -Double.infinity
    var feature = Int32.max
    /// The highest bin that goes left.
    var lastLeftBin: UInt8 = 0
    /// The lowest bin of the node's rows that goes right; the missing bin if no value does.
    var firstRightBin: UInt8 = 0
    var missingGoesLeft = false
    /// Whether the node has rows whose value is missing: only then was their side learned.
    var hasMissing = false

    /// Replaces the split by a better one: greater gain, then lower feature; of one feature the
    /// first one found stays.
    @inline(__always)
    mutating func offer(
        _ gain: Double, feature: Int32, bins: (left: UInt8, right: UInt8), missing: MissingRows
    ) {
        guard gain > self.gain || (gain == self.gain && feature < self.feature) else { return }
        self = Split(
            gain: gain, feature: feature, lastLeftBin: bins.left, firstRightBin: bins.right,
            missingGoesLeft: missing == .left, hasMissing: missing != .none)
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

/// The bins that a node's rows occupy, in ascending order; the missing bin is the last.
///
/// Small nodes thus cost what their rows cost, however many bins the feature has: the bit set sorts
/// their bins.
struct OccupiedBins {
    /// 256 bits while a histogram is filled.
    let bits: UnsafeMutablePointer<UInt64>
    /// The list that `collect` makes of them.
    let list: UnsafeMutablePointer<UInt8>

    init() {
        bits = .allocate(capacity: 4)
        bits.initialize(repeating: 0, count: 4)
        list = .allocate(capacity: 256)
        list.initialize(repeating: 0, count: 256)
    }

    func deallocate() {
        bits.deallocate()
        list.deallocate()
    }

    @inline(__always)
    func insert(_ bin: UInt8) {
        bits[Int(bin >> 6)] |= 1 << UInt64(bin & 63)
    }

    /// Lists the bins, forgets the bits, and returns how many there are.
    @inline(__always)
    func collect() -> Int {
        var count = 0
        for word in 0..<4 {
            var rest = bits[word]
            bits[word] = 0
            while rest != 0 {
                list[count] = UInt8(truncatingIfNeeded: word * 64 + rest.trailingZeroBitCount)
                count += 1
                rest &= rest &- 1
            }
        }
        return count
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
