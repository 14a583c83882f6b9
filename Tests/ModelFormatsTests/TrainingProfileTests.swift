import DecisionForests
import Foundation
import Testing

@testable import ModelFormats

@Suite("A training profile")
struct TrainingProfileTests {
    private func profile(
        _ values: [Float], _ kind: FeatureKind = .numeric, target: Dataset.Target? = nil
    ) throws -> TrainingProfile {
        TrainingProfile(
            of: try Dataset(
                columns: [values], featureNames: ["x"], featureKinds: [kind],
                target: target ?? .values(values.map { _ in 1 }), targetName: "y"))
    }

    private func numbers(_ values: [Float]) throws -> TrainingProfile.Numbers {
        try #require(try profile(values).features[0].numbers)
    }

    @Test("A hundred different values fall into ten equal bins")
    func deciles() throws {
        let feature = try numbers((1...100).map(Float.init).shuffled())
        #expect(feature.edges == [10, 20, 30, 40, 50, 60, 70, 80, 90])
        #expect(feature.shares.allSatisfy { abs($0 - 0.1) < 1e-12 })
        #expect(feature.minimum == 1 && feature.maximum == 100 && feature.mean == 50.5)
        #expect(abs(feature.standardDeviation - 28.866070) < 1e-6)
    }

    @Test("Missing values count apart, equal values share a bin")
    func missing() throws {
        let values: [Float] = [.nan, 1, 1, 1, 1, 1, 1, 1, 2, .nan]
        let feature = try profile(values).features[0]
        #expect(feature.missingShare == 0.2)
        #expect(feature.numbers?.edges == [1])
        #expect(feature.numbers?.shares == [0.875, 0.125])
    }

    @Test("Deciles of a long column come from a sample of its rows")
    func longColumn() throws {
        let count = 350_000
        let feature = try numbers((0..<count).map { Float($0 * 7919 % count) })
        #expect(feature.edges.count == 9)
        #expect(feature.shares.allSatisfy { abs($0 - 0.1) < 0.005 })
        #expect(abs(feature.shares.reduce(0, +) - 1) < 1e-12)
    }

    @Test("A column without values, or with infinite ones, has finite figures")
    func strange() throws {
        for values: [Float] in [
            [], [.nan], [.infinity, -.infinity], [3], [.infinity, 1, 2, .nan],
        ] {
            let feature = TrainingProfile.Numbers(of: values)
            #expect(feature.shares.count == feature.edges.count + 1)
            let figures =
                [feature.minimum, feature.maximum, feature.mean, feature.standardDeviation]
                + feature.edges
            #expect(figures.allSatisfy { $0.isFinite })
        }
        let read = try profile([.nan, .nan])
        #expect(try TrainingProfile(json: Array(read.json.utf8)) == read)
    }

    @Test("Names are listed by their frequency, the rest is one share")
    func levels() throws {
        let names = (0..<80).map { "level \"\($0)\"" }
        let values = (0..<80).map(Float.init) + [7, 7, 7, 3, .nan, .nan]
        let whole = try profile(values, .categorical(levels: names))
        let feature = try #require(whole.features[0].levels)
        #expect(feature.count == 80 && feature.names.count == 50)
        #expect(Array(feature.names.prefix(3)) == [names[7], names[3], names[0]])
        #expect(feature.shares[0] == 4.0 / 84 && feature.shares[2] == 1.0 / 84)
        #expect(abs(feature.otherShare - 30.0 / 84) < 1e-12)
        #expect(whole.features[0].numbers == nil && whole.features[0].kind == "categorical")
        #expect(try TrainingProfile(json: Array(whole.json.utf8)) == whole)
        let truths = try profile([1, 1, 0, .nan], .boolean).features[0]
        #expect(truths.levels?.names == ["true", "false"] && truths.missingShare == 0.25)
    }

    @Test("The target is measured like a column")
    func target() throws {
        let classes = try profile(
            [1, 2, 3, 4],
            target: .classes(labels: [.integer(-1), .integer(5)], indices: [1, 1, 0, 1])
        ).target
        #expect(classes.name == "y" && classes.levels?.names == ["5", "-1"])
        #expect(classes.levels?.shares == [0.75, 0.25])
        let values = try profile([1, 2], target: .values([10, 20])).target
        #expect(values.numbers?.mean == 15 && values.kind == "numeric")
    }

    @Test("Other versions and broken texts are refused")
    func refusals() throws {
        let good = try profile([1, 2, 3]).json
        #expect(throws: Never.self) { try TrainingProfile(json: Array(good.utf8)) }
        let edits = [
            ("\"version\": 2", "\"version\": 1"), ("\"version\": 2", "\"version\": 3"),
            ("\"target\"", "\"aim\""), ("\"kind\": \"numeric\"", "\"kind\": \"odd\""),
            ("\"kind\": \"numeric\"", "\"kind\": \"boolean\""),
            ("\"missingShare\": 0.0", "\"missingShare\": 2"),
            ("\"edges\": [1.0, 2.0]", "\"edges\": [1]"),
            ("\"edges\": [1.0, 2.0]", "\"edges\": [2, 1]"),
            ("\"edges\": [1.0, 2.0]", "\"edges\": [1, 1e999]"), ("\"numbers\"", "\"sums\""),
        ]
        for (old, new) in edits {
            #expect(good.contains(old), "\(old) in \(good)")
            let text = good.replacingOccurrences(of: old, with: new)
            #expect(throws: ModelDirectoryError.self, "\(new)") {
                try TrainingProfile(json: Array(text.utf8))
            }
        }
        for text in ["", "[]", "{}", #"{"version": 2, "rowCount": 1, "features": []}"#] {
            #expect(throws: ModelDirectoryError.self) {
                try TrainingProfile(json: Array(text.utf8))
            }
        }
        let named = try profile([0, 1], .categorical(levels: ["a", "b"])).json
        for (old, new) in [
            ("\"count\": 2", "\"count\": 1"), ("[\"a\", \"b\"]", "[\"a\", \"a\"]"),
            ("\"otherShare\": 0.0", "\"otherShare\": -1"), ("[0.5, 0.5]", "[0.5]"),
        ] {
            #expect(named.contains(old))
            let text = named.replacingOccurrences(of: old, with: new)
            #expect(throws: ModelDirectoryError.self, "\(new)") {
                try TrainingProfile(json: Array(text.utf8))
            }
        }
    }
}
