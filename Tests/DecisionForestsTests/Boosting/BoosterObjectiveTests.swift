import DecisionForests
import Testing

@Suite("Each objective answers what it minimises")
struct BoosterObjectiveTests {
    private func answers(
        _ objective: RegressionObjective, values: [Float], rounds: Int = 40
    ) throws -> [Float] {
        // Two groups of rows that one feature tells apart.
        let column = values.indices.map { Float($0 % 2) }
        let data = try Dataset(
            columns: [column], featureNames: ["x"], target: .values(values), targetName: "y")
        let model = try GradientBoostingRegressor(
            BoosterParameters(rounds: rounds, learningRate: 0.5, leaves: 2, minRowsInLeaf: 1),
            objective: objective
        ).fit(data, threads: 1)
        return try model.predict(FeatureMatrix(rows: [[0], [1]])).scores
    }

    /// Group 0 holds 0 … 100, group 1 ten times that.
    private static let values: [Float] = (0..<202).map { Float($0 / 2) * ($0 % 2 == 0 ? 1 : 10) }

    @Test("The squared error answers means, also far from zero")
    func squared() throws {
        let found = try answers(.squared, values: Self.values.map { $0 + 1000 })
        #expect(abs(found[0] - 1050) < 0.1 && abs(found[1] - 1500) < 0.5)
    }

    @Test("The absolute error answers medians")
    func absolute() throws {
        var values = Self.values
        values[200] = 1e6
        let found = try answers(.absolute, values: values)
        #expect(abs(found[0] - 50) < 0.1 && abs(found[1] - 500) < 1)
    }

    @Test("The pinball loss answers quantiles", arguments: [0.1, 0.75])
    func quantile(share: Double) throws {
        let found = try answers(.quantile(share), values: Self.values)
        #expect(abs(Double(found[0]) - 100 * share) < 0.5)
        #expect(abs(Double(found[1]) - 1000 * share) < 5)
    }

    @Test("Huber's loss is not moved far by an outlier")
    func huber() throws {
        var values = Self.values
        values[200] = 1e6
        let found = try answers(.huber(width: 20), values: values, rounds: 300)
        #expect(abs(found[0] - 50) < 3)
    }

    @Test("The Poisson deviance answers the mean of counts")
    func poisson() throws {
        let found = try answers(.poisson, values: Self.values, rounds: 200)
        #expect(abs(found[0] - 50) < 0.5 && abs(found[1] - 500) < 5)
    }

    @Test("Negative counts are refused")
    func negativeCounts() throws {
        #expect(throws: TrainingError.negativeTargets(target: "y")) {
            try answers(.poisson, values: [1, -1, 2, 3])
        }
    }

    @Test("A closure with the squared error's derivatives gives the squared error's answers")
    func custom() throws {
        let data = try SampleData.regression()
        let learner = try GradientBoostingRegressor(
            BoosterParameters(named: [
                "rounds": "10", "boost_from_average": "false", "num_leaves": "7",
            ]))
        let own = try learner.fit(
            data, minimising: CustomObjective { ($0 - $1, 1) }, threads: 2
        ).predict(data).scores
        let builtIn = try learner.fit(data, threads: 1).predict(data).scores
        for (one, other) in zip(own, builtIn) { #expect(abs(one - other) < 0.02) }
    }

    @Test("A gradient that is no number ends the fit")
    func notFinite() throws {
        let learner = try GradientBoostingRegressor(BoosterParameters(rounds: 3))
        let data = try SampleData.regression()
        #expect(throws: TrainingError.gradientNotFinite(round: 1)) {
            try learner.fit(data, minimising: CustomObjective { _, _ in (.nan, 1) }, threads: 1)
        }
    }

    @Test("Balanced classes are answered evenly")
    func classWeights() throws {
        let labels = (0..<300).map { ClassLabel.integer($0 % 10 == 0 ? 1 : 0) }
        let data = try Dataset(
            features: FeatureMatrix(rows: (0..<300).map { [Float($0 % 2) * 0] }), labels: labels)
        let model = try GradientBoostingClassifier(
            BoosterParameters(rounds: 2), classWeight: .balanced
        ).fit(data, threads: 1)
        let share = try model.predict(FeatureMatrix(rows: [[0]])).scores[1]
        #expect(abs(share - 0.5) < 1e-4)
        let plain = try GradientBoostingClassifier(BoosterParameters(rounds: 2)).fit(
            data, threads: 1)
        #expect(try abs(plain.predict(FeatureMatrix(rows: [[0]])).scores[1] - 0.1) < 1e-4)
    }

    @Test("Early stopping keeps the rounds that judged best, and tells each round's figure")
    func earlyStopping() throws {
        let whole = try makeClassification(
            samples: 500, features: 8, informative: 3, flipY: 0.3, seed: 6)
        let (train, holdout) = (
            whole.subset(rows: Array(0..<250)), whole.subset(rows: Array(250..<500))
        )
        let figures = Figures()
        let model = try GradientBoostingClassifier(
            BoosterParameters(rounds: 200, learningRate: 0.3, earlyStoppingRounds: 5)
        ).fit(train, validation: holdout, threads: 1, observer: { figures.append($0) })
        let values = figures.all.compactMap { $0.metrics.first?.value }
        let best = try #require(values.min())
        let rounds = model.ensemble.trees.count
        #expect(values[rounds - 1] == best && values.count == rounds + 5)
        #expect(figures.all.first?.metrics.first?.name == "valid_log_loss")
        let judged = try #require(model.evaluate(on: holdout)["log_loss"])
        #expect(abs(judged - best) < 1e-5)
    }

    @Test("Training rows are judged each round where asked, and now and then where nobody else is")
    func trainingFigures() throws {
        let (train, holdout) = try SampleData.regression().split(holdout: 0.3, seed: 1)
        func told(_ judges: Bool, _ validation: Dataset?) throws -> (Figures, TrainedModel) {
            let figures = Figures()
            let model = try GradientBoostingRegressor(
                BoosterParameters(rounds: 50, leaves: 4, judgesTraining: judges)
            ).fit(train, validation: validation, threads: 2, observer: { figures.append($0) })
            return (figures, model)
        }
        let (both, model) = try told(true, holdout)
        #expect(both.all.allSatisfy { $0.metrics.map(\.name) == ["train_rmse", "valid_rmse"] })
        let last = try #require(both.all.last?.metrics)
        for (metric, rows) in zip(last, [train, holdout]) {
            let judged = try #require(model.evaluate(on: rows)["rmse"])
            #expect(abs(judged - metric.value) < 1e-5)
        }
        let (alone, same) = try told(false, nil)
        #expect(same == model)
        let values = alone.all.flatMap(\.metrics)
        #expect(values.count == 25 && values.allSatisfy { $0.name == "train_rmse" })
        #expect(values.last == last.first && alone.all.last?.metrics.isEmpty == false)
        #expect(try told(false, holdout).0.all.allSatisfy { $0.metrics.count == 1 })
        #expect(try told(true, nil).0.all.allSatisfy { $0.metrics.count == 1 })
    }

    @Test("Early stopping without rows to judge by is refused")
    func noValidation() throws {
        let learner = try GradientBoostingClassifier(BoosterParameters(earlyStoppingRounds: 5))
        let data = try SampleData.withMissing()
        #expect(throws: TrainingError.noValidationRows) { try learner.fit(data, threads: 1) }
    }
}

/// What an observer was told.
private final class Figures: @unchecked Sendable {
    private(set) var all: [FitProgress] = []

    /// Called by one thread, that of the fit.
    func append(_ progress: FitProgress) { all.append(progress) }
}
