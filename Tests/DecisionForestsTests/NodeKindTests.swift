import Foundation
import Testing

@testable import DecisionForests

@Suite("What a node may test: numbers, categories, weighted sums; and what stands beside trees")
struct NodeKindTests {
    /// One node over feature 0; left gives 1, right gives 2.
    private func stump(
        feature: Int32 = 0, threshold: Float = 0, missingGoesLeft: Bool = false,
        set: [Int]? = nil, projections: Projections = .none
    ) -> Tree {
        var tree = Tree(
            splitFeature: [feature, -1, -1], threshold: [threshold, 0, 0],
            missingGoesLeft: [missingGoesLeft, false, false], leftChild: [1, 0, 1],
            leafValues: [1, 2], projections: projections)
        if let set {
            tree.categorySet = [tree.categorySets.append(set), -1, -1]
        }
        return tree
    }

    private func answers(
        of tree: Tree, to values: [Float], imputations: [Float] = []
    ) throws -> [Float] {
        let ensemble = TreeEnsemble(
            featureCount: 1, outputCount: 1, trees: [tree], aggregation: .sum,
            imputations: imputations)
        return try Predictor(ensemble).predict(FeatureMatrix(values: values, featureCount: 1))
    }

    @Test("A number at the threshold goes left, zeros are equal, NaN follows its flag")
    func numbers() throws {
        let values: [Float] = [0, -0.0, Float(0).nextUp, .infinity, -.infinity, .nan]
        #expect(try answers(of: stump(), to: values) == [1, 1, 2, 2, 1, 2])
        #expect(try answers(of: stump(missingGoesLeft: true), to: values) == [1, 1, 2, 2, 1, 1])
    }

    @Test("Members of the set go left, other codes right, what is no code as if it were missing")
    func categories() throws {
        let tree = stump(set: [0, 3, 40])
        // 41 … 63 are in the map and not in the set; 64 is beyond the map.
        let values: [Float] = [0, 1, 3, 40, 41, 63, -0.0]
        #expect(try answers(of: tree, to: values) == [1, 2, 1, 1, 2, 2, 1])
        let strange: [Float] = [64, 1e9, -1, -0.5, .infinity, -.infinity, .nan, -.nan]
        #expect(try answers(of: tree, to: strange) == Array(repeating: 2, count: 8))
        let left = stump(missingGoesLeft: true, set: [0, 3, 40])
        #expect(try answers(of: left, to: strange) == Array(repeating: 1, count: 8))
        #expect(try answers(of: left, to: values) == [1, 2, 1, 1, 2, 2, 1])
    }

    @Test("A code with a fraction counts as the code below it")
    func fractions() throws {
        let tree = stump(set: [0, 3])
        #expect(try answers(of: tree, to: [0.9, 2.9, 3.5, 4, 31.99]) == [1, 2, 1, 2, 2])
    }

