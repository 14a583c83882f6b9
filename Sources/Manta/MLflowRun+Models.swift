public import DecisionForests

import Foundation
import MLflow
import ModelFormats

/// Where a logged model is.
public struct LoggedModelReference: Sendable, Hashable {
    /// "models:/m-…", or the folder it was written to when nothing is recorded.
    public let source: String
}

/// A version in the model registry.
public struct RegisteredModelVersion: Sendable, Hashable {
    /// The registered model's name.
    public let name: String
    /// A whole number from 1; nil when nothing is recorded.
    public let version: String?
    /// "models:/m-…", or the folder it was written to when nothing is recorded.
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
        let version = try await active.register(stored, as: name, aliases: aliases)
        StandardStreams.writeLine("Created version '\(version.version)' of model '\(name)'.")
        return RegisteredModelVersion(name: name, version: version.version, source: stored.uri)
    }

    private func logged(
        _ model: TrainedModel, _ name: String, in active: ActiveRun
    ) async throws -> LoggedModel {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "manta-model-\(UUID().uuidString)"
        ).path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let parameters = model.parameters.map { ($0.name, $0.value) }
        let new = NewLoggedModel(
            name: name, modelType: model.mlflowType,
            parameters: Dictionary(parameters, uniquingKeysWith: { first, _ in first }))
        return try await active.logModel(new) { info in
            let facts = MLmodelFacts(
                created: Date(), runID: info.runID, modelID: info.modelID,
                artifactPath: info.artifactPath)
            try Self.write(model, to: folder, facts)
            return folder
        }
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
