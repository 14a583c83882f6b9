import Foundation
import Testing

@testable import DecisionForests

@Suite("Linear learners on data at the edges")
struct LinearEdgeTests {
    @Test("Missing values stand at the mean, weights count rows")
    func missingAndWeights() throws {
        let rows: [[Float]] = [[1], [2], [.nan], [4]]
        let data = try Dataset(
            features: FeatureMatrix(rows: rows), values: [1, 2, 3, 9], weights: [2, 1, 1, 0])
        let plain = try Dataset(
            features: FeatureMatrix(rows: [[1], [1], [2], [4.0 / 3]]), values: [1, 1, 2, 3])
        let a = try RidgeRegression(alpha: 0.5).fit(data)
        let b = try RidgeRegression(alpha: 0.5).fit(plain)
        let (mine, other) = (a.ensemble.linear?.coefficients, b.ensemble.linear?.coefficients)
        #expect(abs((mine?[0] ?? 0) - (other?[0] ?? 9)) < 1e-6)
        #expect(a.ensemble.imputations == [4.0 / 3])
        let scores = try a.predict(FeatureMatrix(rows: [[.nan], [4.0 / 3]])).scores
        #expect(scores[0] == scores[1])
        #expect(a.optionalFeatures == ["feature_0"])
    }

    @Test("A missing or unknown name gets the mean effect")
    func unknownNames() throws {
        let data = try Dataset(
            columns: [[0, 0, 1, 1, 2, 2]], featureNames: ["colour"],
            featureKinds: [.categorical(levels: ["red", "green", "blue", "never"])],
            target: .values([1, 1, 2, 2, 6, 6]), targetName: "y")
        let model = try RidgeRegression(alpha: 1e-9).fit(data)
        let rows = try FeatureMatrix(rows: [[0], [1], [2], [.nan], [7]])
        let scores = try model.predict(rows).scores
        for (score, expected) in zip(scores, [1, 2, 6, 3, 3] as [Float]) {
            #expect(abs(score - expected) < 1e-5)
        }
    }

    @Test("What has no one solution is refused, constant columns are not")
    func refused() throws {
        let twins = try Dataset(
            features: FeatureMatrix(rows: [[1, 2, 5], [2, 4, 5], [3, 6, 5]]), values: [1, 2, 3])
        #expect(throws: TrainingError.singular) { try RidgeRegression(alpha: 0).fit(twins) }
        let model = try RidgeRegression(alpha: 1).fit(twins)
        #expect(model.ensemble.linear?.coefficients[2] == 0)
        #expect(throws: TrainingError.oneClass) {
            try LogisticRegression().fit(SampleData.columns([[1, 2]], classes: [1, 1]))
        }
        let numbers = try SampleData.regression(rows: 20)
        let classes = try SampleData.withMissing(rows: 20)
        #expect(throws: TrainingError.targetHoldsNumbers(target: "y")) {
            try LogisticRegression().fit(numbers)
        }
        #expect(throws: TrainingError.targetHoldsClasses(target: "target")) {
            try RidgeRegression().fit(classes)
        }
        #expect(throws: TrainingError.noRows) {
            try RidgeRegression().fit(numbers.subset(rows: []))
        }
        let wide = try Dataset(
            columns: [[0, 1]], featureNames: ["id"],
            featureKinds: [.categorical(levels: (0..<9_000).map { "\($0)" })],
            target: .values([1, 2]), targetName: "y")
        #expect(throws: TrainingError.tooWide(columns: 9_000, most: 8_192)) {
            try RidgeRegression().fit(wide)
        }
    }

    @Test("A class of no weight and one without rows")
    func weightless() throws {
        let rows: [[Float]] = [[1], [2], [3], [4]]
        let labels: [ClassLabel] = [0, 0, 1, 1].map { .integer($0) }
        let data = try Dataset(
            features: FeatureMatrix(rows: rows), labels: labels, weights: [1, 1, 0, 0])
        #expect(throws: TrainingError.oneClass) { try LogisticRegression().fit(data) }
        let three = try SampleData.columns(
            [[1, 2, 3, 4, 5]], classes: [0, 0, 1, 1, 2]
        ).subset(rows: [0, 1, 2, 3])
        let model = try LogisticRegression().fit(three)
        #expect(try model.predict(three).outputCount == 3)
        #expect(try model.predict(three).scores(ofRow: 0).last ?? 1 < 1e-4)
    }

    @Test("Values at the ends of float32 leave finite models")
    func extremes() throws {
        let huge = Float.greatestFiniteMagnitude
        let data = try Dataset(
            features: FeatureMatrix(rows: [[huge, 1e-38], [-huge, 2e-38], [0, -1e-38], [1, 3]]),
            labels: [0, 1, 0, 1].map { .integer($0) })
        let model = try LogisticRegression().fit(data)
        #expect(try model.predict(data).scores.allSatisfy(\.isFinite))
        let values = try Dataset(features: data.features, values: [huge / 4, 1, -huge / 4, 2])
        let ridge = try RidgeRegression().fit(values)
        #expect(try ridge.predict(values).scores.allSatisfy(\.isFinite))
    }

    @Test("Separable classes end at the penalty's balance")
    func separable() throws {
        let data = try SampleData.columns([[1, 2, 3, 4]], classes: [0, 0, 1, 1])
        let model = try LogisticRegression(inversePenalty: 1e9, tolerance: 1e-12).fit(data)
        #expect(try model.predict(data).labels == [0, 0, 1, 1].map { .integer($0) })
    }

    @Test("Parameters are checked, named and sent")
    func parameters() throws {
        #expect(throws: ParameterError.self) { try RidgeRegression(alpha: -1) }
        #expect(throws: ParameterError.self) { try RidgeRegression(alpha: .nan) }
        #expect(throws: ParameterError.self) { try LogisticRegression(inversePenalty: 0) }
        #expect(throws: ParameterError.self) { try LogisticRegression(tolerance: .infinity) }
        #expect(throws: ParameterError.self) { try LogisticRegression(iterationsMax: 0) }
        let learner = try LogisticRegression(
            inversePenalty: 2, iterationsMax: 50, classWeight: .perClass([.string("a"): 2]))
        #expect(
            learner.parameters == [
                .init("penalty", "l2"), .init("solver", "lbfgs"), .init("C", "2.0"),
                .init("tol", "1e-06"), .init("max_iter", "50"),
                .init("class_weight", "{'a': 2.0}"),
            ])
        let json = try JSONEncoder().encode(AnyLearner(learner))
        let back = try JSONDecoder().decode(AnyLearner.self, from: json).learner
        #expect(back as? LogisticRegression == learner)
        let text = String(decoding: json, as: UTF8.self)
        let forged = text.replacingOccurrences(
            of: "\"iterationsMax\":50", with: "\"iterationsMax\":0")
        #expect(forged != text)
        #expect(throws: ParameterError.self) {
            try JSONDecoder().decode(AnyLearner.self, from: Data(forged.utf8))
        }
        let ridge = try JSONEncoder().encode(AnyLearner(RidgeRegression(alpha: 3)))
        let sent = try JSONDecoder().decode(AnyLearner.self, from: ridge).learner
        #expect(try sent as? RidgeRegression == RidgeRegression(alpha: 3))
    }
}
