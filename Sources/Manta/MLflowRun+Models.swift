public import DecisionForests

import Foundation
import MLflow
import ModelFormats

/// Where a logged model is.
public struct LoggedModelReference: Sendable, Hashable {
    /// "models:/m-…", or the folder it was written to when nothing is recorded. "pending:" and the
    /// model's name while MLflow is away.
    public let source: String
}

/// A version in the model registry.
public struct RegisteredModelVersion: Sendable, Hashable {
    /// The registered model's name.
    public let name: String
    /// A whole number from 1; nil when nothing is recorded, or MLflow is away: the version appears
    /// when it is back.
    public let version: String?
    /// "models:/m-…", or the folder it was written to when nothing is recorded. "pending:" and the
    /// model's name while MLflow is away.
    public let source: String
}

extension MLflowRun {
    /// Stores the model as an MLflow model directory: for our serving, and for Python as ONNX.
    ///
    /// A restarted driver finds the model its predecessor stored under this name in the same run.
    @discardableResult
    public func log(
        _ model: TrainedModel, name: String = "model"
    ) async throws -> LoggedModelReference {
        guard let active else {
            let folder = try Self.writeLocally(model, name: name)
            return LoggedModelReference(source: folder)
        }
        return LoggedModelReference(source: try await logged(model, name, in: active).uri)
    }

    /// Stores the model and makes it a new version of a registered model, which is made when
    /// missing.
    ///
    /// A restarted driver finds the version its predecessor made: nothing is registered twice.
    ///
    /// - Parameters:
    ///   - name: the registered model's name, without `/` and `:`.
    ///   - aliases: pointed at the new version ("champion").
    @discardableResult
    public func register(
        _ model: TrainedModel, as name: String, aliases: [String] = []
    ) async throws -> RegisteredModelVersion {
        guard let active else {
            let folder = try Self.writeLocally(model, name: name)
            StandardStreams.writeLine("Wrote model '\(name)' to \(folder).")
            return RegisteredModelVersion(name: name, version: nil, source: folder)
        }
        let stored = try await logged(model, NewLoggedModel.name(forRegistered: name), in: active)
        guard let version = try await active.register(stored, as: name, aliases: aliases) else {
            StandardStreams.writeLine(
                "Model '\(name)' waits for MLflow; its version appears when the server is back.")
            return RegisteredModelVersion(name: name, version: nil, source: stored.uri)
        }
        StandardStreams.writeLine("Created version '\(version)' of model '\(name)'.")
        return RegisteredModelVersion(name: name, version: version, source: stored.uri)
    }

    /// - Throws: `JobError.unusableValue` when the model can neither be sent nor kept: a job that
    ///   trained it for nothing must not look like a success.
    private func logged(
        _ model: TrainedModel, _ name: String, in active: SpooledRun
    ) async throws -> SpooledRun.Model {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "manta-model-\(UUID().uuidString)"
        ).path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let parameters = model.parameters.map { ($0.name, $0.value) }
        let new = NewLoggedModel(
            name: name, modelType: model.mlflowType,
            parameters: Dictionary(parameters, uniquingKeysWith: { first, _ in first }))
        let logged = try await active.logModel(new) { info in
            let facts = MLmodelFacts(
                created: Date(), runID: info.runID, modelID: info.modelID,
                artifactPath: info.artifactPath)
            // The server may have gone away after a first one was written.
            try? FileManager.default.removeItem(atPath: folder)
            try Self.write(model, to: folder, facts)
            return folder
        }
        guard let logged else {
            throw JobError.unusableValue(
                subject: "model \"\(name)\"",
                reason: "MLflow is away and the spool has no room for it (MANTA_SPOOL_MAX)")
        }
        return logged
    }

    private static func write(
        _ model: TrainedModel, to folder: String, _ facts: MLmodelFacts
    ) throws {
        let origin = FittedModels.shared.origin(of: model)
        _ = try ModelDirectory.write(
            model, to: folder, facts: facts, inputExample: origin?.example ?? [],
            profile: origin?.profile)
    }

    /// Nothing is lost without a tracking server: `./models/NAME` can be served and loaded as it
    /// is.
    static func writeLocally(
        _ model: TrainedModel, name: String, below parent: String = "."
    ) throws -> String {
        let isPlain = !name.isEmpty && !name.contains { "/:\\".contains($0) } && name != ".."
        guard isPlain, name != "." else {
            throw JobError.unusableValue(
                subject: "model name \"\(name)\"", reason: "it must not be empty or contain / or :")
        }
        let folder = "\(parent)/models/\(name)"
        try write(model, to: folder, MLmodelFacts(created: Date()))
        return folder
    }
}
