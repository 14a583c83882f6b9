import DecisionForests
import Testing

@Suite("Metrics are scikit-learn's")
struct EvaluationTests {
    @Test("For random answers with ties, weights, absent classes and constants")
    func random() async throws {
        var cases: [MetricsCase] = []
        for seed in UInt64(0)..<8 {
            for classes in [2, 3, 5] {
                cases.append(try .classes(classes, levels: seed % 2 == 0 ? 7 : 0, seed: seed))
            }
            cases.append(try .numbers(isCount: seed % 2 == 0, seed: seed))
        }
        cases += try [
            .classes(2, levels: 3, absent: 0, seed: 20),
            .classes(2, levels: 3, absent: 1, seed: 21),
            .classes(4, levels: 0, absent: 2, seed: 22), .classes(2, levels: 1, seed: 23),
            .classes(3, levels: 1, seed: 24), .classes(3, levels: 2, rows: 1, seed: 25),
            .numbers(isCount: true, constantAnswer: 2.5, seed: 26),
            .numbers(isCount: false, constantAnswer: -1, seed: 27),
            .numbers(isCount: true, constantTruth: 3, seed: 28),
            .numbers(isCount: true, constantAnswer: 3, constantTruth: 3, seed: 29),
        ]
        cases += try (0..<cases.count).map { try cases[$0].weighted(seed: UInt64($0)) }
        let figures = try await MetricsCase.theirs(cases)
        #expect(figures.count == cases.count)
        for (number, pair) in zip(cases, figures).enumerated() {
            try pair.0.compare(pair.0.ours(), with: pair.1, "case \(number)")
        }
    }

    @Test("Of a forest's answers", arguments: [2, 4])
    func forest(classes: Int) async throws {
        let data = try makeClassification(
            samples: 300, informative: 4, classes: classes, clustersPerClass: 1, flipY: 0.2,
            seed: 8)
        let (train, holdout) = data.split(holdout: 0.4, seed: 1)
        // Few trees: many equal scores, and probabilities of 0 and 1.
        let model = try RandomForestClassifier(trees: 4, seed: 3).fit(train)
        let given = MetricsCase(predictions: try model.predict(holdout), data: holdout)
        let theirs = try await MetricsCase.theirs([given])
        try given.compare(model.evaluate(on: holdout), with: theirs[0], "forest")
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
        // (0 + 0 + (0² + 1² + 1²)) / 3: the forest is sure of each.
        #expect(evaluation["brier"] == 2.0 / 3)
    }

    @Test("A class that no row of a part has does not spoil the part's figures")
    func labelsOfTheWhole() throws {
        let whole = try SampleData.columns([[1, 2, 3, 4, 5]], classes: [0, 0, 1, 1, 2])
        let part = whole.subset(rows: [0, 1, 2, 3])
        let known = try SampleData.columns([[1, 2, 3, 4]], classes: [0, 0, 1, 1])
        let model = try RandomForestClassifier(trees: 3, bootstrap: false).fit(known)
        let evaluation = try model.evaluate(on: part)
        #expect(evaluation.classes == [.integer(0), .integer(1)])
        #expect(evaluation["roc_auc"] == 1)
        #expect(evaluation["f1"] == 1)
    }

    @Test("One class has no curve, one row no explained variance")
    func undefined() throws {
        let model = try RandomForestClassifier(trees: 2).fit(
            SampleData.columns([[1, 2, 3, 4]], classes: [0, 0, 1, 1]))
        let one = try SampleData.columns([[1, 2]], classes: [0, 0])
        #expect(try model.evaluate(on: one)["roc_auc"] == nil)
        #expect(try model.evaluate(on: one)["pr_auc"] == nil)
        let regressor = try RandomForestRegressor(trees: 2).fit(SampleData.regression(rows: 30))
        let row = try SampleData.regression(rows: 30).subset(rows: [3])
        #expect(try regressor.evaluate(on: row)["r2"] == nil)
        #expect(try regressor.evaluate(on: row)["mae"]?.isFinite == true)
        #expect(throws: TrainingError.noRows) { try regressor.evaluate(on: row.subset(rows: [])) }
    }

    @Test("What cannot be judged is refused")
    func refused() throws {
        let data = try SampleData.regression(rows: 30)
        let model = try RandomForestRegressor(trees: 2).fit(data)
        #expect(throws: ParameterError.self) { try model.evaluate(on: data, quantiles: [1]) }
        #expect(throws: ParameterError.self) { try model.evaluate(on: data, quantiles: [.nan]) }
        let twice = try model.evaluate(on: data, quantiles: [0.5, 0.5])
        let (pinball, mae) = try (#require(twice["pinball_0.5"]), #require(twice["mae"]))
        #expect(abs(pinball * 2 - mae) < 1e-12)
        let answers = try model.predict(data)
        #expect(throws: DatasetError.self) {
            try Evaluation(of: answers, on: data.subset(rows: [1]))
        }
        let weightless = try Dataset(
            columns: data.columns, featureNames: data.featureNames, target: data.target,
            targetName: data.targetName, weights: [Float](repeating: 0, count: 30))
        #expect(throws: TrainingError.noWeight) { try Evaluation(of: answers, on: weightless) }
    }

    @Test("An infinite answer leaves out what it spoils")
    func infinite() throws {
        let data = try SampleData.columns([[1, 2]], classes: [0, 1])
        let numbers = try Dataset(features: data.features, values: [1, 2])
        let answers = Predictions(task: .regression, scores: [1, .infinity], outputCount: 1)
        #expect(try Evaluation(of: answers, on: numbers).metrics.isEmpty)
        let shares = Predictions(
            task: .classification(classes: [.integer(0), .integer(1)]),
            scores: [.nan, .nan, 0, 1], outputCount: 2)
        #expect(try Evaluation(of: shares, on: data)["accuracy"] == 1)
    }
}
