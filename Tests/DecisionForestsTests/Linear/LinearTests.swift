import Foundation
import Testing

@testable import DecisionForests

@Suite("Linear learners find scikit-learn's coefficients")
struct LinearTests {
    private struct Answer: Decodable {
        let coefficients: [[Double]]
        let intercepts: [Double]
        let answers: [Double]
    }

    private func theirs(_ kind: String, _ options: String, _ data: Dataset) async throws -> Answer {
        let folder = try ScratchFolder()
        var text = (data.featureNames + ["y", "w"]).joined(separator: ",") + "\n"
        for row in 0..<data.rowCount {
            text += data.columns.map { "\(Double($0[row]))," }.joined()
            switch data.target {
            case .classes(_, let indices): text += "\(indices[row]),"
            case .values(let values): text += "\(Double(values[row])),"
            }
            text += "\(data.weights?[row] ?? 1)\n"
        }
        let csv = try folder.write(text, to: "data.csv")
        let output = folder.file("out")
        return try await LearningPython.run(
            "linear.py", [kind, options, csv, output], output: output, in: folder)
    }

    private func compare(_ model: TrainedModel, _ answer: Answer) throws {
        let linear = try #require(model.ensemble.linear)
        try #require(linear.coefficients.count == answer.coefficients.joined().count)
        #expect(model.ensemble.trees.isEmpty)
        for (mine, other) in zip(linear.coefficients, answer.coefficients.joined()) {
            #expect(abs(mine - other) < 1e-6 * max(1, abs(other)))
        }
        for (mine, other) in zip(model.ensemble.baseScores, answer.intercepts) {
            #expect(abs(Double(mine) - other) < 1e-6 * max(1, abs(other)))
        }
    }

    private func compareAnswers(
        _ model: TrainedModel, _ answer: Answer, on data: Dataset
    ) throws {
        let scores = try model.predict(data).scores
        try #require(scores.count == answer.answers.count)
        for (mine, other) in zip(scores, answer.answers) {
            #expect(abs(Double(mine) - other) < 2e-6 * max(1, abs(other)))
        }
    }

    private func weighted(_ data: Dataset) throws -> Dataset {
        try Dataset(
            columns: data.columns, featureNames: data.featureNames, target: data.target,
            targetName: data.targetName, weights: (0..<data.rowCount).map { Float($0 % 5) / 2 })
    }

    @Test("Ridge, on columns of very different scales", arguments: [false, true])
    func ridge(isWeighted: Bool) async throws {
        let plain = try SampleData.regression(rows: 520)
        var columns = plain.columns
        columns[3] = columns[3].map { $0 * 1_000 + 5_000 }
        columns[4] = columns[4].map { $0 * 1e-4 }
        var data = try Dataset(
            columns: columns, featureNames: plain.featureNames, target: plain.target,
            targetName: "y")
        if isWeighted { data = try weighted(data) }
        let model = try RidgeRegression(alpha: 2).fit(data)
        let answer = try await theirs("ridge", #"{"alpha": 2}"#, data)
        try compare(model, answer)
        try compareAnswers(model, answer, on: data)
        #expect(try (model.evaluate(on: data)["r2"] ?? 0) > 0.5)
    }

    @Test("Logistic regression of two and of four classes", arguments: [2, 4], [false, true])
    func logistic(classes: Int, isWeighted: Bool) async throws {
        var data = try makeClassification(
            samples: 700, features: 5, informative: 3, classes: classes, clustersPerClass: 1,
            scale: 4, seed: 12)
        if isWeighted { data = try weighted(data) }
        let model = try LogisticRegression(
            inversePenalty: 0.5, tolerance: 1e-9,
            classWeight: isWeighted ? .perClass([.integer(1): 3]) : .equal
        ).fit(data)
        let options =
            isWeighted ? #"{"C": 0.5, "class_weight": {"1": 3}}"# : #"{"C": 0.5}"#
        let answer = try await theirs("logistic", options, data)
        try compare(model, answer)
        try compareAnswers(model, answer, on: data)
        #expect(try (model.evaluate(on: data)["accuracy"] ?? 0) > 0.6)
        #expect(model.parameters.suffix(1) == [.init("converged", "True")])
    }

    @Test("Columns of names become indicators", arguments: ["ridge", "logistic", "multinomial"])
    func indicators(kind: String) async throws {
        let data = try withNames(
            classes: kind == "multinomial" ? 3 : 2, isRegression: kind == "ridge")
        let model: TrainedModel
        let options: String
        if kind == "ridge" {
            model = try RidgeRegression(alpha: 3).fit(data)
            options = #"{"alpha": 3, "indicators": [0, 3]}"#
        } else {
            model = try LogisticRegression(inversePenalty: 0.3, tolerance: 1e-9).fit(data)
            options = #"{"C": 0.3, "indicators": [0, 3]}"#
        }
        let answer = try await theirs(kind, options, data)
        try compareAnswers(model, answer, on: data)
        #expect(model.ensemble.trees.count == 2)
        #expect(model.featureKinds == data.featureKinds)
    }

    /// Columns 0 and 3 are names of 5 and 3 levels, column 1 of two.
    private func withNames(classes: Int, isRegression: Bool) throws -> Dataset {
        let plain = try makeClassification(
            samples: 400, features: 4, informative: 3, redundant: 0, classes: classes,
            clustersPerClass: 1, seed: 8)
        func codes(_ column: [Float], _ count: Int) -> [Float] {
            column.map { Float(min(count - 1, max(0, Int($0 + 2)))) }
        }
        func names(_ count: Int) -> FeatureKind {
            .categorical(levels: (0..<count).map { "level \($0)" })
        }
        let columns = [
            codes(plain.columns[0], 5), codes(plain.columns[1], 2), plain.columns[2],
            codes(plain.columns[3], 3),
        ]
        return try Dataset(
            columns: columns, featureNames: plain.featureNames,
            featureKinds: [names(5), names(2), .numeric, names(3)],
            target: isRegression
                ? .values(zip(plain.columns[0], plain.columns[3]).map { $0 * 2 - $1 })
                : plain.target, targetName: "y")
    }
}
