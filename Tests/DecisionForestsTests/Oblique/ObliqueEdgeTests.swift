import Foundation
import Testing

@testable import DecisionForests

@Suite("Oblique forests on data and parameters at the edges")
struct ObliqueEdgeTests {
    private func oneTree(_ data: Dataset, maxDepth: Int? = nil, minSamplesLeaf: Int = 1) throws
        -> Tree
    {
        let learner = try ObliqueForestClassifier(
            trees: 1, maxDepth: maxDepth, minSamplesLeaf: minSamplesLeaf, bootstrap: false)
        return try learner.grow(trees: 0..<1, on: data, threads: 1)[0]
    }

    @Test("One column is split like a plain tree's, in its own direction")
    func oneColumn() throws {
        let data = try SampleData.columns([[1, 2, 5, 6]], classes: [0, 0, 1, 1])
        let tree = try oneTree(data)
        #expect(tree.splitFeature == [-2, -1, -1])
        #expect(tree.projections.features == [0])
        // The deviation is the root of 4.25; the threshold stands at ±3.5 of it.
        #expect(abs(abs(tree.threshold[0]) - 3.5 / Float(4.25).squareRoot()) < 1e-6)
    }

    @Test("A missing value stands at the mean, in training and in prediction")
    func missing() throws {
        let data = try SampleData.columns(
            [[1, 2, .nan, 8, 9]], classes: [0, 0, 0, 1, 1])
        let model = try ObliqueForestClassifier(trees: 1, bootstrap: false).fit(data)
        #expect(model.ensemble.imputations == [5])
        let answers = try model.predict(FeatureMatrix(rows: [[.nan], [5], [1], [9]]))
        #expect(answers.labels == [0, 0, 0, 1].map { .integer($0) })
        #expect(model.optionalFeatures == ["feature_0"])
    }

    @Test("Constant and missing columns are never drawn; nothing else leaves one leaf")
    func constant() throws {
        let nothing = Float.nan
        let data = try SampleData.columns(
            [[3, 3, 3, 3], [1, 2, 3, 4], [nothing, nothing, nothing, nothing]],
            classes: [0, 0, 1, 1])
        #expect(try oneTree(data).projections.features == [1])
        let flat = try SampleData.columns([[3, 3, 3]], classes: [0, 1, 1])
        let model = try ObliqueForestClassifier(trees: 2, bootstrap: false).fit(flat)
        #expect(model.ensemble.trees.allSatisfy { $0.nodeCount == 1 })
        #expect(model.ensemble.imputations.isEmpty)
        #expect(try model.predict(flat).labels == [1, 1, 1].map { .integer($0) })
    }

    @Test("Values at the ends of float32 are told apart")
    func extremes() throws {
        let huge = Float.greatestFiniteMagnitude
        let data = try SampleData.columns(
            [[huge, -huge, 0, huge / 2, -huge / 2, 1], [0, 1, 2, huge, 4, -huge]],
            classes: [0, 1, 0, 0, 1, 1])
        let model = try ObliqueForestClassifier(trees: 8, bootstrap: false, seed: 3).fit(data)
        #expect(try model.evaluate(on: data)["accuracy"] == 1)
        let tiny = try SampleData.columns(
            [[1, Float(1).nextUp, Float(1).nextUp.nextUp, Float(1).nextUp]],
            classes: [0, 1, 0, 1])
        #expect(try oneTree(tiny).nodeCount == 5)
    }

    @Test("A few far values do not hide the others", arguments: [300, 5_000])
    func outliers(rows: Int) throws {
        var column: [Float] = []
        for row in 0..<rows { column.append(row % 50 == 0 ? Float(row) * 1e9 : Float(row % 97)) }
        let classes: [Int64] = column.map { value in value > 48 && value < 1e6 ? 1 : 0 }
        let data = try SampleData.columns([column], classes: classes)
        let model = try ObliqueForestClassifier(trees: 1, maxDepth: 3, bootstrap: false).fit(data)
        #expect(try model.evaluate(on: data)["accuracy"] == 1)
    }

