/// A parameter outside its range: which one, what it was, and what it may be.
public struct ParameterError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The parameter as Swift spells it.
    public let parameter: String
    /// What was given.
    public let value: String
    /// What is allowed, as a phrase that follows "it must be".
    public let allowed: String

    /// A parameter error of these parts.
    public init(_ parameter: String, _ value: String, allowed: String) {
        self.parameter = parameter
        self.value = value
        self.allowed = allowed
    }

    /// "trees is 0; it must be in 1...100000."
    public var description: String { "\(parameter) is \(value); it must be \(allowed)." }

    /// Throws unless `value` lies in `range`.
    package static func check<Value: Comparable>(
        _ parameter: String, _ value: Value, isIn range: ClosedRange<Value>
    ) throws(ParameterError) {
        guard range.contains(value) else {
            throw ParameterError(parameter, "\(value)", allowed: "in \(range)")
        }
    }
}
