import Testing

@testable import DecisionForests

@Suite("Contributions are the Shapley values of the path-dependent game")
struct TreeExplainerTests {
    private func largest(_ values: [Double]) -> Double { values.map { abs($0) }.max() ?? 0 }

    @Test("They are those of the definition", arguments: ExplainedModels.all)
    func definition(_ example: ExplainedModels.Example) throws {
        let ensemble = try example.make().ensemble
        let (explainer, oracle) = (try TreeExplainer(ensemble), ShapOracle(ensemble: ensemble))
        let rows = try example.rows(9)
        let found = try explainer.contributions(of: rows)
        let none = oracle.value([Float](repeating: 0, count: rows.featureCount), known: 0)
        for (expected, mine) in zip(none, explainer.expectedValues) {
            #expect(abs(expected - mine) < 1e-12 * max(1, abs(expected)))
        }
        var sum = 0.0
        for row in 0..<rows.rowCount {
            let values = (0..<rows.featureCount).map { rows[row, $0] }
            let expected = oracle.contributions(values)
            let width = expected.count
            let mine = Array(found.values[row * width..<(row + 1) * width])
            for (one, other) in zip(mine, expected) {
                #expect(abs(one - other) < 1e-12 * max(1, largest(expected)), "row \(row)")
                sum += abs(other)
            }
            for (output, score) in oracle.scores(values).enumerated() {
                #expect(abs(found.score(ofRow: row, output: output) - score) < 1e-12)
            }
        }
        #expect(sum > 0.1)
    }

    @Test("With the expected value they sum to the score", arguments: [3, 60])
    func additivity(leaves: Int) throws {
        let data = try makeClassification(
            samples: 1_500, features: 20, informative: 12, seed: 6)
        let model = try GradientBoostingClassifier(ExplainedModels.boosted(40, leaves: leaves))
            .fit(data)
        let rows = data.subset(rows: Array(0..<200)).features
        let found = try TreeExplainer(model.ensemble).contributions(of: rows, threads: 2)
        for row in 0..<rows.rowCount {
            var score = Double(model.ensemble.baseScores[0])
            for tree in model.ensemble.trees {
                var node = 0
                while tree.splitFeature[node] != Tree.leaf {
                    let value = rows[row, Int(tree.splitFeature[node])]
                    node =
                        Int(tree.leftChild[node])
                        + (ShapOracle.goesLeft(value, tree, node) ? 0 : 1)
                }
                score += Double(tree.leafValues[Int(tree.leftChild[node])])
            }
            #expect(abs(found.score(ofRow: row, output: 0) - score) < 1e-9 * max(1, abs(score)))
        }
    }

