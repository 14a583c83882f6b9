/// What the numbers of a column stand for.
public enum FeatureKind: Sendable, Hashable, Codable {
    /// Measured values, compared by size.
    case numeric
    /// 0 or 1, for false and true.
    case boolean
    /// Codes of names: the value c stands for `levels[c]`. Levels are all different.
    case categorical(levels: [String])

    /// The names of a categorical column, nil for others.
    public var levels: [String]? {
        if case .categorical(let levels) = self { levels } else { nil }
    }

    /// "numeric", "boolean", "categorical".
    public var name: String {
        switch self {
        case .numeric: "numeric"
        case .boolean: "boolean"
        case .categorical: "categorical"
        }
    }

    /// Levels that a column may have: codes stay exact in float32 and a node's set stays small.
    public static let levelCountMax = 65_536

    /// The names of its levels as codes; empty for other kinds. Made once, used for many rows.
    package var codes: [String: Float] {
        var codes: [String: Float] = [:]
        for (code, level) in (levels ?? []).enumerated() { codes[level] = Float(code) }
        return codes
    }
}
