/// How many features a node of a forest's tree tries.
public enum MaxFeatures: Sendable, Hashable, Codable, CustomStringConvertible {
    /// This share of the features, rounded down, at least one: above 0, at most 1.
    case share(Double)
    /// So many features, at least 1; all where there are fewer.
    case count(Int)
    /// The square root of their number, rounded down.
    case sqrt
    /// The binary logarithm of their number, rounded down, at least one.
    case log2

    /// All features.
    public static let all = MaxFeatures.share(1)

    /// As scikit-learn spells it: "0.7", "5", "sqrt", "log2".
    public var description: String {
        switch self {
        case .share(let share): "\(share)"
        case .count(let count): "\(count)"
        case .sqrt: "sqrt"
        case .log2: "log2"
        }
    }

    /// The number of features tried where there are `featureCount`.
    public func count(of featureCount: Int) -> Int {
        switch self {
        case .share(let share): max(1, Int(share * Double(featureCount)))
        case .count(let count): min(count, featureCount)
        case .sqrt: max(1, Int(Double(featureCount).squareRoot()))
        case .log2: max(1, Int.bitWidth - 1 - featureCount.leadingZeroBitCount)
        }
    }

    func check() throws(ParameterError) {
        switch self {
        case .share(let share):
            guard share > 0, share <= 1 else {
                throw ParameterError(
                    "maxFeatures", "\(share)", allowed: "a share above 0 and at most 1")
            }
        case .count(let count):
            try ParameterError.check("maxFeatures", count, isIn: 1...Int(Int32.max))
        case .sqrt, .log2: break
        }
    }
}
