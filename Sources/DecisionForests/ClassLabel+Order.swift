/// Integers in numeric order, then strings by their UTF-8 bytes: the order of a model's classes.
extension ClassLabel: Comparable {
    /// Whether `left` stands before `right`.
    public static func < (left: ClassLabel, right: ClassLabel) -> Bool {
        switch (left, right) {
        case (.integer(let a), .integer(let b)): a < b
        case (.integer, .string): true
        case (.string, .integer): false
        case (.string(let a), .string(let b)): a.utf8.lexicographicallyPrecedes(b.utf8)
        }
    }
}