    @Test("A row has the same bytes alone, in a batch, on threads, with every build")
    func bytes() throws {
        for example in ExplainedModels.all {
            let ensemble = try example.make().ensemble
            let rows = try example.rows(150)
            let all = try TreeExplainer(ensemble, kernels: .baseline).contributions(of: rows)
            for choice in KernelChoice.available {
                let explainer = try TreeExplainer(ensemble, kernels: choice)
                for threads in [1, 2, 3, 7] {
                    #expect(try explainer.contributions(of: rows, threads: threads) == all)
                }
                for row in stride(from: 0, to: rows.rowCount, by: 13) {
                    let one = try FeatureMatrix(
                        values: (0..<rows.featureCount).map { rows[row, $0] },
                        featureCount: rows.featureCount)
                    let width = all.outputCount * all.featureCount
                    #expect(
                        try explainer.contributions(of: one).values
                            == Array(all.values[row * width..<(row + 1) * width]))
                }
            }
        }
    }

    /// A path that tests `count` features, one after the other, the first `repeated` of them again.
    private func chain(_ count: Int, repeated: Int) -> TreeEnsemble {
        var draws = Draws(seed: 11)
        let tests = Array(0..<count) + Array(0..<repeated)
        var tree = Tree(
            splitFeature: [-1], threshold: [0], missingGoesLeft: [false], leftChild: [0],
            leafValues: [], cover: [1_000])
        var node = 0
        for (number, feature) in tests.enumerated() {
            let goesOnLeft = draws.below(2) == 0
            let (child, cover) = (tree.nodeCount, tree.cover[node])
            let stays = (cover * Float(draws.below(90) + 5) / 100).rounded()
            tree.splitFeature[node] = Int32(feature)
            tree.threshold[node] = number < count ? 0.5 : Float(draws.below(100)) / 100
            tree.missingGoesLeft[node] = draws.below(2) == 0
            tree.leftChild[node] = Int32(child)
            let isLast = number == tests.count - 1
            for side in 0..<2 {
                let isEnd = (side == 0) != goesOnLeft
                tree.splitFeature.append(-1)
                tree.threshold.append(0)
                tree.missingGoesLeft.append(false)
                tree.leftChild.append(isEnd || isLast ? Int32(tree.leafValues.count) : 0)
                tree.cover.append(isEnd ? stays : cover - stays)
                if isEnd || isLast { tree.leafValues.append(Float(draws.below(200)) / 10 - 10) }
            }
            node = child + (goesOnLeft ? 0 : 1)
        }
        return TreeEnsemble(
            featureCount: count, outputCount: 1, trees: [tree], aggregation: .sum)
    }

    @Test("Long paths and features that are tested again", arguments: [(7, 7), (12, 4), (17, 2)])
    func longPaths(count: Int, repeated: Int) throws {
        let ensemble = chain(count, repeated: repeated)
        let (explainer, oracle) = (try TreeExplainer(ensemble), ShapOracle(ensemble: ensemble))
        var draws = Draws(seed: 2)
        for _ in 0..<(count > 13 ? 1 : 2) {
            let row = (0..<count).map { _ in Float(draws.below(100)) / 100 }
            let found = try explainer.contributions(of: FeatureMatrix(rows: [row]))
            let expected = oracle.contributions(row)
            for (one, other) in zip(found.values, expected) {
                #expect(abs(one - other) < 1e-12 * largest(expected))
            }
        }
    }

    @Test("Very long paths stay additive", arguments: [100, 700])
    func veryLongPaths(count: Int) throws {
        let ensemble = chain(count, repeated: count)
        let explainer = try TreeExplainer(ensemble)
        var draws = Draws(seed: 3)
        let row = (0..<count).map { _ in Float(draws.below(100)) / 100 }
        let found = try explainer.contributions(of: FeatureMatrix(rows: [row]))
        let tree = ensemble.trees[0]
        var node = 0
        while tree.splitFeature[node] != Tree.leaf {
            let left = ShapOracle.goesLeft(row[Int(tree.splitFeature[node])], tree, node)
            node = Int(tree.leftChild[node]) + (left ? 0 : 1)
        }
        let score = Double(tree.leafValues[Int(tree.leftChild[node])])
        #expect(abs(found.score(ofRow: 0, output: 0) - score) < 1e-9)
    }

    @Test("Nodes that no training row reached count as halves, leaves alone add nothing")
    func edges() throws {
        var ensemble = chain(4, repeated: 2)
        var tree = ensemble.trees[0]
        for node in 3..<tree.nodeCount { tree.cover[node] = 0 }
        ensemble = TreeEnsemble(
            featureCount: 4, outputCount: 1, trees: [tree], aggregation: .sum)
        let row: [Float] = [0.2, 0.9, .nan, 0.4]
        let found = try TreeExplainer(ensemble).contributions(of: FeatureMatrix(rows: [row]))
        for (one, other) in zip(found.values, ShapOracle(ensemble: ensemble).contributions(row)) {
            #expect(abs(one - other) < 1e-12)
        }
        let leaf = Tree(
            splitFeature: [-1], threshold: [0], missingGoesLeft: [false], leftChild: [0],
            leafValues: [3], cover: [10])
        let constant = TreeEnsemble(
            featureCount: 2, outputCount: 1, trees: [leaf], aggregation: .sum, baseScores: [1])
        let explainer = try TreeExplainer(constant)
        #expect(explainer.expectedValues == [4])
        #expect(try explainer.contributions(of: FeatureMatrix(rows: [[1, 2]])).values == [0, 0])
        let nobody = try FeatureMatrix(values: [], featureCount: 2)
        #expect(try explainer.contributions(of: nobody, threads: 3).values.isEmpty)
        #expect(try explainer.contributions(of: nobody).meanAbsolute == [0, 0])
    }

    @Test("What cannot be explained is refused by name")
    func refusals() throws {
        let data = try SampleData.withMissing()
        let oblique = try ObliqueForestClassifier(trees: 1, seed: 2).fit(data)
        #expect(throws: ExplanationError.weightedSum(tree: 0, node: 0)) {
            try TreeExplainer(oblique.ensemble)
        }
        var tree = chain(3, repeated: 0).trees[0]
        func explainer(_ tree: Tree) throws -> TreeExplainer {
            try TreeExplainer(
                TreeEnsemble(featureCount: 3, outputCount: 1, trees: [tree], aggregation: .sum))
        }
        let wide = try FeatureMatrix(rows: [[1, 2, 3, 4]])
        #expect(throws: ExplanationError.self) { try explainer(tree).contributions(of: wide) }
        let cover = tree.cover
        tree.cover = []
        #expect(throws: ExplanationError.noCovers(tree: 0)) { try explainer(tree) }
        tree.cover = cover
        // Both children of the root lead to the same two nodes.
        tree.splitFeature = [0, 1, 1, -1, -1]
        tree.leftChild = [1, 3, 3, 0, 1]
        tree.threshold = [0, 0, 0, 0, 0]
        tree.missingGoesLeft = [true, true, true, true, true]
        tree.cover = [4, 2, 2, 1, 1]
        #expect(
            throws: ExplanationError.damaged(
                EnsembleError(tree: 0, node: 3, problem: "it does not have one parent"))
        ) { try explainer(tree) }
        #expect(throws: ExplanationError.self) {
            try TreeExplainer(chain(TreeExplainer.pathMax, repeated: 0))
        }
    }

    @Test("A linear model's are distances from the means; levels count as one feature")
    func linear() throws {
        let data = try ExplainedModels.categories()
        let model = try LogisticRegression().fit(data)
        let ensemble = model.ensemble
        let (explainer, oracle) = (try TreeExplainer(ensemble), ShapOracle(ensemble: ensemble))
        let found = try explainer.contributions(of: data.features)
        let coefficients = try #require(ensemble.linear).coefficients
        var sums = [Double](repeating: 0, count: 4)
        for row in 0..<data.rowCount {
            let values = (0..<4).map { data.features[row, $0] }
            let ofTrees = oracle.contributions(values)
            for feature in 0..<4 {
                let mean = ensemble.imputations[feature]
                let distance = values[feature].isNaN ? 0 : Double(values[feature]) - Double(mean)
                let expected =
                    ofTrees[feature]
                    + (coefficients[feature] == 0 ? 0 : coefficients[feature] * distance)
                #expect(abs(found[row, 0, feature] - expected) < 1e-12)
                sums[feature] += expected
            }
        }
        // Around the mean of the training rows, so they cancel out: the means are float32.
        for sum in sums { #expect(abs(sum) < 1e-3 * Double(data.rowCount)) }
    }

    @Test("Mean absolute contributions")
    func global() {
        let values = ShapValues(
            rowCount: 2, outputCount: 1, featureCount: 2, expectedValues: [1],
            values: [1, -2, -3, 0])
        #expect(values.meanAbsolute == [2, 1])
        #expect(values.score(ofRow: 1, output: 0) == -2)
        #expect(values[0, 0, 1] == -2)
    }
}

@Suite("Gauss and Legendre's quadrature")
struct GaussLegendreTests {
    @Test("It is exact for powers up to 2n − 1", arguments: [1, 2, 3, 8, 16, 33, 128, 1_024])
    func exactness(count: Int) {
        let rule = GaussLegendre(count: count)
        #expect(rule.places.allSatisfy { $0 > 0 && $0 < 1 })
        #expect(zip(rule.places, rule.places.dropFirst()).allSatisfy { $0 < $1 })
        for power in Set([0, 1, 2, count, 2 * count - 1]) where power < 2 * count {
            let sum = zip(rule.places, rule.weights).reduce(0.0) { sum, point in
                var value = point.1
                for _ in 0..<power { value *= point.0 }
                return sum + value
            }
            #expect(abs(sum * Double(power + 1) - 1) < 1e-12)
        }
        for (place, rest) in zip(rule.places, rule.rests) { #expect(abs(place + rest - 1) < 1e-15) }
    }
}
