import DecisionForests
import Foundation
import Testing

@Suite("Metrics are scikit-learn's")
struct EvaluationTests {
    private struct Given: Encodable {
        var truth: [Double]
        var probabilities: [[Float]]?
        var values: [Float]?
    }

    private struct Figures: Decodable {
        let metrics: [String: Double]
        let confusion: [[Int]]
    }

    private func theirs(_ given: Given) async throws -> Figures {
        let folder = try ScratchFolder()
        let json = try JSONEncoder().encode(given)
        let input = try folder.write(String(decoding: json, as: UTF8.self), to: "in")
        let output = folder.file("out")
        return try await LearningPython.run(
            "metrics.py", [input, output], output: output, in: folder)
    }

    private func compare(_ ours: Evaluation, _ theirs: Figures) throws {
        #expect(Set(ours.values.keys) == Set(theirs.metrics.keys))
        for (name, value) in theirs.metrics {
            // Their log loss is computed in float32.
            #expect(abs(try #require(ours[name]) - value) < 2e-6, "\(name)")
        }
        #expect(ours.confusion == theirs.confusion)
    }

    @Test("For two classes and for four", arguments: [2, 4])
    func classes(count: Int) async throws {
        let data = try makeClassification(
            samples: 300, informative: 4, classes: count, clustersPerClass: 1, flipY: 0.2, seed: 8)
        let (train, holdout) = data.split(holdout: 0.4, seed: 1)
        // Few trees: many equal scores, and probabilities of 0 and 1.
        let model = try RandomForestClassifier(trees: 4, seed: 3).fit(train)
        let predictions = try model.predict(holdout)
        guard case .classes(_, let indices) = holdout.target else {
            Issue.record("no classes")
            return
        }
        let given = Given(
            truth: indices.map { Double($0) },
            probabilities: (0..<holdout.rowCount).map { Array(predictions.scores(ofRow: $0)) })
        try await compare(model.evaluate(on: holdout), theirs(given))
    }

    @Test("For numbers")
    func numbers() async throws {
        let (train, holdout) = try SampleData.regression().split(holdout: 0.4, seed: 1)
        let model = try RandomForestRegressor(trees: 5).fit(train)
        guard case .values(let truth) = holdout.target else {
            Issue.record("no numbers")
            return
        }
        let given = Given(
            truth: truth.map { Double($0) }, values: try model.predict(holdout).scores)
        try await compare(model.evaluate(on: holdout), theirs(given))
    }

    @Test("Classes are matched by label; an unknown one counts as wrong")
    func labels() throws {
        let model = try RandomForestClassifier(trees: 3, bootstrap: false).fit(
            SampleData.columns([[1, 2, 3, 4]], classes: [5, 5, 7, 7]))
        let data = try SampleData.columns([[1, 4, 4]], classes: [5, 7, 9])
        let evaluation = try model.evaluate(on: data)
        #expect(evaluation["accuracy"] == 2.0 / 3)
        #expect(evaluation.classes == [.integer(5), .integer(7), .integer(9)])
        #expect(evaluation.confusion == [[1, 0, 0], [0, 1, 0], [0, 1, 0]])
        #expect(evaluation["roc_auc"] == nil)
        #expect(evaluation["log_loss"]?.isFinite == true)
    }

    @Test("One class has no curve, one row no explained variance")
    func undefined() throws {
        let model = try RandomForestClassifier(trees: 2).fit(
            SampleData.columns([[1, 2, 3, 4]], classes: [0, 0, 1, 1]))
        let one = try SampleData.columns([[1, 2]], classes: [0, 0])
        #expect(try model.evaluate(on: one)["roc_auc"] == nil)
        let regressor = try RandomForestRegressor(trees: 2).fit(SampleData.regression(rows: 30))
        let row = try SampleData.regression(rows: 30).subset(rows: [3])
        #expect(try regressor.evaluate(on: row).metrics.map(\.name) == ["rmse", "mae"])
        #expect(throws: TrainingError.noRows) { try regressor.evaluate(on: row.subset(rows: [])) }
    }
}
