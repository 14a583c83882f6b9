/// A family of learners under one short name, for classes as well as for numbers.
public struct LearnerKind: Sendable {
    /// "forest".
    public let name: String
    /// One phrase that says what it is.
    public let summary: String
    /// Everything that can be set.
    public let parameters: [LearnerParameter]
    /// Whether it learns in rounds, and so can stop early and tell how far it is.
    public let hasRounds: Bool
    /// Whether an interrupted fit can go on from what it had finished: where trees are grown.
    public private(set) var isResumable = true
    /// The learner of these parameters for a target of this kind.
    let make: @Sendable (ParameterTexts, Dataset.Target) throws -> any Learner

    /// The same kind, whose fits are too short to go on with.
    var fittedAtOnce: LearnerKind {
        var kind = self
        kind.isResumable = false
        return kind
    }

    /// All kinds there are.
    public static let all: [LearnerKind] = [.forest, .extra, .boosted, .oblique, .linear]

    /// The kind of this name.
    public static func named(_ name: String) throws(LearnerSpecError) -> LearnerKind {
        if let kind = all.first(where: { $0.name == name }) { return kind }
        let names = all.map(\.name)
        throw .unknownLearner(
            name, nearest: SimilarNames.nearest(to: name, in: names), known: names)
    }

    /// The parameter that has this name or alias. Upper and lower case and `-` for `_` do not
    /// matter.
    public func parameter(named name: String) throws(LearnerSpecError) -> LearnerParameter {
        let plain = Self.plain(name)
        let found = parameters.first { parameter in
            ([parameter.name] + parameter.aliases).contains { Self.plain($0) == plain }
        }
        if let found { return found }
        let names = parameters.flatMap { [$0.name] + $0.aliases }
        throw .unknownParameter(
            name, learner: self.name, nearest: SimilarNames.nearest(to: name, in: names),
            known: parameters.map(\.name))
    }

    /// As names are compared.
    static func plain(_ name: String) -> String {
        String(name.lowercased().map { $0 == "-" ? "_" : $0 })
    }
}

/// The seed, which every learner with chance in it takes.
extension LearnerParameter {
    static let seed = LearnerParameter(
        "random_state", ["seed", "random_seed"], values: "0...2^64 - 1", standard: "0",
        meaning: "decides every chance")
}
