import DecisionForests
import Testing

@Suite("Splits and folds keep every row once and every class in proportion")
struct DatasetPartsTests {
    /// Row r has feature r; classes 0, 1 and 2 in the proportion 6 : 3 : 1.
    private func data(rows: Int = 200) throws -> Dataset {
        try SampleData.columns(
            [(0..<rows).map { Float($0) }],
            classes: (0..<rows).map { [0, 0, 0, 0, 0, 0, 1, 1, 1, 2][$0 % 10] })
    }

    private func counts(_ data: Dataset) -> [Int] {
        guard case .classes(let labels, let indices) = data.target else { return [] }
        return labels.indices.map { label in indices.count { Int($0) == label } }
    }

    @Test("A split is stratified, complete and decided by the seed")
    func split() throws {
        let data = try data()
        let (train, holdout) = data.split(holdout: 0.2, seed: 42)
        #expect(counts(train) == [96, 48, 16])
        #expect(counts(holdout) == [24, 12, 4])
        #expect(Set(train.columns[0] + holdout.columns[0]).count == 200)
        #expect(data.split(holdout: 0.2, seed: 42).train.columns == train.columns)
        #expect(data.split(holdout: 0.2, seed: 43).train.columns != train.columns)
    }

    @Test(
        "Uneven shares are rounded, and both sides keep rows", arguments: [0.01, 0.33, 0.5, 0.99])
    func unevenSplit(share: Double) throws {
        let (train, holdout) = try data(rows: 37).split(holdout: share, seed: 1)
        #expect(holdout.rowCount == min(36, Int((share * 37).rounded(.up))))
        #expect(train.rowCount + holdout.rowCount == 37)
        #expect(train.rowCount > 0)
    }

    @Test("One row stays in the training part")
    func oneRow() throws {
        let (train, holdout) = try SampleData.columns([[1]], classes: [0])
            .split(holdout: 0.5, seed: 0)
        #expect(train.rowCount == 1)
        #expect(holdout.rowCount == 0)
    }

    @Test("Folds validate every row once, classes evenly dealt")
    func folds() throws {
        let data = try data()
        let folds = data.folds(5, seed: 7)
        #expect(folds.count == 5)
        #expect(folds.flatMap(\.validationRows).sorted() == Array(0..<200))
        for fold in folds {
            #expect(counts(fold.validation) == [24, 12, 4])
            #expect(Set(fold.trainRows).isDisjoint(with: fold.validationRows))
            #expect(fold.train.rowCount == 160)
        }
    }

    @Test("There are no more folds than rows")
    func fewRows() throws {
        #expect(try data(rows: 3).folds(10).count == 3)
    }

    @Test("Numbers are split too, weights go along")
    func regression() throws {
        let data = try Dataset(
            features: FeatureMatrix(rows: (0..<10).map { [Float($0)] }),
            values: (0..<10).map { Float($0) * 2 }, weights: (0..<10).map { Float($0) })
        let holdout = data.split(holdout: 0.3, seed: 5).holdout
        #expect(holdout.rowCount == 3)
        #expect(holdout.weights == holdout.columns[0])
        #expect(holdout.target == .values(holdout.columns[0].map { $0 * 2 }))
    }

    @Test("What does not fit together is refused")
    func refused() throws {
        let rows = try FeatureMatrix(rows: [[1, 2], [3, 4]])
        #expect(throws: DatasetError.self) { try Dataset(features: rows, values: [1]) }
        #expect(throws: DatasetError.self) { try Dataset(features: rows, values: [1, .nan]) }
        #expect(throws: DatasetError.self) {
            try Dataset(features: rows, values: [1, 2], weights: [1, -1])
        }
        #expect(throws: DatasetError.self) {
            try Dataset(features: rows, featureNames: ["a", "a"], values: [1, 2])
        }
        #expect(throws: DatasetError.self) {
            try Dataset(features: FeatureMatrix(rows: [[.infinity]]), values: [1])
        }
        #expect(throws: DatasetError.self) { try FeatureMatrix(rows: [[1, 2], [3]]) }
        #expect(throws: DatasetError.self) {
            try FeatureMatrix(values: [1, 2, 3], featureCount: 2)
        }
        #expect(throws: DatasetError.self) { try FeatureMatrix(values: [], featureCount: 0) }
    }
}
