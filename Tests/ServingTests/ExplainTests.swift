import DecisionForests
import Foundation
import Testing

@testable import Serving

/// `POST /predict?explain=shap`.
@Suite struct ExplainTests {
    static let body = #"{"features": [[0.2, 1, 2], [0.9, 1, 2]]}"#

    /// A stump over x that knows that 3 of 4 training rows were not above 0.5.
    static func model() -> TrainedModel {
        let tree = Tree(
            splitFeature: [0, Tree.leaf, Tree.leaf], threshold: [0.5, 0, 0],
            missingGoesLeft: [true, false, false], leftChild: [1, 0, 1],
            leafValues: [1, 5], cover: [4, 3, 1])
        return TrainedModel(
            ensemble: TreeEnsemble(featureCount: 3, outputCount: 1, trees: [tree]),
            featureNames: ["x", "y", "z"], targetName: "target", task: .regression,
            learner: "RandomForestRegressor", parameters: [], trainingRowCount: 4)
    }

    @Test("Contributions and the expected value sum to each row's score")
    func contributions() async throws {
        let folder = try TemporaryFolder()
        try folder.add(Self.model(), as: "Stump", version: 1)
        try await RunningGateway.with(folder) { gateway in
            let reply = try await gateway.call(
                "POST", "/predict?a=1&explain=shap", body: Self.body)
            #expect(reply.status == 200, "\(reply.text)")
            #expect(reply.json()?["predictions"] as? [Double] == [1, 5])
            let explanation = try #require(reply.json()?["explanation"] as? [String: Any])
            #expect(explanation["features"] as? [String] == ["x", "y", "z"])
            // (3 * 1 + 1 * 5) / 4 rows; what a row is above or below that is x's doing alone.
            #expect(explanation["expected_values"] as? [Double] == [2])
            let contributions = explanation["contributions"] as? [[[Double]]]
            #expect(contributions == [[[-1, 0, 0]], [[3, 0, 0]]])
            let plain = try await gateway.predict(Self.body)
            #expect(plain.status == 200 && !plain.text.contains("explanation"))
        }
    }

    @Test("Another method is 422 at its place, and so is a model that cannot be explained")
    func refusals() async throws {
        let folder = try TemporaryFolder()
        try folder.add(TestModels.classifier(), as: "NoCovers", version: 1)
        try await RunningGateway.with(folder) { gateway in
            let other = try await gateway.call("POST", "/predict?explain=lime", body: Self.body)
            #expect(other.status == 422)
            #expect(other.details().first?["loc"] as? [String] == ["query", "explain"])
            let without = try await gateway.call("POST", "/predict?explain=shap", body: Self.body)
            #expect(without.status == 422, "\(without.text)")
            #expect(without.text.contains("not-explainable"))
        }
    }
}
