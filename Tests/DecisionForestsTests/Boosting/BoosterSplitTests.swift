import DecisionForests
import Testing

@Suite("A boosted tree makes the splits that its rules say are best")
struct BoosterSplitTests {
    private func regressor(
        _ change: (inout [String: String]) -> Void = { _ in },
        objective: RegressionObjective = .squared
    ) throws -> GradientBoostingRegressor {
        var values = [
            "rounds": "1", "num_leaves": "2", "min_data_in_leaf": "1", "learning_rate": "1",
        ]
        change(&values)
        return try GradientBoostingRegressor(BoosterParameters(named: values), objective: objective)
    }

    private func data(
        _ columns: [[Float]], _ values: [Float], weights: [Float]? = nil
    ) throws -> Dataset {
        try Dataset(
            columns: columns, featureNames: columns.indices.map { "f\($0)" },
            target: .values(values), targetName: "y", weights: weights)
    }

    @Test("The first split is the one that an exhaustive search finds, with its leaf values")
    func firstSplit() throws {
        let dataset = try SampleData.regression(rows: 200)
        guard case .values(let targets) = dataset.target else { return }
        let model = try regressor {
            $0["lambda_l2"] = "1.5"; $0["min_data_in_leaf"] = "7"
        }
        .fit(dataset, threads: 1)
        let base = targets.reduce(0.0) { $0 + Double($1) } / 200
        var best = (gain: -1.0, feature: -1, left: 0.0, right: 0.0)
        for feature in 0..<dataset.featureCount {
            let order = (0..<200).sorted {
                dataset.columns[feature][$0] < dataset.columns[feature][$1]
            }
            for size in 7...193 {
                let (last, next) = (order[size - 1], order[size])
                guard dataset.columns[feature][last] < dataset.columns[feature][next] else {
                    continue
                }
                let left = order[..<size].reduce(0.0) { $0 + base - Double(targets[$1]) }
                let right = order[size...].reduce(0.0) { $0 + base - Double(targets[$1]) }
                let gain =
                    left * left / (Double(size) + 1.5) + right * right / (201.5 - Double(size))
                if gain > best.gain * (1 + 1e-9) {
                    best = (
                        gain, feature, -left / (Double(size) + 1.5), -right / (201.5 - Double(size))
                    )
                }
            }
        }
        let tree = try #require(model.ensemble.trees.first)
        #expect(tree.splitFeature[0] == Int32(best.feature))
        #expect(abs(Double(tree.leafValues[0]) - best.left) < 1e-4)
        #expect(abs(Double(tree.leafValues[1]) - best.right) < 1e-4)
    }

    @Test("Missing values go to the side that they resemble", arguments: [Float(0), 10])
    func missing(value: Float) throws {
        let column = (0..<60).map { $0 % 3 == 0 ? Float.nan : Float($0 % 3) }
        let targets = (0..<60).map { $0 % 3 == 0 ? value : ($0 % 3 == 1 ? Float(0) : 10) }
        let model = try regressor().fit(data([column], targets), threads: 1)
        let answers = try model.predict(FeatureMatrix(rows: [[.nan], [1], [2]])).scores
        #expect(abs(answers[0] - value) < 1e-3)
        #expect(abs(answers[1]) < 1e-3 && abs(answers[2] - 10) < 1e-3)
    }

    @Test("A feature that tells by being missing alone is split")
    func missingAlone() throws {
        let column = (0..<40).map { $0 < 15 ? Float.nan : 7 }
        let targets = (0..<40).map { $0 < 15 ? Float(3) : -3 }
        let model = try regressor().fit(data([column], targets), threads: 1)
        #expect(try model.predict(FeatureMatrix(rows: [[.nan], [7]])).scores == [3, -3])
    }

    @Test("Every leaf has the rows it must have")
    func minRows() throws {
        let dataset = try SampleData.withMissing()
        let model = try GradientBoostingClassifier(
            BoosterParameters(rounds: 20, leaves: 40, minRowsInLeaf: 13)
        ).fit(dataset, threads: 1)
        for tree in model.ensemble.trees {
            var counts = [Int](repeating: 0, count: tree.leafValues.count)
            for row in 0..<dataset.rowCount {
                var node = 0
                while tree.splitFeature[node] != Tree.leaf {
                    let value = dataset.columns[Int(tree.splitFeature[node])][row]
                    let isLeft =
                        value.isNaN ? tree.missingGoesLeft[node] : value <= tree.threshold[node]
                    node = Int(tree.leftChild[node]) + (isLeft ? 0 : 1)
                }
                counts[Int(tree.leftChild[node])] += 1
            }
            #expect(counts.allSatisfy { $0 >= 13 })
        }
    }

