import DecisionForests
import Testing

@Suite("Importances and the out-of-bag score say what the trees did")
struct ForestImportanceTests {
    @Test("Gain importances are the mean decrease of impurity")
    func gains() throws {
        let data = try SampleData.withMissing()
        let learner = try RandomForestClassifier(trees: 6, bootstrap: false, seed: 2)
        let oracle = ForestOracle.gini(data)
        var expected = [Double](repeating: 0, count: data.featureCount)
        for tree in try learner.grow(trees: 0..<6, on: data) {
            let decreases = oracle.decreases(of: tree)
            let sum = decreases.reduce(0, +)
            for (feature, decrease) in zip(tree.splitFeature, decreases) where feature >= 0 {
                expected[Int(feature)] += decrease / sum / 6
            }
        }
        let model = try learner.fit(data)
        #expect(model.gainImportances.count == data.featureCount)
        for (found, expected) in zip(model.gainImportances, expected) {
            #expect(abs(found - expected) < 1e-6)
        }
        #expect(abs(model.gainImportances.reduce(0, +) - 1) < 1e-12)
        #expect(model.ensemble.trees.allSatisfy { $0.splitGains.isEmpty })
        let constant = try learner.fit(SampleData.columns([[1, 1], [2, 2]], classes: [0, 1]))
        #expect(constant.gainImportances == [0, 0])
    }

    /// The class shares of each row by the trees that did not draw it, from the definition.
    private func expectedShares(
        _ learner: RandomForestClassifier, _ data: Dataset, drawCount: Int
    ) throws -> [Float] {
        let trees = try learner.grow(trees: 0..<learner.treeCount, on: data)
        var sums = [Double](repeating: 0, count: 2 * data.rowCount)
        var counts = [Double](repeating: 0, count: data.rowCount)
        for (number, tree) in trees.enumerated() {
            let chance = Chance(seed: learner.binningSeed).child(UInt64(number))
                .child(0x726F_7773)
            var drawn: Set<Int> = []
            for turn in 0..<drawCount {
                drawn.insert(chance.index(below: data.rowCount, UInt64(turn)))
            }
            let rows = ForestOracle.gini(data).rows(of: tree)
            for node in 0..<tree.nodeCount where tree.splitFeature[node] == Tree.leaf {
                let leaf = Int(tree.leftChild[node])
                for row in rows[node] where !drawn.contains(row) {
                    counts[row] += 1
                    sums[2 * row] += Double(tree.leafValues[2 * leaf])
                    sums[2 * row + 1] += Double(tree.leafValues[2 * leaf + 1])
                }
            }
        }
        return sums.indices.map { counts[$0 / 2] == 0 ? .nan : Float(sums[$0] / counts[$0 / 2]) }
    }

    @Test("Out-of-bag answers come from the trees that did not see the row", arguments: [1, 3])
    func outOfBag(threads: Int) throws {
        let data = try SampleData.withMissing()
        let learner = try RandomForestClassifier(trees: 7, maxSamples: .share(0.8), seed: 6)
        let estimate = try learner.outOfBag(
            learner.fit(data), trainedOn: data, threads: threads)
        let expected = try expectedShares(learner, data, drawCount: 240)
        #expect(estimate.outputCount == 2)
        for (found, expected) in zip(estimate.decisions, expected) {
            #expect(found.isNaN ? expected.isNaN : abs(found - expected) < 1e-6)
        }
        guard case .classes(_, let truth) = data.target else { return }
        let covered = (0..<300).filter { !expected[2 * $0].isNaN }
        let right = covered.count { (expected[2 * $0 + 1] > expected[2 * $0]) == (truth[$0] == 1) }
        #expect(estimate.coveredRowCount == covered.count && covered.count > 250)
        let score = try #require(estimate.score)
        #expect(abs(score - Double(right) / Double(covered.count)) < 0.02)
    }

    @Test("Out-of-bag R² is near the holdout's, and what cannot be judged is refused")
    func outOfBagNumbers() throws {
        let whole = try SampleData.regression(rows: 900)
        let train = whole.subset(rows: Array(0..<600))
        let holdout = whole.subset(rows: Array(600..<900))
        let learner = try RandomForestRegressor(trees: 60, seed: 1)
        let model = try learner.fit(train)
        let score = try #require(try learner.outOfBag(model, trainedOn: train).score)
        let held = try #require(try model.evaluate(on: holdout)["r2"])
        #expect(abs(score - held) < 0.05)
        #expect(throws: DatasetError.self) { try learner.outOfBag(model, trainedOn: holdout) }
        let all = try RandomForestRegressor(trees: 2, bootstrap: false)
        #expect(throws: ParameterError.self) {
            try all.outOfBag(all.fit(train), trainedOn: train)
        }
    }

    @Test("A feature that decides is important, one that tells nothing is not")
    func permutation() throws {
        let whole = try makeClassification(
            samples: 600, features: 2, informative: 2, redundant: 0, seed: 7)
        let noise = (0..<600).map { Float(($0 * 7_919) % 601) }
        let data = try Dataset(
            columns: whole.columns + [noise], featureNames: whole.featureNames + ["noise"],
            target: whole.target, targetName: "y")
        let model = try RandomForestClassifier(trees: 30).fit(
            data.subset(rows: Array(0..<400)))
        let holdout = data.subset(rows: Array(400..<600))
        let first = try PermutationImportance(of: model, on: holdout, seed: 3, threads: 1)
        let second = try PermutationImportance(of: model, on: holdout, seed: 3, threads: 3)
        #expect(first == second)
        #expect(first.metric == "accuracy" && first.means.count == 3)
        #expect(first.means[0] + first.means[1] > 0.2 && abs(first.means[2]) < 0.05)
        let loss = try PermutationImportance(of: model, on: holdout, metric: "log_loss", seed: 3)
        #expect(loss.means[0] + loss.means[1] > 0.2)
        #expect(throws: ParameterError.self) {
            try PermutationImportance(of: model, on: holdout, metric: "rmse")
        }
    }
}
