import DecisionForests
import Testing

/// The short form of `Benchmarks/accuracy.py`, which measures five data sets over twenty seeds.
@Suite("Forests are as good as scikit-learn's")
struct AccuracyTests {
    private struct Split: Decodable {
        let seed: UInt64
        let train: Int
        let score: Double
    }

    @Test(
        "On average over five seeds, within what so few rows can show",
        arguments: [("breast_cancer", "accuracy", 0.015), ("diabetes", "r2", 0.06)])
    func paired(name: String, metric: String, tolerance: Double) async throws {
        let folder = try ScratchFolder()
        let (csv, output) = (folder.file("data.csv"), folder.file("out"))
        let splits: [Split] = try await LearningPython.run(
            "forest.py", [name, csv, output] + (0..<5).map { "\($0)" }, output: output, in: folder)
        var loss = 0.0
        for split in splits {
            let data = try Dataset(csv: "\(csv).\(split.seed)", target: "y")
            let train = data.subset(rows: Array(0..<split.train))
            let holdout = data.subset(rows: Array(split.train..<data.rowCount))
            let learner: any EnsembleLearner =
                metric == "r2"
                ? try RandomForestRegressor(trees: 50, seed: split.seed)
                : try RandomForestClassifier(trees: 50, seed: split.seed)
            let evaluation = try learner.fit(train).evaluate(on: holdout)
            loss += try split.score - #require(evaluation[metric])
        }
        #expect(splits.count == 5)
        #expect(loss / 5 < tolerance)
    }
}
