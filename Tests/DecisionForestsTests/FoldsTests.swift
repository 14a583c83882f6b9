import DecisionForests
import Foundation
import Testing

@Suite("Folds are as even as scikit-learn's")
struct FoldsTests {
    private struct Given: Encodable {
        let kind: String
        let labels: [Int32]
        let groups: [Int32]?
        let folds: Int
    }

    private func theirs(_ cases: [Given]) async throws -> [[[Int]]] {
        let folder = try ScratchFolder()
        let json = try JSONEncoder().encode(cases)
        let input = try folder.write(String(decoding: json, as: UTF8.self), to: "in")
        let output = folder.file("out")
        return try await LearningPython.run(
            "folds.py", [input, output], output: output, in: folder)
    }

    @Test("A data set's own groups are kept together without being named", arguments: [1, 3])
    func ownGroups(classes: Int) throws {
        let (plain, groups) = try data(classes: classes, groups: 12, seed: 4)
        let data = try Dataset(
            columns: plain.columns, featureNames: plain.featureNames, target: plain.target,
            targetName: plain.targetName, groups: groups)
        let folds = data.folds(4, seed: 2)
        #expect(
            try folds.map(\.validationRows)
                == data.folds(4, groups: groups, seed: 2).map(\.validationRows))
        #expect(folds.flatMap(\.validationRows).sorted() == Array(0..<data.rowCount))
        for fold in folds {
            let train = Set(fold.trainRows.map { groups[$0] })
            #expect(fold.validationRows.allSatisfy { !train.contains(groups[$0]) })
        }
        let (train, holdout) = data.split(holdout: 0.3, seed: 5)
        let ids = Set(try #require(train.groups))
        #expect(try #require(holdout.groups).allSatisfy { !ids.contains($0) })
        #expect(holdout.rowCount > 0 && train.rowCount + holdout.rowCount == data.rowCount)
        #expect(data.folds(40).count == Set(groups).count)
    }

    /// Rows of random classes, the higher ones rarer, in groups of very different sizes.
    private func data(classes: Int, groups: Int, seed: UInt64) throws -> (Dataset, [Int32]) {
        let chance = Chance(seed: seed)
        let rows = 400
        let draws = (0..<UInt64(rows)).map { chance.child(1).unit($0) }
        let labels = draws.map { Int32($0 * $0 * Double(classes)) }
        let ids = (0..<UInt64(rows)).map { row in
            let draw = chance.child(2).unit(row)
            return Int32(draw * draw * Double(groups)) * 7 - 100
        }
        let data = try Dataset(
            columns: [(0..<rows).map { Float($0) }], featureNames: ["row"],
            target: classes == 1
                ? .values(draws.map { Float($0) })
                : .classes(labels: (0..<Int64(classes)).map { .integer($0) }, indices: labels),
            targetName: "y")
        return (data, ids)
    }

    private func labels(of data: Dataset) -> [Int32] {
        guard case .classes(_, let indices) = data.target else {
            return [Int32](repeating: 0, count: data.rowCount)
        }
        return indices
    }

    private func counts(_ fold: Fold, classes: Int) -> [Int] {
        var counts = [Int](repeating: 0, count: classes)
        for label in labels(of: fold.validation) { counts[Int(label)] += 1 }
        return counts
    }

    /// Σ over classes and folds of (share of the class's rows)²; at its least if all are even.
    private func unevenness(_ counts: [[Int]]) -> Double {
        (counts.first ?? []).indices.reduce(0.0) { sum, label in
            let sizes = counts.map { Double($0[label]) }
            let all = sizes.reduce(0, +)
            return all > 0 ? sum + sizes.reduce(0) { $0 + ($1 / all) * ($1 / all) } : sum
        }
    }

    @Test("Stratified folds have as many rows of each class")
    func stratified() async throws {
        let sets = try (0..<6).map { try data(classes: 2 + Int($0) % 3, groups: 9, seed: $0) }
        let theirs = try await theirs(
            sets.map {
                Given(kind: "stratified", labels: labels(of: $0.0), groups: nil, folds: 5)
            })
        for ((data, _), expected) in zip(sets, theirs) {
            let ours = data.folds(5, seed: 1).map { counts($0, classes: expected[0].count) }
            for label in expected[0].indices {
                #expect(ours.map { $0[label] }.sorted() == expected.map { $0[label] }.sorted())
            }
        }
    }