    @Test("Depth and leaf sizes are bounded")
    func bounds() throws {
        let data = try SampleData.withMissing()
        let tree = try oneTree(data, maxDepth: 3)
        var depth = [Int](repeating: 0, count: tree.nodeCount)
        for node in 0..<tree.nodeCount where tree.splitFeature[node] != Tree.leaf {
            depth[Int(tree.leftChild[node])] = depth[node] + 1
            depth[Int(tree.leftChild[node]) + 1] = depth[node] + 1
        }
        #expect(depth.max() == 3)
        let stump = try oneTree(data, minSamplesLeaf: 200)
        #expect(stump.nodeCount == 1)
    }

    @Test("A weight of two is a row that stands twice")
    func weights() throws {
        let rows: [[Float]] = [[1], [2], [3], [4]]
        let labels: [ClassLabel] = [0, 1, 0, 1].map { .integer($0) }
        let weighted = try Dataset(
            features: FeatureMatrix(rows: rows), labels: labels, weights: [2, 1, 1, 0])
        let tree = try oneTree(weighted, maxDepth: 1)
        #expect(tree.leafValues.sorted() == [0.5, 0.5, 0, 1].sorted())
        let none = try Dataset(
            features: FeatureMatrix(rows: rows), labels: labels, weights: [0, 0, 0, 0])
        #expect(throws: TrainingError.noWeight) { try ObliqueForestClassifier().fit(none) }
        let balanced = try ObliqueForestClassifier(
            trees: 1, maxDepth: 1, minSamplesLeaf: 2, bootstrap: false, classWeight: .balanced)
        let skewed = try SampleData.columns([[1, 1, 1, 1, 1, 1]], classes: [0, 0, 0, 0, 1, 1])
        #expect(try balanced.grow(trees: 0..<1, on: skewed)[0].leafValues == [0.5, 0.5])
    }

    @Test("What cannot be learned is refused by name")
    func refused() throws {
        let classes = try SampleData.withMissing(rows: 20)
        let numbers = try SampleData.regression(rows: 20)
        let learner = try ObliqueForestClassifier(trees: 2)
        #expect(throws: TrainingError.targetHoldsNumbers(target: "y")) { try learner.fit(numbers) }
        #expect(throws: TrainingError.targetHoldsClasses(target: "target")) {
            try ObliqueForestRegressor().fit(classes)
        }
        #expect(throws: TrainingError.noRows) { try learner.fit(classes.subset(rows: [])) }
        #expect(throws: TrainingError.treeCount(expected: 2, found: 0)) {
            try learner.model(from: [], trainedOn: classes)
        }
        let named = try Dataset(
            columns: [[0, 1, 2], [0, 1, 0]], featureNames: ["colour", "size"],
            featureKinds: [.categorical(levels: ["r", "g", "b"]), .boolean],
            target: .values([1, 2, 3]), targetName: "y")
        #expect(throws: TrainingError.unorderedColumns(["colour"])) {
            try ObliqueForestRegressor().fit(named)
        }
    }

    @Test("Parameters are checked, named and sent")
    func parameters() throws {
        #expect(throws: ParameterError.self) { try ObliqueForestClassifier(trees: 0) }
        #expect(throws: ParameterError.self) { try ProjectionParameters(densityFactor: 0) }
        #expect(throws: ParameterError.self) { try ProjectionParameters(densityFactor: .nan) }
        #expect(throws: ParameterError.self) { try ProjectionParameters(exponent: 3.1) }
        #expect(throws: ParameterError.self) { try ProjectionParameters(countMax: 0) }
        let learner = try ObliqueForestClassifier(
            trees: 5, projections: ProjectionParameters(exponent: 0.5, weights: .continuous))
        #expect(
            learner.parameters.suffix(5) == [
                .init("sparse_oblique_projection_density_factor", "2.0"),
                .init("sparse_oblique_num_projections_exponent", "0.5"),
                .init("sparse_oblique_max_num_projections", "6000"),
                .init("sparse_oblique_weights", "CONTINUOUS"),
                .init("sparse_oblique_normalization", "STANDARD_DEVIATION"),
            ])
        let json = try JSONEncoder().encode(AnyLearner(learner))
        let back = try JSONDecoder().decode(AnyLearner.self, from: json).learner
        #expect(back as? ObliqueForestClassifier == learner)
        let forged = String(decoding: json, as: UTF8.self)
            .replacingOccurrences(of: "\"exponent\":0.5", with: "\"exponent\":50")
        #expect(throws: ParameterError.self) {
            try JSONDecoder().decode(AnyLearner.self, from: Data(forged.utf8))
        }
    }
}
