import DecisionForests
import Foundation
import ModelFormats

/// Small models with known answers, written as real MLflow model directories.
enum TestModels {
    /// Three columns, `z` optional. Class 1 where x > 0.5, with probability 0.9; class 0 else,
    /// 0.75.
    static func classifier(classes: [ClassLabel] = [.integer(0), .integer(1)]) -> TrainedModel {
        let tree = Tree(
            splitFeature: [0, Tree.leaf, Tree.leaf], threshold: [0.5, 0, 0],
            missingGoesLeft: [true, false, false], leftChild: [1, 0, 1],
            leafValues: [0.75, 0.25, 0.1, 0.9])
        return TrainedModel(
            ensemble: TreeEnsemble(featureCount: 3, outputCount: 2, trees: [tree]),
            featureNames: ["x", "y", "z"], optionalFeatures: ["z"], targetName: "target",
            task: .classification(classes: classes), learner: "RandomForestClassifier",
            parameters: [.init("n_estimators", "1")], trainingRowCount: 10)
    }

    /// Two columns; answers `value` whatever it is asked.
    static func constant(_ value: Float) -> TrainedModel {
        let tree = Tree(
            splitFeature: [Tree.leaf], threshold: [0], missingGoesLeft: [false], leftChild: [0],
            leafValues: [value])
        return TrainedModel(
            ensemble: TreeEnsemble(featureCount: 2, outputCount: 1, trees: [tree]),
            featureNames: ["a", "b"], targetName: "target", task: .regression,
            learner: "RandomForestRegressor", parameters: [], trainingRowCount: 10)
    }

    /// One output that adds several columns' steps, so that many different sums appear.
    static func sums(featureCount: Int, treeCount: Int) -> TrainedModel {
        let trees = (0..<treeCount).map { index in
            Tree(
                splitFeature: [Int32(index % featureCount), Tree.leaf, Tree.leaf],
                threshold: [Float(index) / Float(treeCount), 0, 0],
                missingGoesLeft: [false, false, false], leftChild: [1, 0, 1],
                leafValues: [Float(index) * 0.1, Float(index) / 3])
        }
        return TrainedModel(
            ensemble: TreeEnsemble(featureCount: featureCount, outputCount: 1, trees: trees),
            featureNames: (0..<featureCount).map { "f\($0)" }, targetName: "target",
            task: .regression, learner: "RandomForestRegressor", parameters: [],
            trainingRowCount: 10)
    }

    static func write(_ model: TrainedModel, to directory: String) throws {
        _ = try ModelDirectory.write(
            model, to: directory,
            facts: MLmodelFacts(created: Date(timeIntervalSince1970: 1_765_000_000)))
    }
}

/// A folder that is removed with its last reference.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "manta-serving-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a model as `NAME/VERSION` below this folder.
    func add(_ model: TrainedModel, as name: String, version: Int) throws {
        try TestModels.write(model, to: "\(path)/\(name)/\(version)")
    }
}
