/// Why data cannot be used: where the fault stands and what was expected there.
public enum DatasetError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file cannot be opened or read.
    case unreadable(file: String, reason: String)
    /// The header line is unusable: no names, a name twice, a name missing, too many columns.
    case header(file: String, problem: String)
    /// The header does not name the target; the names it has.
    case noTarget(file: String, target: String, columns: [String])
    /// A line that is no row: wrong number of cells, too long, a quote left open.
    case line(file: String, line: Int, problem: String)
    /// A cell that holds something else than it should.
    case cell(file: String, line: Int, column: String, found: String, expected: String)
    /// Values that do not fit together, or that a data set cannot hold.
    case shape(String)

    /// One sentence with file, line and column where there are any.
    public var description: String {
        switch self {
        case .unreadable(let file, let reason):
            "\(file) cannot be read: \(reason)."
        case .header(let file, let problem):
            "\(file), line 1: \(problem)."
        case .noTarget(let file, let target, let columns):
            "\(file) has no column '\(target)'; its columns are \(Self.list(columns))."
        case .line(let file, let line, let problem):
            "\(file), line \(line): \(problem)."
        case .cell(let file, let line, let column, let found, let expected):
            "\(file), line \(line), column '\(column)': found '\(found)', expected \(expected)."
        case .shape(let problem):
            "The data set cannot be used: \(problem)."
        }
    }

    /// A text from a file, short enough for a message.
    static func shortened(_ text: String) -> String {
        text.count > 40 ? text.prefix(40) + "…" : text
    }

    private static func list(_ columns: [String]) -> String {
        let shown = columns.prefix(20).joined(separator: ", ")
        return columns.count > 20 ? shown + ", … (\(columns.count) in all)" : shown
    }
}
