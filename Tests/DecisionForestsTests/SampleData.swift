import DecisionForests

/// Data sets that several tests use.
enum SampleData {
    /// Two classes of 300 rows and 8 columns; every seventh cell of the first column is missing.
    static func withMissing(rows: Int = 300) throws -> Dataset {
        let whole = try makeClassification(
            samples: rows, features: 8, informative: 4, redundant: 2, seed: 3)
        var columns = whole.columns
        for row in stride(from: 0, to: rows, by: 7) { columns[0][row] = .nan }
        return try Dataset(
            columns: columns, featureNames: whole.featureNames, target: whole.target,
            targetName: whole.targetName)
    }

    /// A number per row: the sum of the first two columns, and a step in the third.
    static func regression(rows: Int = 300) throws -> Dataset {
        let whole = try makeClassification(samples: rows, features: 6, informative: 3, seed: 5)
        let values = (0..<rows).map {
            whole.columns[0][$0] + whole.columns[1][$0] + (whole.columns[2][$0] > 0 ? 3 : 0)
        }
        return try Dataset(
            columns: whole.columns, featureNames: whole.featureNames, target: .values(values),
            targetName: "y")
    }

    static func columns(
        _ columns: [[Float]], classes: [Int64]
    ) throws -> Dataset {
        let rows = classes.indices.map { row in columns.map { $0[row] } }
        return try Dataset(
            features: FeatureMatrix(rows: rows), labels: classes.map { .integer($0) })
    }
}
