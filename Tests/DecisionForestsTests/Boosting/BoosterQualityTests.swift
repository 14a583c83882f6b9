import DecisionForests
import Testing

/// The short form of `script/bench train quality`, which measures many data sets.
@Suite("Boosted models are as good as scikit-learn's")
struct BoosterQualityTests {
    private struct Split: Decodable {
        let seed: UInt64
        let train: Int
        let logLoss: Double
        let rmse: Double
    }

    /// One column is the target, the other is left out.
    private func dataset(_ path: String, target: String) throws -> Dataset {
        let whole = try Dataset(
            csv: path, target: target, task: target == "label" ? .classification : .regression)
        let kept = whole.featureNames.indices.filter { whole.featureNames[$0].hasPrefix("f") }
        return try Dataset(
            columns: kept.map { whole.columns[$0] },
            featureNames: kept.map { whole.featureNames[$0] },
            target: whole.target, targetName: target)
    }

    @Test("On average over four seeds, within what so few rows can show")
    func paired() async throws {
        let folder = try ScratchFolder()
        let (csv, output) = (folder.file("data.csv"), folder.file("out"))
        let splits: [Split] = try await LearningPython.run(
            "boosting.py", [csv, output] + (0..<4).map { "\($0)" }, output: output, in: folder)
        var (logLoss, rmse) = (0.0, 0.0)
        for split in splits {
            let boosting = try BoosterParameters(
                rounds: 60, leaves: 15, lambdaL2: 1, seed: split.seed)
            for target in ["label", "value"] {
                let data = try dataset("\(csv).\(split.seed)", target: target)
                let train = data.subset(rows: Array(0..<split.train))
                let holdout = data.subset(rows: Array(split.train..<data.rowCount))
                let learner: any Learner =
                    target == "label"
                    ? try GradientBoostingClassifier(boosting)
                    : try GradientBoostingRegressor(boosting)
                let evaluation = try learner.fit(train, threads: 2).evaluate(on: holdout)
                if target == "label" {
                    logLoss += try #require(evaluation["log_loss"]) / split.logLoss
                } else {
                    rmse += try #require(evaluation["rmse"]) / split.rmse
                }
            }
        }
        #expect(splits.count == 4)
        #expect(logLoss / 4 < 1.01)
        #expect(rmse / 4 < 1.01)
    }
}
