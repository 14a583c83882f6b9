/// A learner in words: what command lines, configuration files and scripts give.
///
/// A value that exists names a kind that exists and parameters that this kind has, each once. Their
/// values are judged by `learner(for:)`, because some depend on what is to be learned.
public struct LearnerSpec: Sendable, Hashable {
    /// The kind's name: "forest".
    public let learner: String
    /// Texts by names or aliases, as they were given; an alias may say more than its parameter's
    /// own name does.
    public let parameters: [String: String]

    /// A learner of this kind.
    ///
    /// - Parameters:
    ///   - learner: "forest", …: see `LearnerKind.all`.
    ///   - parameters: Names or aliases, and what they are set to.
    ///   - seed: The seed, unless a parameter gives it.
    /// - Throws: for an unknown name, with the nearest ones, and for a parameter given twice.
    public init(
        _ learner: String, parameters: [(name: String, value: String)] = [], seed: UInt64? = nil
    ) throws(LearnerSpecError) {
        let kind = try LearnerKind.named(learner)
        var texts: [String: String] = [:]
        var givenAs: [String: String] = [:]
        for (name, value) in parameters {
            let parameter = try kind.parameter(named: name)
            if let earlier = givenAs[parameter.name] {
                throw .givenTwice(parameter.name, first: earlier, second: name)
            }
            givenAs[parameter.name] = name
            texts[name] = value
        }
        let seedName = LearnerParameter.seed.name
        if let seed, givenAs[seedName] == nil, kind.parameters.contains(.seed) {
            texts[seedName] = "\(seed)"
        }
        self.learner = learner
        self.parameters = texts
    }

    /// The learner, for a target of this kind.
    ///
    /// - Throws: `ParameterError` for the first value that is none or out of range.
    public func learner(for target: Dataset.Target) throws -> any Learner {
        let kind = try LearnerKind.named(learner)
        var texts: [String: String] = [:]
        for (name, value) in parameters { texts[try kind.parameter(named: name).name] = value }
        return try kind.make(ParameterTexts(texts: texts, given: parameters), target)
    }

    /// What the parameter of this name or alias is set to; nil if it is not given.
    public func value(of name: String) -> String? {
        guard let kind = try? LearnerKind.named(learner),
            let wanted = try? kind.parameter(named: name)
        else { return nil }
        return parameters.first { (try? kind.parameter(named: $0.key)) == wanted }?.value
    }
}

extension LearnerSpec: Codable {
    private enum CodingKeys: String, CodingKey {
        case learner, parameters
    }

    /// Decodes and checks.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        let texts = try fields.decode([String: String].self, forKey: .parameters)
        try self.init(
            fields.decode(String.self, forKey: .learner),
            parameters: texts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    }
}

/// Why words do not name a learner.
public enum LearnerSpecError: Error, Sendable, Hashable, CustomStringConvertible {
    /// No kind has this name.
    case unknownLearner(String, nearest: [String], known: [String])
    /// The kind has no such parameter.
    case unknownParameter(String, learner: String, nearest: [String], known: [String])
    /// One parameter under two names, or the same name twice.
    case givenTwice(String, first: String, second: String)

    /// What was said, what was probably meant, and what there is.
    public var description: String {
        switch self {
        case .unknownLearner(let name, let nearest, let known):
            "There is no learner '\(name.prefix(80))'\(Self.hint(nearest)) "
                + "Known are \(known.joined(separator: ", "))."
        case .unknownParameter(let name, let learner, let nearest, let known):
            "The learner '\(learner)' has no parameter '\(name.prefix(80))'\(Self.hint(nearest)) "
                + "It has \(known.joined(separator: ", "))."
        case .givenTwice(let parameter, let first, let second):
            first == second
                ? "The parameter '\(first)' is given twice."
                : "'\(first)' and '\(second)' both set the parameter '\(parameter)'."
        }
    }

    private static func hint(_ nearest: [String]) -> String {
        nearest.isEmpty
            ? "." : "; did you mean " + nearest.map { "'\($0)'" }.joined(separator: " or ") + "?"
    }
}