    @Test("An empty set sends every code along the missing direction")
    func emptySet() throws {
        #expect(try answers(of: stump(set: []), to: [0, 5, .nan]) == [2, 2, 2])
        #expect(
            try answers(of: stump(missingGoesLeft: true, set: []), to: [0, 5, .nan]) == [1, 1, 1])
    }

    @Test("A weighted sum is compared in double, with stand-ins for missing values")
    func projections() throws {
        var projections = Projections.none
        _ = projections.append(features: [0, 1], weights: [1, -2])
        _ = projections.append(features: [], weights: [])
        let tree = stump(feature: -2, threshold: 0.5, projections: projections)
        let ensemble = TreeEnsemble(
            featureCount: 2, outputCount: 1, trees: [tree], aggregation: .sum,
            imputations: [4, 1.75])
        let rows: [[Float]] = [
            [2.5, 1], [Float(2.5).nextUp, 1], [.nan, 1.75], [4, .nan], [.nan, 0],
            [.infinity, 0], [-.infinity, 0], [.infinity, .infinity], [1e30, 1e30],
        ]
        #expect(
            try Predictor(ensemble).predict(FeatureMatrix(rows: rows)) == [
                1, 2, 1, 1, 2, 2, 1, 2, 1,
            ])
        let empty = stump(feature: -3, threshold: -1, projections: projections)
        let other = TreeEnsemble(
            featureCount: 2, outputCount: 1, trees: [empty], imputations: [0, 0])
        #expect(try Predictor(other).predict(FeatureMatrix(rows: [[9, 9]])) == [2])
    }

    @Test("A tree of one value per leaf adds to the output of its turn")
    func rounds() throws {
        let trees = [1, 10, 100, 2, 20, 200].map { value in
            var tree = stump(set: nil)
            tree.leafValues = [Float(value), Float(-value)]
            return tree
        }
        let sum = TreeEnsemble(
            featureCount: 1, outputCount: 3, leafWidth: 1, trees: trees, aggregation: .sum,
            baseScores: [0.5, 0, 0])
        let rows = try FeatureMatrix(rows: [[0], [1]])
        #expect(try Predictor(sum).predict(rows) == [3.5, 30, 300, -2.5, -30, -300])
        let mean = TreeEnsemble(featureCount: 1, outputCount: 3, leafWidth: 1, trees: trees)
        #expect(try Predictor(mean).predict(rows) == [1.5, 15, 150, -1.5, -15, -150])
        let odd = TreeEnsemble(
            featureCount: 1, outputCount: 3, leafWidth: 1, trees: Array(trees.dropLast()))
        #expect(throws: EnsembleError.self) { try Predictor(odd) }
    }

    @Test("A linear part alone, with stand-ins; huge values stay numbers")
    func linear() throws {
        let ensemble = TreeEnsemble(
            featureCount: 2, outputCount: 1, trees: [], aggregation: .sum, baseScores: [1],
            linear: LinearTerm(coefficients: [2, -0.5]), imputations: [10, 4])
        let rows: [[Float]] = [[1, 2], [.nan, 2], [1, .nan], [3e38, 0], [-3e38, 0]]
        let limit = Float.greatestFiniteMagnitude
        #expect(
            try Predictor(ensemble).predict(FeatureMatrix(rows: rows)) == [
                2, 20, 1, limit, -limit,
            ])
    }

    @Test("The exponential of a score, as large as a float may be")
    func exponential() throws {
        let tree = stump(set: nil)
        let ensemble = TreeEnsemble(
            featureCount: 1, outputCount: 1, trees: [tree], aggregation: .sum, baseScores: [-1],
            transform: .exponential)
        let found = try Predictor(ensemble).predict(FeatureMatrix(rows: [[0], [1]]))
        #expect(found == [1, Float(exp(1.0))])
        let high = TreeEnsemble(
            featureCount: 1, outputCount: 1, trees: [tree], aggregation: .sum, baseScores: [800],
            transform: .exponential)
        #expect(
            try Predictor(high).predict(FeatureMatrix(rows: [[0]])) == [.greatestFiniteMagnitude])
    }

    @Test("Any number of threads gives the same scores")
    func threads() throws {
        let data = try makeClassification(samples: 5_000, informative: 5, seed: 3)
        let predictor = try RandomForestClassifier(trees: 5, maxDepth: 6, seed: 1)
            .fit(data, threads: 1).predictor()
        let alone = try predictor.predict(data.features)
        for threads in [0, 2, 3, 7] {
            #expect(try predictor.predict(data.features, threads: threads) == alone)
        }
        #expect(try predictor.predict(data.subset(rows: []).features, threads: 4).isEmpty)
    }

    @Test("Each way sets and projections can be damaged is refused", arguments: 0..<16)
    func damaged(kind: Int) {
        var projections = Projections.none
        _ = projections.append(features: [0], weights: [1])
        var tree = stump(set: [1, 40], projections: projections)
        var imputations: [Float] = [0]
        var linear: LinearTerm?
        switch kind {
        case 0: tree.categorySet = [0, -1]
        case 1: tree.categorySet[0] = 1
        case 2: tree.categorySet[0] = -2
        case 3: tree.categorySet[1] = 0
        case 4: tree.categorySets.starts = []
        case 5: tree.categorySets.starts = [0, 3]
        case 6: tree.categorySets.starts = [1, 2]
        case 7: tree.categorySets.starts = [0, 2, 1, 2]
        case 8: tree.splitFeature[0] = -2  // a projection with a set of categories
        case 9: tree.projections.features[0] = 1
        case 10: tree.projections.weights[0] = .infinity
        case 11: tree.projections.starts = [0, 2]
        case 12: imputations = []
        case 13: imputations = [.nan]
        case 14: linear = LinearTerm(coefficients: [1, 2])
        default:
            tree.categorySets.words = Array(repeating: 1, count: 2_049)
            tree.categorySets.starts = [0, 2_049]
        }
        let ensemble = TreeEnsemble(
            featureCount: 1, outputCount: 1, trees: [tree], aggregation: .sum, linear: linear,
            imputations: imputations)
        #expect(throws: EnsembleError.self) { try Predictor(ensemble) }
    }
}
