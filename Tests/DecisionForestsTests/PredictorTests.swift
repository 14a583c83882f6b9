import DecisionForests
import Foundation
import Testing

@Suite("Prediction: one row like many, missing values by their direction, nothing traps")
struct PredictorTests {
    /// x0 <= 1 ? (0.25, 0.75) : x1 <= 2 (missing left) ? (1, 0) : (0, 1)
    private let tree = Tree(
        splitFeature: [0, -1, 1, -1, -1], threshold: [1, 0, 2, 0, 0],
        missingGoesLeft: [false, false, true, false, false], leftChild: [1, 0, 3, 1, 2],
        leafValues: [0.25, 0.75, 1, 0, 0, 1])

    private func scores(_ rows: [[Float]], of ensemble: TreeEnsemble) throws -> [Float] {
        try Predictor(ensemble).predict(FeatureMatrix(rows: rows))
    }

    @Test("Values at the threshold go left, missing values by the node's flag")
    func walk() throws {
        let ensemble = TreeEnsemble(featureCount: 2, outputCount: 2, trees: [tree])
        let rows: [[Float]] = [
            [1, 9], [1.5, 2], [1.5, 3], [.nan, 3], [.nan, .nan], [.infinity, 9],
        ]
        #expect(
            try scores(rows, of: ensemble) == [0.25, 0.75, 1, 0, 0, 1, 0, 1, 1, 0, 0, 1])
    }

    @Test("Sums, base scores and transforms")
    func transforms() throws {
        let leaf = { (value: Float) in
            Tree(
                splitFeature: [-1], threshold: [0], missingGoesLeft: [false], leftChild: [0],
                leafValues: [value])
        }
        let logistic = TreeEnsemble(
            featureCount: 1, outputCount: 1, trees: [leaf(0.5), leaf(0.25)], aggregation: .sum,
            baseScores: [-1], transform: .logistic)
        let share = Float(1 / (1 + exp(0.25)))
        let found = try scores([[0]], of: logistic)
        #expect(abs(found[1] - share) < 1e-7 && abs(found[0] + found[1] - 1) < 1e-7)
        let wide = Tree(
            splitFeature: [-1], threshold: [0], missingGoesLeft: [false], leftChild: [0],
            leafValues: [1, 2, 1000])
        let softmax = TreeEnsemble(
            featureCount: 1, outputCount: 3, trees: [wide], aggregation: .sum, transform: .softmax)
        #expect(try scores([[0]], of: softmax) == [0, 0, 1])
    }

    @Test("One row alone has the bytes it has among many")
    func oneLikeMany() throws {
        let data = try SampleData.withMissing()
        let model = try RandomForestClassifier(trees: 30, seed: 1).fit(data)
        let predictor = try model.predictor()
        let rows = data.features
        let all = try predictor.predict(rows)
        rows.values.withUnsafeBufferPointer { values in
            var scores = [Float](repeating: 0, count: 2)
            for row in 0..<rows.rowCount {
                scores.withUnsafeMutableBufferPointer {
                    predictor.predict(
                        row: UnsafeBufferPointer(rebasing: values[row * 8..<(row + 1) * 8]),
                        into: $0)
                }
                #expect(scores == Array(all[row * 2..<row * 2 + 2]))
            }
        }
        #expect(try predictor.predict(FeatureMatrix(values: [], featureCount: 8)).isEmpty)
    }

    @Test("The mean over trees is a distribution")
    func distribution() throws {
        let data = try makeClassification(
            samples: 200, informative: 5, classes: 4, clustersPerClass: 1, seed: 2)
        let predictions = try RandomForestClassifier(trees: 7).fit(data).predict(data)
        for row in 0..<predictions.rowCount {
            #expect(abs(predictions.scores(ofRow: row).reduce(0, +) - 1) < 1e-6)
        }
    }

    @Test("Columns are found by name; a missing one and a wrong width are named")
    func columns() throws {
        let data = try SampleData.withMissing(rows: 60)
        let model = try RandomForestClassifier(trees: 5).fit(data)
        let mirrored = try Dataset(
            columns: data.columns.reversed(), featureNames: data.featureNames.reversed(),
            target: data.target, targetName: data.targetName)
        #expect(try model.predict(mirrored).scores == model.predict(data).scores)
        #expect(model.optionalFeatures == ["feature_0"])
        let short = try Dataset(
            columns: Array(data.columns.dropLast()), featureNames: data.featureNames.dropLast(),
            target: data.target, targetName: data.targetName)
        #expect(throws: DatasetError.self) { try model.predict(short) }
        #expect(throws: DatasetError.self) { try model.predict(FeatureMatrix(rows: [[1]])) }
    }

    @Test("Each way a tree can be damaged is refused", arguments: 0..<13)
    func damaged(kind: Int) {
        var bad = tree
        var (featureCount, outputCount) = (2, 2)
        var trees: [Tree]?
        switch kind {
        case 0: bad.leftChild[2] = 2
        case 1: bad.leftChild[2] = 0
        case 2: bad.leftChild[2] = 4
        case 3: bad.leftChild[2] = .min
        case 4: bad.splitFeature[0] = 2
        case 5: bad.splitFeature[0] = -2
        case 6: bad.threshold[0] = .nan
        case 7: bad.leftChild[1] = 3
        case 8: bad.leftChild[1] = -1
        case 9: bad.leafValues[0] = .infinity
        case 10: bad.threshold.removeLast()
        case 11: trees = []
        default: (featureCount, outputCount) = (0, 3)
        }
        let ensemble = TreeEnsemble(
            featureCount: featureCount, outputCount: outputCount, trees: trees ?? [bad])
        #expect(throws: EnsembleError.self) { try Predictor(ensemble) }
    }

    @Test("Names and classes must match the ensemble")
    func modelFits() throws {
        let ensemble = TreeEnsemble(featureCount: 2, outputCount: 2, trees: [tree])
        let model = { (names: [String], task: TrainedModel.Task) in
            TrainedModel(
                ensemble: ensemble, featureNames: names, targetName: "y", task: task,
                learner: "RandomForestClassifier", parameters: [], trainingRowCount: 1)
        }
        let classes: [ClassLabel] = [.integer(0), .integer(1)]
        try model(["a", "b"], .classification(classes: classes)).validate()
        for bad in [
            model(["a"], .classification(classes: classes)), model(["a", "b"], .regression),
            model(["a", "b"], .classification(classes: [.integer(0)])),
        ] {
            #expect(throws: EnsembleError.self) { try bad.predictor() }
        }
    }
}
