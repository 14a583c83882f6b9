/// Rows to learn from: named columns of float32 features and what each row should be answered.
///
/// A value that exists is valid: columns are equally long, features are finite or missing (NaN),
/// every row has a target. It may have no rows (the holdout of one row); learners refuse that.
public struct Dataset: Sendable {
    /// What the rows should be answered.
    public enum Target: Sendable, Hashable {
        /// `indices[row]` points into `labels`, which are sorted and all different.
        case classes(labels: [ClassLabel], indices: [Int32])
        /// One number per row.
        case values([Float])
    }

    /// Rows that a data set may have: row numbers and weight sums must fit 31 bits.
    public static let rowCountMax = Int(Int32.max)

    /// One name per column, all different.
    public let featureNames: [String]
    /// What each column's numbers stand for.
    public let featureKinds: [FeatureKind]
    /// `columns[f][row]`; NaN is a missing value.
    public let columns: [[Float]]
    /// The target column's name.
    public let targetName: String
    /// Classes or numbers.
    public let target: Target
    /// How much each row counts; every row once if nil.
    public let weights: [Float]?
    /// Rows of the same number belong together (one patient's, one query's); nil: nobody has said.
    public let groups: [Int32]?
    /// Rows.
    public let rowCount: Int

    /// Columns.
    public var featureCount: Int { columns.count }

    /// The features as rows.
    public var features: FeatureMatrix { FeatureMatrix(columns: columns, rowCount: rowCount) }

    /// The columns that have missing values.
    public var optionalFeatures: Set<String> {
        Set(zip(featureNames, columns).filter { $1.contains(where: \.isNaN) }.map(\.0))
    }

    /// Labelled rows. The classes are the labels that occur, sorted.
    public init(
        features: FeatureMatrix, featureNames: [String]? = nil, labels: [ClassLabel],
        targetName: String = "target", weights: [Float]? = nil
    ) throws(DatasetError) {
        try self.init(
            columns: Self.columns(of: features),
            featureNames: featureNames ?? Self.standardNames(features.featureCount),
            target: Self.classes(of: labels), targetName: targetName, weights: weights)
    }

    /// Rows with a number each.
    public init(
        features: FeatureMatrix, featureNames: [String]? = nil, values: [Float],
        targetName: String = "target", weights: [Float]? = nil
    ) throws(DatasetError) {
        try self.init(
            columns: Self.columns(of: features),
            featureNames: featureNames ?? Self.standardNames(features.featureCount),
            target: .values(values), targetName: targetName, weights: weights)
    }

    /// A data set of these columns, checked.
    public init(
        columns: [[Float]], featureNames: [String], featureKinds: [FeatureKind]? = nil,
        target: Target, targetName: String, weights: [Float]? = nil, groups: [Int32]? = nil
    ) throws(DatasetError) {
        self.columns = columns
        self.featureNames = featureNames
        self.featureKinds =
            featureKinds ?? Array(repeating: .numeric, count: featureNames.count)
        self.target = target
        self.targetName = targetName
        self.weights = weights
        self.groups = groups
        rowCount = columns.first?.count ?? 0
        try check()
    }

    /// For parts of a data set that has been checked.
    private init(
        part columns: [[Float]], of whole: Dataset, target: Target, weights: [Float]?,
        groups: [Int32]?
    ) {
        self.columns = columns
        featureNames = whole.featureNames
        featureKinds = whole.featureKinds
        self.target = target
        targetName = whole.targetName
        self.weights = weights
        self.groups = groups
        rowCount = columns[0].count
    }

    /// These rows, in this order; classes keep their numbers. Each index must be in `0..<rowCount`.
    public func subset(rows: [Int]) -> Dataset {
        let part: Target =
            switch target {
            case .classes(let labels, let indices):
                .classes(labels: labels, indices: rows.map { indices[$0] })
            case .values(let values):
                .values(rows.map { values[$0] })
            }
        return Dataset(
            part: columns.map { Self.gather($0, rows) }, of: self, target: part,
            weights: weights.map { Self.gather($0, rows) },
            groups: groups.map { groups in rows.map { groups[$0] } })
    }

    /// "feature_0", "feature_1", …: the names of columns that nobody named.
    static func standardNames(_ count: Int) -> [String] {
        (0..<count).map { "feature_\($0)" }
    }

    /// Sorted classes and each row's index among them.
    static func classes(of labels: [ClassLabel]) -> Target {
        let sorted = Set(labels).sorted()
        var indexOf: [ClassLabel: Int32] = [:]
        for (index, label) in sorted.enumerated() { indexOf[label] = Int32(index) }
        return .classes(labels: sorted, indices: labels.map { indexOf[$0] ?? 0 })
    }

