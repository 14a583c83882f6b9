import Testing

@testable import DecisionForests

@Suite("Rows from values as people write them")
struct RowEncoderTests {
    private let encoder = RowEncoder(
        names: ["age", "member", "city"],
        kinds: [.numeric, .boolean, .categorical(levels: ["Bonn", "Köln", "7", "true", ""])])

    private func same(_ found: [Float], _ expected: [Float]) -> Bool {
        found.count == expected.count
            && zip(found, expected).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) }
    }

    @Test("Numbers, truths and names become numbers; unknown names and gaps are missing")
    func values() throws {
        #expect(try encoder.row([.number(3.5), .boolean(true), .text("Köln")]) == [3.5, 1, 1])
        #expect(try encoder.row([.number(0.1), .number(0), .text("")]) == [0.1, 0, 4])
        #expect(
            same(
                try encoder.row([.missing, .missing, .text("Ulm")]), [.nan, .nan, .nan]))
        #expect(same(try encoder.row([.number(.nan), .text("FALSE"), .missing]), [.nan, 0, .nan]))
        #expect(try encoder.row([.number(-0.0), .text("Yes"), .number(7)]) == [0, 1, 2])
        #expect(try encoder.row([.number(1), .text("no"), .boolean(true)]) == [1, 0, 3])
        #expect(
            same(
                try encoder.row(named: ["city": .text("Bonn"), "age": .number(2), "x": .missing]),
                [2, .nan, 0]))
    }

    @Test("A level's code is no level")
    func codes() throws {
        #expect(same([try encoder.encode(.number(0), in: 2)], [.nan]))
    }

    @Test("What a column cannot hold is refused by the column's name")
    func mismatches() {
        let bad: [(Int, RowEncoder.Value)] = [
            (0, .text("3")), (0, .boolean(true)), (0, .number(1e39)), (0, .number(-.infinity)),
            (1, .number(2)), (1, .text("maybe")), (1, .number(.infinity)),
        ]
        for (column, value) in bad {
            do {
                _ = try encoder.encode(value, in: column)
                Issue.record("\(value) passed")
            } catch {
                #expect(error.column == encoder.names[column])
            }
        }
    }

    @Test("A data set's levels are matched by name, whatever their order there")
    func levels() throws {
        let model = try model()
        let other = try dataset(
            [.categorical(levels: ["new", "c", "a", "b"])], [[0, 1, 2, 3, .nan]])
        let matrix = try other.features(named: ["x"], as: model.featureKinds)
        #expect(same(matrix.values, [.nan, 2, 0, 1, .nan]))
        // Level b alone is answered with 2; what is unknown goes as missing values do.
        #expect(try model.predict(other).scores == [1, 1, 1, 2, 1])
    }

    @Test("Numbers are levels where their texts are, names are no numbers")
    func otherKinds() throws {
        let digits = try dataset([.numeric], [[7, 8, .nan]])
        let kind = FeatureKind.categorical(levels: ["8", "7"])
        #expect(same(try digits.features(named: ["x"], as: [kind]).values, [1, 0, .nan]))
        let names = try dataset([.categorical(levels: ["a"])], [[0, 0, .nan]])
        #expect(throws: DatasetError.self) { try names.features(named: ["x"], as: [.numeric]) }
        let truths = try dataset([.boolean], [[1, 0, .nan]])
        #expect(same(try truths.features(named: ["x"], as: [.numeric]).values, [1, 0, .nan]))
        let words = try dataset([.categorical(levels: ["True", "false", "x"])], [[0, 1, .nan]])
        #expect(same(try words.features(named: ["x"], as: [.boolean]).values, [1, 0, .nan]))
        let unused = try dataset([.categorical(levels: ["true", "x"])], [[0, 1]])
        #expect(throws: DatasetError.self) { try unused.features(named: ["x"], as: [.boolean]) }
    }

    private func dataset(_ kinds: [FeatureKind], _ columns: [[Float]]) throws -> Dataset {
        try Dataset(
            columns: columns, featureNames: ["x"], featureKinds: kinds,
            target: .values(columns[0].map { _ in 0 }), targetName: "y")
    }

    /// Answers 2 for level b, 1 for all else.
    private func model() throws -> TrainedModel {
        var tree = Tree(
            splitFeature: [0, -1, -1], threshold: [0, 0, 0],
            missingGoesLeft: [false, false, false], leftChild: [1, 0, 1], leafValues: [2, 1])
        tree.categorySet = [tree.categorySets.append([1]), -1, -1]
        return TrainedModel(
            ensemble: TreeEnsemble(featureCount: 1, outputCount: 1, trees: [tree]),
            featureNames: ["x"], featureKinds: [.categorical(levels: ["a", "b", "c"])],
            targetName: "y", task: .regression, learner: "RandomForestRegressor", parameters: [],
            trainingRowCount: 3)
    }
}
