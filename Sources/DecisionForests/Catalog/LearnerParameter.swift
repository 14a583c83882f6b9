/// A parameter of a learner as people write it: what `--param help` lists.
public struct LearnerParameter: Sendable, Hashable {
    /// The name that reports and MLflow show: scikit-learn's where it has one.
    public let name: String
    /// Other libraries' names for the same thing, and short ones.
    public let aliases: [String]
    /// What may be given: "1...100000 or None".
    public let values: String
    /// What holds unless something is given.
    public let standard: String
    /// One phrase that says what it does.
    public let meaning: String

    init(
        _ name: String, _ aliases: [String] = [], values: String, standard: String, meaning: String
    ) {
        self.name = name
        self.aliases = aliases
        self.values = values
        self.standard = standard
        self.meaning = meaning
    }
}

/// The parameters that someone gave, read by their own names as what they should be.
///
/// Each reading answers nil for a parameter that was not given, so that defaults stand in one
/// place: the learner's initialiser.
struct ParameterTexts: Sendable {
    /// By the parameters' own names.
    let texts: [String: String]
    /// The same by the names that were given.
    let given: [String: String]

    subscript(_ name: String) -> String? { texts[name] }

    /// A number of this kind.
    func number<Number: LosslessStringConvertible>(
        _ name: String, as kind: Number.Type = Number.self
    ) throws(ParameterError) -> Number? {
        guard let text = texts[name] else { return nil }
        guard let number = Number(text) else {
            let isWhole = Number.self is any BinaryInteger.Type
            throw refusal(name, text, allowed: isWhole ? "a whole number" : "a number")
        }
        return number
    }

    /// A whole number; `.some(nil)` for "None", as scikit-learn writes no limit, and for -1 and 0,
    /// as LightGBM and XGBoost do.
    func limit(_ name: String) throws(ParameterError) -> Int?? {
        guard let text = texts[name] else { return nil }
        if ["none", "null", "-1", "0"].contains(text.lowercased()) { return .some(nil) }
        guard let number = Int(text) else {
            throw refusal(name, text, allowed: "a whole number, or None for no limit")
        }
        return number
    }

    /// "true", "1" and "yes", or their opposites, in any case.
    func flag(_ name: String) throws(ParameterError) -> Bool? {
        guard let text = texts[name] else { return nil }
        switch text.lowercased() {
        case "true", "1", "yes": return true
        case "false", "0", "no": return false
        default: throw refusal(name, text, allowed: "true or false")
        }
    }

    /// One of these spellings.
    func choice<Value>(
        _ name: String, of values: KeyValuePairs<String, Value>
    ) throws(ParameterError) -> Value? {
        guard let text = texts[name] else { return nil }
        guard let found = values.first(where: { $0.key == text.lowercased() }) else {
            throw refusal(
                name, text, allowed: "one of " + values.map(\.key).joined(separator: ", "))
        }
        return found.value
    }

    /// "sqrt", "log2", "None" or "all", a count such as 5, or a share such as 0.7.
    func maxFeatures(_ name: String) throws(ParameterError) -> MaxFeatures? {
        guard let text = texts[name] else { return nil }
        switch text.lowercased() {
        case "sqrt": return .sqrt
        case "log2": return .log2
        case "none", "all": return .all
        default:
            if let count = Int(text) { return .count(count) }
            guard let share = Double(text) else {
                throw refusal(name, text, allowed: "sqrt, log2, all, a count or a share")
            }
            return .share(share)
        }
    }

    /// "None", "balanced", or a weight for some classes: "0:1,1:5".
    func classWeight(_ name: String) throws(ParameterError) -> ClassWeight? {
        guard let text = texts[name] else { return nil }
        switch text.lowercased() {
        case "none", "equal": return .equal
        case "balanced": return .balanced
        default: break
        }
        var weights: [ClassLabel: Double] = [:]
        let braces: Set<Character> = ["{", "}", " ", "'", "\""]
        for pair in text.filter({ !braces.contains($0) }).split(separator: ",") {
            guard let colon = pair.lastIndex(of: ":"), colon != pair.startIndex,
                let weight = Double(pair[pair.index(after: colon)...])
            else { throw refusal(name, text, allowed: "None, balanced, or CLASS:WEIGHT,…") }
            let label = String(pair[..<colon])
            weights[Int64(label).map(ClassLabel.integer) ?? .string(label)] = weight
        }
        return .perClass(weights)
    }

    func refusal(_ name: String, _ text: String, allowed: String) -> ParameterError {
        ParameterError(name, "'\(text.prefix(80))'", allowed: allowed)
    }
}
