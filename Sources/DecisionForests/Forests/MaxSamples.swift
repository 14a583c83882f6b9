/// How many rows the bootstrap of a forest's tree draws.
public enum MaxSamples: Sendable, Hashable, Codable, CustomStringConvertible {
    /// This share of the rows, rounded, at least one: above 0, at most 1.
    case share(Double)
    /// So many, at least 1; as many as there are where there are fewer.
    case count(Int)

    /// As scikit-learn spells it: "0.5", "1000".
    public var description: String {
        switch self {
        case .share(let share): "\(share)"
        case .count(let count): "\(count)"
        }
    }

    /// The number of rows drawn where there are `rowCount`.
    public func count(of rowCount: Int) -> Int {
        switch self {
        case .share(let share): max(1, Int((share * Double(rowCount)).rounded(.toNearestOrEven)))
        case .count(let count): min(count, rowCount)
        }
    }

    func check() throws(ParameterError) {
        switch self {
        case .share(let share):
            guard share > 0, share <= 1 else {
                throw ParameterError(
                    "maxSamples", "\(share)", allowed: "a share above 0 and at most 1")
            }
        case .count(let count):
            try ParameterError.check("maxSamples", count, isIn: 1...Dataset.rowCountMax)
        }
    }
}
