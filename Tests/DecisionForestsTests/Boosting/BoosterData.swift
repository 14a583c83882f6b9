import DecisionForests

/// Data sets that the boosting tests use.
enum BoosterData {
    /// Counts whose rate grows with the first column: about e^(x/2).
    static func counts(rows: Int) throws -> Dataset {
        let whole = try makeClassification(samples: rows, features: 5, informative: 3, seed: 8)
        let values = (0..<rows).map { row in
            let x = min(3, max(-3, whole.columns[0][row]))
            return (x + 3 + Float(row % 3)).rounded()
        }
        return try Dataset(
            columns: whole.columns, featureNames: whole.featureNames, target: .values(values),
            targetName: "count")
    }

    /// A column of 12 colours, of which the odd ones raise the target by 4, beside a number.
    static func categorical(rows: Int) throws -> Dataset {
        let levels = (0..<12).map { "colour \($0)" }
        let colours = (0..<rows).map { Float(($0 * 7 + $0 / 12) % 12) }
        let numbers = (0..<rows).map { Float(($0 * 37) % 101) / 101 }
        let values = (0..<rows).map { row in
            (Int(colours[row]) % 2 == 1 ? 4 : 0) + numbers[row]
        }
        return try Dataset(
            columns: [colours, numbers], featureNames: ["colour", "number"],
            featureKinds: [.categorical(levels: levels), .numeric], target: .values(values),
            targetName: "y")
    }

    /// More rows than a packed histogram can take.
    static func manyRows() throws -> Dataset {
        let count = 70_000
        let first = (0..<count).map { Float(($0 * 7919) % 1000) }
        let second = (0..<count).map { Float(($0 * 104_729) % 777) }
        let classes = (0..<count).map { row in
            Int32(first[row] > 400 && second[row] < 500 || row % 10 == 0 ? 1 : 0)
        }
        return try Dataset(
            columns: [first, second], featureNames: ["a", "b"],
            target: .classes(labels: [.integer(0), .integer(1)], indices: classes),
            targetName: "y")
    }
}
