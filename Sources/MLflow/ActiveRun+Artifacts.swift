/// What the files of a logged model are written with: they name the model they belong to.
package struct LoggedModelInfo: Sendable, Hashable, Codable {
    /// `nil` on a server without logged models.
    package let modelID: String?
    package let runID: String
    /// The MLmodel's `artifact_path`: the model's artifact URI, or on MLflow 2 the folder's name.
    package let artifactPath: String
    package let experimentID: String
}

extension ActiveRun {
    /// Stores a local file among the run's artifacts, by default under its own name.
    package nonisolated func logArtifact(
        _ localPath: String, as path: String? = nil
    ) async throws(MLflowError) {
        let name = localPath.split(separator: "/").last.map(String.init) ?? ""
        try await client.uploadArtifact(localPath, to: try artifactURI(), as: path ?? name)
    }

    package nonisolated func logArtifact(
        bytes: [UInt8], as path: String
    ) async throws(MLflowError) {
        try await client.uploadArtifact(bytes: bytes, to: try artifactURI(), as: path)
    }

    /// Stores a local folder's files among the run's artifacts.
    package nonisolated func logArtifacts(
        folder localPath: String, below path: String? = nil
    ) async throws(MLflowError) {
        let root = try path.map { text throws(MLflowError) in try ArtifactPath(text) } ?? .root
        try await client.uploadDirectory(localPath, to: try artifactURI(), below: root)
    }

    /// Makes a logged model, lets `write` make its directory, uploads that and says it is ready.
    ///
    /// With an effect key (by default the run's key and the model's name) a model that was
    /// completed before comes back as it is, without a call of `write`; one that was left half-way
    /// is uploaded again. After a failure the model is marked as failed.
    ///
    /// - Parameter write: answers a local directory; the caller removes it when this returns.
    package nonisolated func logModel(
        _ new: NewLoggedModel, effectKey: String? = nil,
        write: @Sendable (LoggedModelInfo) async throws -> String
    ) async throws -> LoggedModel {
        let key = effectKey ?? self.effectKey.map { $0 + "/model/" + new.name }
        let model = try await client.createLoggedModel(new, run: run, effectKey: key)
        if model.status == .ready { return model }
        do {
            let directory = try await write(
                LoggedModelInfo(
                    modelID: model.id, runID: id,
                    artifactPath: model.id == nil ? model.name : model.artifactURI,
                    experimentID: model.experimentID))
            if let modelID = model.id { try await client.logOutput(modelID: modelID, run: id) }
            try await client.uploadDirectory(directory, to: model.artifactURI)
        } catch {
            // The first error is the one to report. A task of its own: this one may be cancelled.
            await Task { _ = try? await client.finishLoggedModel(model, as: .failed) }.value
            throw error
        }
        return try await client.finishLoggedModel(model, as: .ready)
    }

    /// A directory that is complete already.
    package nonisolated func logModelDirectory(
        _ directory: String, as new: NewLoggedModel, effectKey: String? = nil
    ) async throws -> LoggedModel {
        try await logModel(new, effectKey: effectKey) { _ in directory }
    }

    /// Makes a version of a registered model, which is made when missing, and points aliases at it.
    package nonisolated func register(
        _ model: LoggedModel, as name: String, aliases: [String] = [], description: String? = nil,
        tags: [String: String] = [:], effectKey: String? = nil
    ) async throws(MLflowError) -> ModelVersion {
        _ = try await client.registerModel(named: name)
        let key = effectKey ?? self.effectKey.map { "\($0)/version/\(name)/\(model.name)" }
        let version = try await client.createModelVersion(
            NewModelVersion(name: name, of: model, description: description, tags: tags),
            effectKey: key)
        for alias in aliases { try await client.setAlias(alias, to: version) }
        return version
    }

    nonisolated func artifactURI() throws(MLflowError) -> String {
        guard let uri = run.artifactURI else {
            throw MLflowError(
                .invalidAnswer, operation: "find the run's artifacts", subject: id,
                message: "the run has no artifact URI")
        }
        return uri
    }
}