    @Test("Grouped folds of numbers have as many rows")
    func grouped() async throws {
        let sets = try (0..<6).map { try data(classes: 1, groups: 10 + 9 * Int($0), seed: $0) }
        let theirs = try await theirs(
            sets.map { Given(kind: "grouped", labels: labels(of: $0.0), groups: $0.1, folds: 4) })
        for ((data, groups), expected) in zip(sets, theirs) {
            let ours = try data.folds(4, groups: groups, seed: 1).map(\.validation.rowCount)
            #expect(ours.sorted() == expected.map { $0[0] }.sorted())
        }
    }

    @Test("Grouped folds of classes are not less even than StratifiedGroupKFold's")
    func groupedClasses() async throws {
        let sets = try (0..<12).map { try data(classes: 3, groups: 40, seed: $0) }
        let theirs = try await theirs(
            sets.map { Given(kind: "both", labels: labels(of: $0.0), groups: $0.1, folds: 5) })
        var (ours, others) = (0.0, 0.0)
        for ((data, groups), expected) in zip(sets, theirs) {
            let folds = try data.folds(5, groups: groups, seed: 1)
            ours += unevenness(folds.map { counts($0, classes: 3) })
            others += unevenness(expected)
        }
        #expect(ours <= others * 1.01)
    }

    @Test("Every row is validated once, no group is on both sides, the seed decides")
    func complete() throws {
        let (data, groups) = try data(classes: 3, groups: 30, seed: 2)
        let folds = try data.folds(5, groups: groups, seed: 7)
        #expect(folds.flatMap(\.validationRows).sorted() == Array(0..<data.rowCount))
        for fold in folds {
            let held = Set(fold.validationRows.map { groups[$0] })
            #expect(held.isDisjoint(with: fold.trainRows.map { groups[$0] }))
        }
        let again = try data.folds(5, groups: groups, seed: 7)
        #expect(again.map(\.validationRows) == folds.map(\.validationRows))
        let single = (0..<Int32(data.rowCount)).map { $0 }
        #expect(
            try data.folds(5, groups: single, seed: 1).map(\.validationRows)
                != data.folds(5, groups: single, seed: 2).map(\.validationRows))
    }

    @Test("There are no more folds than groups, and a group per row is asked for")
    func edges() throws {
        let (data, _) = try data(classes: 2, groups: 3, seed: 1)
        let two = (0..<data.rowCount).map { Int32($0 % 2) }
        #expect(try data.folds(5, groups: two).map(\.validation.rowCount) == [200, 200])
        #expect(throws: DatasetError.self) { try data.folds(2, groups: [1]) }
        #expect(throws: DatasetError.self) { try data.split(holdout: 0.5, groups: [], seed: 1) }
        let none = data.subset(rows: [])
        #expect(try none.folds(2, groups: []).isEmpty)
        #expect(none.folds(2).isEmpty)
    }

    @Test("A grouped holdout keeps groups whole and within its share", arguments: [0.1, 0.3, 0.9])
    func holdout(share: Double) throws {
        let (data, groups) = try data(classes: 2, groups: 60, seed: 4)
        let (train, holdout) = try data.split(holdout: share, groups: groups, seed: 3)
        #expect(train.rowCount + holdout.rowCount == data.rowCount)
        #expect(holdout.rowCount > 0)
        #expect(Double(holdout.rowCount) <= share * 400)
        #expect(Double(holdout.rowCount) > share * 400 - 25)
        let held = Set(holdout.columns[0].map { groups[Int($0)] })
        #expect(held.isDisjoint(with: train.columns[0].map { groups[Int($0)] }))
    }

    @Test("Of groups that are all too large the smallest is held out; one group stays together")
    func largeGroups() throws {
        let data = try data(classes: 2, groups: 1, seed: 1).0
        let two = (0..<data.rowCount).map { Int32($0 < 150 ? 1 : 0) }
        #expect(try data.split(holdout: 0.1, groups: two, seed: 1).holdout.rowCount == 150)
        let one = [Int32](repeating: 5, count: data.rowCount)
        #expect(try data.split(holdout: 0.1, groups: one, seed: 1).holdout.rowCount == 0)
    }
}
