/// How files become a data set: which column is what, and how texts are understood.
public struct ReadOptions: Sendable {
    /// The column to predict. Where columns have no names, "column_0", "column_1", … or a number:
    /// 0 is the first column, -1 the last. For NPY also the path of a file with one number per row.
    public var target: String
    /// Whether the target holds classes or numbers.
    public var task: Dataset.TargetKind
    /// The column that says how much each row counts: finite, not negative.
    public var weight: String?
    /// The column whose equal values mark rows that belong together. "qid" for LibSVM.
    public var group: String?
    /// Columns that are not read.
    public var ignore: Set<String> = []
    /// Columns of names, even where all of them look like numbers.
    public var categorical: Set<String> = []
    /// Columns of numbers: anything else in them is an error.
    public var numeric: Set<String> = []
    /// Kinds that are known, as those a model was trained with: values become codes of these
    /// levels, and a value that is none of them is missing.
    public var featureKinds: [String: FeatureKind] = [:]
    /// What the files are; nil: by their names and first bytes.
    public var format: Format?
    /// One ASCII character between two cells; nil: a tab for `.tsv` and `.tab`, else a comma.
    public var delimiter: Character?
    /// Whether the first line of each CSV part names the columns.
    public var hasHeader = true
    /// Cells that stand for a missing value, besides empty ones.
    public var missing: Set<String> = missingDefault
    /// Where a LibSVM file's features count from, 0 or 1; nil: from 0 if there is a feature 0.
    public var firstIndex: Int?
    /// Features of a LibSVM file, of which the last may never occur; nil: up to the last that does.
    public var featureCount: Int?
    /// Threads that parse at once. The data set does not depend on it.
    public var threads = BinnedDataset.threadsDefault
    /// What a file may make the reader hold.
    public var limits = Limits()

    /// Options for files whose column `target` is to be predicted.
    public init(
        target: String, task: Dataset.TargetKind = .automatic, weight: String? = nil,
        group: String? = nil
    ) {
        self.target = target
        self.task = task
        self.weight = weight
        self.group = group
    }

    /// What a file's bytes mean. Each may be compressed with gzip.
    public enum Format: String, Sendable, Codable, CaseIterable {
        /// Cells between delimiters.
        case csv
        /// Lines of `label index:value …`.
        case libsvm
        /// One array as NumPy writes it.
        case npy
    }

    /// Bounds against files that are small and mean a lot.
    public struct Limits: Sendable, Hashable {
        /// Rows of all parts together.
        public var rows = Dataset.rowCountMax
        /// Rows times columns of a LibSVM file, whose zeros are not written.
        public var cells = 1 << 32
        /// How many times its size a gzip file may grow, beyond what any may.
        public var expansion = 200
        /// Bytes that any gzip file may grow to.
        public var expansionFloor = 256 << 20

        /// The bounds that hold where nobody sets others.
        public init() {}
    }

    /// "NA", "N/A", "NaN", "null", "None" in their usual spellings, and "?".
    public static let missingDefault: Set<String> = [
        "NA", "N/A", "n/a", "NaN", "nan", "NAN", "null", "NULL", "Null", "None", "?",
    ]

    /// The name of a column that nobody named.
    static func columnName(_ index: Int) -> String { "column_\(index)" }
}
