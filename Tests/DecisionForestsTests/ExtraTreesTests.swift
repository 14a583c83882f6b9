import DecisionForests
import Foundation
import Testing

@Suite("Extra-trees divide at random places")
struct ExtraTreesTests {
    @Test("A threshold is uniform between the node's least and greatest value")
    func uniform() throws {
        // Two rows per class and only the place in between decides nothing: all cuts are pure.
        let data = try SampleData.columns([[0, 0, 100, 100]], classes: [0, 0, 1, 1])
        let trees = try ExtraTreesClassifier(trees: 400).grow(trees: 0..<400, on: data)
        let thresholds = trees.map { Double($0.threshold[0]) }
        #expect(trees.allSatisfy { $0.nodeCount == 3 })
        #expect(thresholds.allSatisfy { $0 >= 0 && $0 < 100 })
        #expect(abs(thresholds.reduce(0, +) / 400 - 50) < 5)
        #expect(thresholds.filter { $0 < 25 }.count > 70)
        #expect(Set(thresholds).count > 390)
    }

    @Test("Values are parted as often as their distance says")
    func distances() throws {
        let data = try SampleData.columns([[0, 1, 10]], classes: [0, 1, 2])
        let trees = try ExtraTreesClassifier(trees: 1_000).grow(trees: 0..<1_000, on: data)
        let low = trees.count { $0.threshold[0] < 1 }
        #expect(low > 60 && low < 145)
    }

    @Test("What a tree claims to gain, with missing values, its rows show")
    func gains() throws {
        let data = try SampleData.withMissing()
        for criterion in ClassificationCriterion.allCases {
            let oracle: ForestOracle =
                criterion == .gini ? .gini(data) : .entropy(data)
            let trees = try ExtraTreesClassifier(
                trees: 5, minSamplesLeaf: 3, criterion: criterion, seed: 3
            ).grow(trees: 0..<5, on: data)
            for tree in trees {
                for (claimed, found) in zip(tree.splitGains, oracle.decreases(of: tree)) {
                    #expect(abs(Double(claimed) * 300 - found) < 1e-3)
                }
                let sizes = oracle.rows(of: tree).map(\.count)
                #expect(sizes.allSatisfy { $0 >= 3 })
            }
        }
        let numbers = try SampleData.regression()
        let oracle = ForestOracle.variance(numbers)
        let tree = try ExtraTreesRegressor(trees: 1).grow(trees: 0..<1, on: numbers)[0]
        for (claimed, found) in zip(tree.splitGains, oracle.decreases(of: tree)) {
            #expect(abs(Double(claimed) * 300 - found) < 1e-2)
        }
    }

    @Test("A column of missing values and one value still divides")
    func missingOnly() throws {
        let data = try SampleData.columns([[.nan, .nan, 3, 3]], classes: [0, 0, 1, 1])
        let tree = try ExtraTreesClassifier(trees: 1).grow(trees: 0..<1, on: data)[0]
        #expect(tree.nodeCount == 3)
        #expect(tree.threshold[0] == .greatestFiniteMagnitude && !tree.missingGoesLeft[0])
    }

    @Test("They fit their own rows and are sent like any learner")
    func whole() throws {
        let data = try SampleData.withMissing()
        let learner = try ExtraTreesClassifier(trees: 20, maxDepth: 40, seed: 5)
        #expect(try learner.fit(data).evaluate(on: data)["accuracy"] == 1)
        #expect("\(learner)" == "ExtraTrees(n_estimators=20, max_depth=40, max_features=sqrt)")
        #expect(learner.parameters.contains(.init("bootstrap", "False")))
        let json = try JSONEncoder().encode(AnyLearner(learner))
        let back = try JSONDecoder().decode(AnyLearner.self, from: json).learner
        #expect(back as? ExtraTreesClassifier == learner)
        let numbers = try SampleData.regression()
        let model = try ExtraTreesRegressor(trees: 20).fit(numbers)
        #expect(try (model.evaluate(on: numbers)["r2"] ?? 0) > 0.999)
    }
}
