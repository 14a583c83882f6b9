/// How another library's test of a number is asked of float32 rows here, exactly: as
/// `value <= threshold`, with the two sides exchanged where that takes it.
///
/// For every float32 that is not NaN, the test holds if and only if the value goes to the side
/// that `holdsOnLeft` names. Tests for equality are two nodes: x = t is x ≤ t and then x ≥ t.
public struct SplitThreshold: Sendable, Hashable {
    /// What a test asks of a value x and its threshold t.
    public enum Comparison: Sendable, Hashable, CaseIterable {
        /// x < t: XGBoost, ONNX's BRANCH_LT.
        case less
        /// x ≤ t: LightGBM, scikit-learn, ONNX's BRANCH_LEQ.
        case lessOrEqual
        /// x > t: ONNX's BRANCH_GT.
        case greater
        /// x ≥ t: Yggdrasil, ONNX's BRANCH_GTE.
        case greaterOrEqual
    }

    /// The node's threshold. May be infinite; never NaN.
    public let value: Float
    /// Whether rows for which the test holds go left; otherwise they go right.
    public let holdsOnLeft: Bool

    /// A test against a threshold of double precision, to which the library widens its rows.
    ///
    /// A threshold of float32 widens exactly and gives the same. No value passes a comparison with
    /// NaN.
    public init(_ comparison: Comparison, _ threshold: Double) {
        guard !threshold.isNaN else {
            self = .never
            return
        }
        switch comparison {
        case .lessOrEqual: self.init(value: Self.floor(threshold), holdsOnLeft: true)
        case .less: self = Self.less(threshold)
        case .greater: self.init(value: Self.floor(threshold), holdsOnLeft: false)
        case .greaterOrEqual: self = Self.less(threshold).negated
        }
    }

    /// A test for x ≤ t where every x of at most `zeroMax`, either side of 0, is taken for 0 first,
    /// as LightGBM does it with `TreeEnsemble.zeroMax`.
    public init(lessOrEqual threshold: Double, takingForZeroUpTo zeroMax: Float) {
        let width = Double(zeroMax)
        if threshold >= 0, threshold < width {
            self.init(.lessOrEqual, width)
        } else if threshold < 0, threshold >= -width {
            self.init(.less, -width)
        } else {
            self.init(.lessOrEqual, threshold)
        }
    }

    /// The node's `missingGoesLeft`, where the library sends missing values the way of the test
    /// that holds, or the other.
    public func missingGoesLeft(ifMissingHolds: Bool) -> Bool { ifMissingHolds == holdsOnLeft }

    private init(value: Float, holdsOnLeft: Bool) {
        self.value = value
        self.holdsOnLeft = holdsOnLeft
    }

    /// Every number goes left and none holds.
    private static let never = SplitThreshold(value: .infinity, holdsOnLeft: false)

    private var negated: SplitThreshold {
        SplitThreshold(value: value, holdsOnLeft: !holdsOnLeft)
    }

    private static func less(_ threshold: Double) -> SplitThreshold {
        guard threshold > -.infinity else { return never }
        let floor = floor(threshold)
        return SplitThreshold(
            value: Double(floor) == threshold ? floor.nextDown : floor, holdsOnLeft: true)
    }

    /// The greatest float32, infinities included, that is not greater.
    private static func floor(_ threshold: Double) -> Float {
        let nearest = Float(threshold)
        return Double(nearest) > threshold ? nearest.nextDown : nearest
    }
}
