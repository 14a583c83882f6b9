extension Dataset {
    /// How the target column of a CSV is understood.
    public enum TargetKind: String, Sendable, Codable, CaseIterable {
        /// Classes if any cell is not a number, or if all are integers with at most 100 different
        /// values; numbers otherwise.
        case automatic
        /// Classes: integers if all cells are integers, their text otherwise.
        case classification
        /// Numbers.
        case regression
    }

    /// Reads a CSV file with a header line; every column besides the target is a feature.
    ///
    /// A column of numbers is numeric; with any other text in it, it is boolean or categorical.
    /// Cells that are empty, NA, NaN, null, None or ? are missing. Numbers become the nearest
    /// float32. Beside the columns only a few MiB are held. `load(_:options:)` offers more.
    public init(csv path: String, target: String, task: TargetKind = .automatic)
        throws(DatasetError)
    {
        let options = ReadOptions(target: target, task: task)
        self = try CSVReader([.file(path)], options: options).dataset()
    }

    /// Reads CSV bytes that came from elsewhere; `name` stands for the file in errors.
    public init(
        csvBytes bytes: [UInt8], named name: String, target: String, task: TargetKind = .automatic
    ) throws(DatasetError) {
        let options = ReadOptions(target: target, task: task)
        self = try CSVReader([.memory(name: name, bytes: bytes)], options: options).dataset()
    }
}
