import DecisionForests
import Foundation
import MLflow
import ModelFormats

/// A model that was trained before: its recipe, its digest, and where it is.
struct RecordedModel: Sendable {
    private enum Place: Sendable {
        case directory(String)
        case run(MLflow.Run)
    }

    let recipe: TrainingRecipe
    /// SHA-256 of its `model.manta`.
    let digest: String
    private let place: Place

    /// - Parameter subject: a model directory's path, a run's id, or `runs:/` and the id.
    static func find(
        _ subject: String, _ environment: Environment
    ) async throws -> RecordedModel {
        if FileManager.default.fileExists(atPath: subject) { return try inDirectory(subject) }
        let id = subject.hasPrefix("runs:/") ? String(subject.dropFirst(6)) : subject
        guard id.count == 32, id.allSatisfy(\.isHexDigit) else {
            throw CommandFailure(
                "'\(subject)' is neither a model directory nor a run's id (32 hexadecimal digits).",
                code: ExitStatus.notFound)
        }
        return try await ofRun(id, try environment.mlflowClient())
    }

    private static func inDirectory(_ path: String) throws -> RecordedModel {
        let loaded = try readModel(path)
        guard let recipe = try TrainingRecipe.read(in: path) else {
            throw CommandFailure(
                "\(path) has no \(TrainingRecipe.path): it was not made by `manta train`.")
        }
        return RecordedModel(recipe: recipe, digest: loaded.sha256.hex, place: .directory(path))
    }

    private static func ofRun(
        _ id: String, _ client: MLflowClient
    ) async throws -> RecordedModel {
        let run = try await client.run(id: id)
        guard let text = run.tags[TrainingLog.recipeTag],
            let digest = run.tags[TrainingLog.digestTag]
        else {
            throw CommandFailure(
                "run \(id) has no tags \(TrainingLog.recipeTag) and \(TrainingLog.digestTag): it "
                    + "was not logged by `manta train --log`, or did not finish.")
        }
        let bytes: Data
        if text == "artifact:" + TrainingLog.recipeArtifact {
            bytes = try await artifact(TrainingLog.recipeArtifact, of: run, client)
        } else {
            bytes = Data(text.utf8)
        }
        let recipe = try TrainingRecipe(json: bytes, from: "the recipe of run \(id)")
        return RecordedModel(recipe: recipe, digest: digest, place: .run(run))
    }

    private static func artifact(
        _ path: String, of run: MLflow.Run, _ client: MLflowClient
    ) async throws -> Data {
        guard let root = run.artifactURI else {
            throw CommandFailure("run \(run.id) has no artifacts.")
        }
        let local = FileManager.default.temporaryDirectory
            .appendingPathComponent("manta-recipe-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: local) }
        try await client.downloadArtifact(path, of: root, to: local)
        return Data(try BoundedFile.read(local, sizeMax: TrainingRecipe.sizeMax))
    }

    /// What tells the recorded model from another one, in words, the most telling first.
    func differences(
        from other: TrainedModel, _ environment: Environment
    ) async throws -> [String] {
        var differences: [String] = []
        if recipe.mantaVersion != mantaVersion {
            differences.append(
                "it was trained by manta \(recipe.mantaVersion), now by \(mantaVersion)")
        }
        switch place {
        case .directory(let path):
            differences += try readModel(path).model.differences(from: other)
        case .run(let run):
            let client = try environment.mlflowClient()
            if let model = try await Self.download(run, client) {
                differences += model.differences(from: other)
            } else {
                differences.append("the run has no model to compare with")
            }
        }
        return differences
    }

    private static func download(
        _ run: MLflow.Run, _ client: MLflowClient
    ) async throws -> TrainedModel? {
        guard let id = run.modelIDs.first else { return nil }
        let local = FileManager.default.temporaryDirectory
            .appendingPathComponent("manta-recorded-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: local) }
        let uri = try await client.loggedModel(id: id).artifactURI
        try await client.downloadDirectory(of: uri, to: local)
        return try ModelDirectory.read(at: local).model
    }
}

extension TrainedModel {
    /// In which parts another model is not this one, in words.
    func differences(from other: TrainedModel) -> [String] {
        var differences: [String] = []
        func compare(_ name: String, _ own: String, _ others: String) {
            if own != others { differences.append("\(name): recorded \(own), trained \(others)") }
        }
        compare("learner", learner, other.learner)
        for (own, others) in zip(parameters, other.parameters) {
            compare("parameter \(own.name)", own.value, others.value)
        }
        compare("target", targetName, other.targetName)
        compare("training rows", "\(trainingRowCount)", "\(other.trainingRowCount)")
        compare("trees", "\(ensemble.trees.count)", "\(other.ensemble.trees.count)")
        if task != other.task { differences.append("the classes are not the same") }
        if featureNames != other.featureNames || featureKinds != other.featureKinds {
            differences.append("the features are not the same")
        }
        let pairs = zip(ensemble.trees, other.ensemble.trees)
        if let tree = pairs.enumerated().first(where: { $0.element.0 != $0.element.1 })?.offset {
            differences.append("tree \(tree) is the first that differs")
        }
        if ensemble.baseScores != other.ensemble.baseScores {
            differences.append("the base scores are not the same")
        }
        if differences.isEmpty { differences.append("only the files' bytes differ, not the model") }
        return differences
    }
}
