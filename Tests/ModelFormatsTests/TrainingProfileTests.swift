import Foundation
import Testing

@testable import ModelFormats

@Suite("A training profile")
struct TrainingProfileTests {
    @Test("A hundred different values fall into ten equal bins")
    func deciles() throws {
        let values = (1...100).map(Float.init).shuffled()
        let profile = TrainingProfile(names: ["x"], rowCount: 100) { _ in values }
        let feature = profile.features[0]
        #expect(feature.edges == [10, 20, 30, 40, 50, 60, 70, 80, 90])
        #expect(feature.shares.allSatisfy { abs($0 - 0.1) < 1e-12 })
        #expect(feature.minimum == 1 && feature.maximum == 100 && feature.mean == 50.5)
        #expect(abs(feature.standardDeviation - 28.866070) < 1e-6)
        #expect(feature.missingShare == 0)
    }

    @Test("Missing values count apart, equal values share a bin")
    func missing() {
        let values: [Float] = [.nan, 1, 1, 1, 1, 1, 1, 1, 2, .nan]
        let feature = TrainingProfile(names: ["x"], rowCount: 10) { _ in values }.features[0]
        #expect(feature.missingShare == 0.2)
        #expect(feature.edges == [1])
        #expect(feature.shares == [0.875, 0.125])
    }

    @Test(
        "A column without values, or with infinite ones, has finite figures",
        arguments: [
            [], [.nan], [.infinity, -.infinity], [3], [.infinity, 1, 2, .nan],
        ] as [[Float]])
    func strange(_ values: [Float]) throws {
        let profile = TrainingProfile(names: ["x"], rowCount: values.count) { _ in values }
        let feature = profile.features[0]
        #expect(feature.shares.count == feature.edges.count + 1)
        #expect(try TrainingProfile(json: Array(profile.json.utf8)) == profile)
    }

    @Test("Other versions and broken texts are refused")
    func refusals() {
        let texts = [
            "", "[]", #"{"version": 2, "rowCount": 1, "features": []}"#,
            #"{"version": 1, "rowCount": 1}"#,
            feature(edges: "[1, 2]", shares: "[0.5, 0.5]"),
            feature(edges: "[2, 1]", shares: "[0.5, 0.25, 0.25]"),
            feature(edges: "[1]", shares: "[-1, 2]"), feature(edges: "[1e999]", shares: "[1, 0]"),
        ]
        for text in texts {
            #expect(throws: ModelDirectoryError.self) {
                try TrainingProfile(json: Array(text.utf8))
            }
        }
    }

    private func feature(edges: String, shares: String) -> String {
        #"{"version": 1, "rowCount": 1, "features": [{"name": "x", "missingShare": 0, "#
            + #""minimum": 0, "maximum": 1, "mean": 0, "standardDeviation": 1, "#
            + "\"edges\": \(edges), \"shares\": \(shares)}]}"
    }
}
