/// Turns values as JSON and tables hold them (numbers, texts, true and false, nothing) into the
/// float32 rows that a model reads. Made once, used for many rows.
///
/// A text that is none of a categorical column's levels counts as a missing value: a model must
/// answer rows with names that came into the world after it.
package struct RowEncoder: Sendable {
    /// One value from outside.
    package enum Value: Sendable, Hashable {
        case number(Double)
        case text(String)
        case boolean(Bool)
        case missing
    }

    /// A value that its column cannot hold.
    package struct Mismatch: Error, Sendable, Hashable, CustomStringConvertible {
        /// The column's name.
        package let column: String
        /// What was found there.
        package let found: String
        /// What would do.
        package let expected: String

        /// "Column 'age': found text, expected a number."
        package var description: String {
            "column '\(column)': found \(found), expected \(expected)"
        }
    }

    /// Column names, in the model's order.
    package let names: [String]
    /// What each column's numbers stand for.
    package let kinds: [FeatureKind]
    private let codes: [[String: Float]]
    private let positions: [String: Int]

    /// An encoder for columns of these names and kinds, one kind per name.
    package init(names: [String], kinds: [FeatureKind]) {
        precondition(names.count == kinds.count, "one kind per column")
        self.names = names
        self.kinds = kinds
        codes = kinds.map(\.codes)
        positions = Dictionary(
            zip(names, names.indices).map { ($0, $1) }, uniquingKeysWith: { first, _ in first })
    }

    /// The column of this name, or nil for one the model does not know.
    package func position(of name: String) -> Int? { positions[name] }

    /// A row of values in the model's order, one per column.
    package func row(_ values: [Value]) throws(Mismatch) -> [Float] {
        precondition(values.count == names.count, "one value per column")
        var row: [Float] = []
        row.reserveCapacity(values.count)
        for (column, value) in values.enumerated() { row.append(try encode(value, in: column)) }
        return row
    }

    /// A row of named values; columns without one are missing, other names are ignored.
    package func row(named values: [String: Value]) throws(Mismatch) -> [Float] {
        try row(names.map { values[$0] ?? .missing })
    }

    /// The number that stands for a value in a column; NaN if it is missing or an unknown level.
    ///
    /// A boolean column takes true, false, 0, 1 and the texts "true", "false", "yes" and "no" in
    /// any case; a categorical one takes texts, and numbers and truths whose text is a level. A
    /// number is rounded to float32; one that is beyond it throws.
    package func encode(_ value: Value, in column: Int) throws(Mismatch) -> Float {
        switch (kinds[column], value) {
        case (_, .missing): return .nan
        case (.numeric, .number(let number)):
            let rounded = Float(number)
            guard !rounded.isInfinite else {
                throw mismatch(column, "\(number)", "a finite number")
            }
            return rounded
        case (.numeric, .text(let text)): throw mismatch(column, Self.quoted(text), "a number")
        case (.numeric, .boolean(let flag)): throw mismatch(column, "\(flag)", "a number")
        case (.boolean, .boolean(let flag)): return flag ? 1 : 0
        case (.boolean, .number(let number)):
            guard number == 0 || number == 1 else {
                throw mismatch(column, "\(number)", "true or false")
            }
            return Float(number)
        case (.boolean, .text(let text)):
            guard let flag = Self.flag(text) else {
                throw mismatch(column, Self.quoted(text), "true or false")
            }
            return flag ? 1 : 0
        case (.categorical, .text(let text)): return codes[column][text] ?? .nan
        case (.categorical, .number(let number)):
            return codes[column][Self.text(of: number)] ?? .nan
        case (.categorical, .boolean(let flag)):
            let texts = flag ? ["true", "True", "yes"] : ["false", "False", "no"]
            return texts.lazy.compactMap { codes[column][$0] }.first ?? .nan
        }
    }

    /// A column whose numbers have the meaning `kind`, with the meaning that this encoder's column
    /// has.
    func recode(
        _ values: [Float], of kind: FeatureKind, column: Int
    ) throws(Mismatch) -> [Float] {
        switch kind {
        case .numeric:
            var recoded: [Float] = []
            recoded.reserveCapacity(values.count)
            for value in values {
                recoded.append(
                    try encode(value.isNaN ? .missing : .number(Double(value)), in: column))
            }
            return recoded
        case .boolean where kinds[column] == .numeric: return values
        case .boolean:
            return try recode(values, through: [.boolean(false), .boolean(true)], column)
        case .categorical(let levels):
            return try recode(values, through: levels.map(Value.text), column)
        }
    }

    /// Each code's meaning is looked up once, and only those that occur.
    private func recode(
        _ values: [Float], through meanings: [Value], _ column: Int
    ) throws(Mismatch) -> [Float] {
        var codeOf = [Float?](repeating: nil, count: meanings.count)
        var recoded: [Float] = []
        recoded.reserveCapacity(values.count)
        for value in values {
            guard !value.isNaN, let code = Int(exactly: value), meanings.indices.contains(code)
            else {
                recoded.append(.nan)
                continue
            }
            if let known = codeOf[code] {
                recoded.append(known)
                continue
            }
            let number = try encode(meanings[code], in: column)
            codeOf[code] = number
            recoded.append(number)
        }
        return recoded
    }

    private func mismatch(_ column: Int, _ found: String, _ expected: String) -> Mismatch {
        Mismatch(column: names[column], found: found, expected: expected)
    }

    private static func quoted(_ text: String) -> String { "'\(text.prefix(80))'" }

    private static func flag(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "yes": true
        case "false", "no": false
        default: nil
        }
    }

    /// "3" for 3.0, else the shortest text that reads back the same.
    private static func text(of number: Double) -> String {
        Int64(exactly: number).map(String.init) ?? number.description
    }
}
