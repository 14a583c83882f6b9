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
    /// Puts the division at one given place into `best` if it is better.
    func judge(_ rows: NodeRows<Payload>, at cut: BinCut, feature: Int32, best: inout Split)
    /// The weight of the node at hand.
    var weight: Double { get }
    /// How much the split lowers the impurity of the node at hand, times its weight.
    func decrease(by split: Split) -> Double
    /// Appends the answer of the node at hand.
    func appendLeaf(to values: inout [Float])
}

/// A place to divide a node that was chosen without looking at the target.
struct BinCut {
    /// The highest bin that goes left.
    let lastLeftBin: UInt8
    /// The lowest bin that goes right; the missing bin if no value does.
    let firstRightBin: UInt8
    /// Where between both the values are parted; NaN for halfway.
    let threshold: Float
    let hasMissing: Bool
    /// The categories that go left; nil for a feature of values.
    var leftBins: BinMask?

    /// Where rows without a value may go; where no value goes right, they must.
    var missingSides: [MissingRows] {
        guard hasMissing else { return [.none] }
        return firstRightBin == FeatureBinner.missingBin ? [.right] : [.right, .left]
    }
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
    /// Whether the bins are categories, which a split may part in any way.
    let isCategorical: Bool
}

/// A node's best split so far.
///
/// Its gain is a fraction, so that candidates are compared by two products and without a division.
struct Split {
    /// Over `denominator`; larger is better, comparable within one node only.
    var numerator = -Double.infinity
    var denominator = 1.0
    var feature = Int32.max
    /// The highest bin that goes left.
    var lastLeftBin: UInt8 = 0
    /// The lowest bin of the node's rows that goes right; the missing bin if no value does.
    var firstRightBin: UInt8 = 0
    var missingGoesLeft = false
    /// Whether the node has rows whose value is missing: only then was their side learned.
    var hasMissing = false
    /// Where values are parted; NaN for halfway between the two bins.
    var threshold = Float.nan
    /// The categories that go left; nil for a feature of values.
    var leftBins: BinMask?

    /// Replaces the split by a better one: greater gain, then lower feature; of one feature the
    /// first one found stays.
    @inline(__always)
    mutating func offer(
        _ numerator: Double, over denominator: Double = 1, feature: Int32,
        bins: (left: UInt8, right: UInt8), missing: MissingRows, threshold: Float = .nan,
        leftBins: BinMask? = nil
    ) {
        let (new, old) = (numerator * self.denominator, self.numerator * denominator)
        guard new > old || (new == old && feature < self.feature) else { return }
        self = Split(
            numerator: numerator, denominator: denominator, feature: feature,
            lastLeftBin: bins.left, firstRightBin: bins.right,
            missingGoesLeft: missing == .left, hasMissing: missing != .none,
            threshold: threshold, leftBins: leftBins)
    }
}

extension NodeRows {
    /// Goes through the rows with each one's index and whether it goes left and whether its value
    /// is missing, as 1 or 0.
    @inline(__always)
    func forEach(
        at cut: BinCut, _ body: (_ index: Int, _ goesLeft: Int, _ isMissing: Int) -> Void
    ) {
        if let leftBins = cut.leftBins {
            for index in 0..<count {
                let bin = bins[Int(rows[index])]
                body(
                    index, leftBins.contains(bin) ? 1 : 0,
                    bin == FeatureBinner.missingBin ? 1 : 0)
            }
        } else {
            for index in 0..<count {
                let bin = bins[Int(rows[index])]
                body(
                    index, bin <= cut.lastLeftBin ? 1 : 0,
                    bin == FeatureBinner.missingBin ? 1 : 0)
            }
        }
    }
}
