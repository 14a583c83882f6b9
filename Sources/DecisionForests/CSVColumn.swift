/// What a column of a CSV is for and how its cells are read.
struct CSVColumn: Sendable {
    enum Role: Sendable {
        case feature, target, weight, group
    }

    enum Mode: UInt8, Sendable {
        /// Numbers; the value is the number, rounded to float32.
        case number
        /// Texts; the value is the text's number in a `LevelTable`.
        case text
        /// Not read: an ignored column, or one that another pass reads.
        case skip
    }

    let name: String
    let role: Role
    var mode: Mode
    /// A cell that does not fit makes the column another kind, instead of being an error.
    var mayChange = false
    /// What somebody has said the column is.
    var declared = Declared.nothing

    enum Declared: Sendable, Equatable {
        case nothing
        case categorical
        /// Codes of these levels, as a model has them.
        case known(FeatureKind)
    }

    /// Whether every row needs a value.
    var isRequired: Bool { role != .feature }

    /// What a cell of this column should have been, for errors.
    var expected: String {
        switch (role, mode) {
        case (.feature, .number):
            "a finite number, or nothing, NA, NaN or null for a missing value"
        case (.target, .number): "a finite number, because the task is regression"
        case (.target, _): "a target value"
        case (.weight, _): "a finite weight that is not negative"
        case (.group, _): "a group"
        case (.feature, _): "a text or a missing value"
        }
    }

    /// Different texts that the column may have.
    var levelCountMax: Int {
        // Numbers of texts travel as float32, which is exact up to 2^24. Of known levels, any
        // number of further texts are missing values.
        if case .known = declared { return 1 << 24 }
        return role == .group ? 1 << 24 : FeatureKind.levelCountMax
    }

    /// Bytes of a text that names a level.
    static let levelLengthMax = 4_096
}

/// A cell that does not fit, with its line counted from the start of its block.
struct CSVMisfit {
    let column: Int
    let line: Int
    let text: String
}

/// Why a block cannot be read on, with its line counted from the start of the block.
enum CSVFault {
    case line(Int, problem: String)
    case cell(CSVMisfit, expected: String)
}