    private static func columns(of features: FeatureMatrix) -> [[Float]] {
        let width = features.featureCount
        return (0..<width).map { feature in
            [Float](unsafeUninitializedCapacity: features.rowCount) { buffer, count in
                features.values.withUnsafeBufferPointer { values in
                    for row in 0..<features.rowCount {
                        buffer.initializeElement(at: row, to: values[row * width + feature])
                    }
                }
                count = features.rowCount
            }
        }
    }

    private static func gather(_ column: [Float], _ rows: [Int]) -> [Float] {
        rows.map { column[$0] }
    }
}

extension Dataset {
    /// Classes that a data set may have: class numbers must fit 16 bits.
    public static let classCountMax = 65_535

    private func check() throws(DatasetError) {
        guard !columns.isEmpty else { throw .shape("it has no feature column") }
        guard featureNames.count == columns.count else {
            throw .shape("\(featureNames.count) names for \(columns.count) columns")
        }
        guard Set(featureNames).count == featureNames.count else {
            throw .shape("two columns have the same name")
        }
        try checkKinds()
        guard rowCount <= Self.rowCountMax else { throw .shape("it has more than 2^31 - 1 rows") }
        for (name, column) in zip(featureNames, columns) {
            guard column.count == rowCount else {
                throw .shape("column '\(name)' has \(column.count) rows, others have \(rowCount)")
            }
            guard !Self.hasInfinity(column) else {
                throw .shape("column '\(name)' has an infinite value")
            }
        }
        try checkTarget()
        if let weights { try check(weights: weights) }
        if let groups, groups.count != rowCount {
            throw .shape("\(groups.count) group numbers for \(rowCount) rows")
        }
    }

    /// Looks at every value, which is faster than stopping at the first: the loop is a vector's.
    private static func hasInfinity(_ column: [Float]) -> Bool {
        column.withUnsafeBufferPointer { values in
            var found: UInt32 = 0
            for value in values {
                found |= value.bitPattern & 0x7FFF_FFFF == 0x7F80_0000 ? 1 : 0
            }
            return found != 0
        }
    }

    private func checkKinds() throws(DatasetError) {
        guard featureKinds.count == columns.count else {
            throw .shape("\(featureKinds.count) kinds for \(columns.count) columns")
        }
        for (feature, kind) in featureKinds.enumerated() {
            let codeCount: Int
            switch kind {
            case .numeric: continue
            case .boolean: codeCount = 2
            case .categorical(let levels): codeCount = levels.count
            }
            let name = featureNames[feature]
            if let levels = kind.levels {
                guard levels.count <= FeatureKind.levelCountMax else {
                    throw .shape(
                        "column '\(name)' has \(levels.count) levels, "
                            + "at most \(FeatureKind.levelCountMax) work")
                }
                guard Set(levels).count == levels.count else {
                    throw .shape("two levels of column '\(name)' are the same")
                }
            }
            let codes = 0..<Float(codeCount)
            guard
                columns[feature].allSatisfy({
                    $0.isNaN || (codes.contains($0) && $0 == $0.rounded())
                })
            else {
                throw .shape("column '\(name)' has a value that is none of its \(kind.name) codes")
            }
        }
    }

    private func checkTarget() throws(DatasetError) {
        switch target {
        case .classes(let labels, let indices):
            guard indices.count == rowCount else {
                throw .shape("\(indices.count) labels for \(rowCount) rows")
            }
            guard labels.count <= Self.classCountMax else {
                throw .shape("it has \(labels.count) classes, at most \(Self.classCountMax) work")
            }
            guard zip(labels, labels.dropFirst()).allSatisfy({ $0 < $1 }) else {
                throw .shape("its classes are not sorted or not different")
            }
            let classRange = 0..<Int32(labels.count)
            guard indices.allSatisfy(classRange.contains) else {
                throw .shape("a row's class is none of the \(labels.count) classes")
            }
        case .values(let values):
            guard values.count == rowCount else {
                throw .shape("\(values.count) target values for \(rowCount) rows")
            }
            guard values.allSatisfy(\.isFinite) else {
                throw .shape("target '\(targetName)' has a missing or infinite value")
            }
        }
    }

    private func check(weights: [Float]) throws(DatasetError) {
        guard weights.count == rowCount else {
            throw .shape("\(weights.count) weights for \(rowCount) rows")
        }
        guard weights.allSatisfy({ $0.isFinite && $0 >= 0 }) else {
            throw .shape("a weight is negative or not finite")
        }
    }
}