    @Test("Depth and leaves have bounds; level by level, a tree is as even as it can be")
    func bounds() throws {
        let dataset = try SampleData.regression()
        for growth in TreeGrowth.allCases {
            let model = try GradientBoostingRegressor(
                BoosterParameters(
                    rounds: 3, leaves: 6, maxDepth: 3, growth: growth, minRowsInLeaf: 2)
            ).fit(dataset, threads: 1)
            for tree in model.ensemble.trees {
                #expect(tree.leafValues.count == 6)
                var depths = [Int](repeating: 0, count: tree.nodeCount)
                for node in 0..<tree.nodeCount where tree.splitFeature[node] != Tree.leaf {
                    for child in 0..<2 {
                        depths[Int(tree.leftChild[node]) + child] = depths[node] + 1
                    }
                }
                let leafDepths = (0..<tree.nodeCount).filter { tree.splitFeature[$0] == Tree.leaf }
                    .map { depths[$0] }
                #expect(leafDepths.max() == 3)
                if growth == .depthWise { #expect(leafDepths.min() == 2) }
            }
        }
    }

    @Test(
        "Nodes of one depth share the features that were drawn for it, each of them some of these")
    func levels() throws {
        let data = try makeClassification(
            samples: 600, features: 9, informative: 9, redundant: 0, seed: 2)
        func features(perLevel: Double, perNode: Double) throws -> [[Int: Set<Int32>]] {
            let model = try GradientBoostingClassifier(
                BoosterParameters(
                    rounds: 8, leaves: 16, growth: .depthWise, minRowsInLeaf: 5,
                    featureShareByLevel: perLevel, featureShareByNode: perNode)
            ).fit(data, threads: 1)
            return model.ensemble.trees.map { tree in
                var depths = [Int](repeating: 0, count: tree.nodeCount)
                var used: [Int: Set<Int32>] = [:]
                for node in 0..<tree.nodeCount where tree.splitFeature[node] != Tree.leaf {
                    used[depths[node], default: []].insert(tree.splitFeature[node])
                    for child in 0...1 {
                        depths[Int(tree.leftChild[node]) + child] = depths[node] + 1
                    }
                }
                return used
            }
        }
        let levels = try features(perLevel: 0.25, perNode: 1)
        #expect(levels.allSatisfy { $0.values.allSatisfy { $0.count <= 2 } })
        #expect(Set(levels.compactMap { $0[2] }).count > 2)
        #expect(levels.contains { ($0[0] ?? []).isDisjoint(with: $0[1] ?? []) })
        let nodes = try features(perLevel: 0.34, perNode: 0.34)
        #expect(nodes.allSatisfy { $0.values.allSatisfy { $0.count <= 3 } })
        #expect(nodes.contains { ($0[3] ?? []).count > 1 })
    }

    @Test("Sets of categories are found, and unknown ones follow the right side")
    func categories() throws {
        let dataset = try BoosterData.categorical(rows: 1200)
        let model = try regressor {
            $0["cat_smooth"] = "1"
            $0["cat_l2"] = "0"
            $0["min_data_per_group"] = "1"
        }.fit(dataset, threads: 1)
        let tree = try #require(model.ensemble.trees.first)
        #expect(tree.splitFeature[0] == 0 && tree.categorySet[0] == 0)
        let answers = try model.predict(
            FeatureMatrix(rows: (0..<12).map { [Float($0), 0.5] })
        ).scores
        for colour in 0..<12 {
            #expect(abs(answers[colour] - (colour % 2 == 1 ? 4.5 : 0.5)) < 0.1)
        }
    }

    @Test("A monotone feature orders all answers", arguments: [1, -1])
    func monotone(direction: Int) throws {
        let dataset = try SampleData.regression(rows: 400)
        var directions = [Int](repeating: 0, count: 6)
        directions[0] = direction
        let model = try GradientBoostingRegressor(
            BoosterParameters(rounds: 30, leaves: 15, minRowsInLeaf: 3, monotone: directions)
        ).fit(dataset, threads: 2)
        for row in stride(from: 0, to: 400, by: 13) {
            var values = dataset.columns.map { $0[row] }
            var last = -Float.infinity * Float(direction)
            for step in -20...20 {
                values[0] = Float(step) / 5
                let answer = try model.predict(FeatureMatrix(rows: [values])).scores[0]
                #expect(direction > 0 ? answer >= last : answer <= last)
                last = answer
            }
        }
    }

    @Test("A row of weight 3 counts like three rows")
    func weights() throws {
        let whole = try SampleData.regression(rows: 90)
        guard case .values(let targets) = whole.target else { return }
        let order = (0..<90).flatMap { row in
            Array(repeating: row, count: row % 2 == 0 ? 3 : 1)
        }
        let repeated = whole.subset(rows: order)
        let weighted = try Dataset(
            columns: whole.columns, featureNames: whole.featureNames, target: .values(targets),
            targetName: "y", weights: (0..<90).map { $0 % 2 == 0 ? 3 : 1 })
        let learner = try GradientBoostingRegressor(
            BoosterParameters(rounds: 5, leaves: 5, minRowsInLeaf: 0, minHessianInLeaf: 5))
        let first = try learner.fit(repeated, threads: 1).predict(whole).scores
        let second = try learner.fit(weighted, threads: 1).predict(whole).scores
        for (one, other) in zip(first, second) { #expect(abs(one - other) < 1e-3) }
    }

    @Test("One outlier leaves the others their digits")
    func outlier() throws {
        let column = (0..<200).map { Float($0) }
        var targets = (0..<200).map { $0 < 100 ? Float(0) : 1 }
        targets[0] = 1e6
        // The first tree takes the outlier away; the second has all digits for the others.
        let model = try regressor { ($0["num_leaves"], $0["rounds"]) = ("3", "2") }.fit(
            data([column], targets), threads: 1)
        let answers = try model.predict(FeatureMatrix(rows: [[0], [50], [150]])).scores
        #expect(abs(answers[0] - 1e6) < 1)
        #expect(abs(answers[1]) < 0.05 && abs(answers[2] - 1) < 0.05)
    }
}
