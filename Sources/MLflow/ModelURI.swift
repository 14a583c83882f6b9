/// What a person writes to name a model.
package enum ModelURI: Sendable, Hashable {
    /// `models:/Name/3`
    case version(name: String, version: String)
    /// `models:/Name/latest`
    case latest(name: String)
    /// `models:/Name@alias`
    case alias(name: String, alias: String)
    /// `models:/m-…`
    case loggedModel(id: String)
    /// `runs:/<run>/path`
    case run(id: String, path: ArtifactPath)

    package init(_ text: String) throws(MLflowError) {
        let parts: [String]
        if text.hasPrefix("models:/") {
            parts = try ArtifactPath(String(text.dropFirst(8).drop { $0 == "/" })).segments
            if parts.count == 2 {
                self =
                    parts[1].lowercased() == "latest"
                    ? .latest(name: parts[0]) : .version(name: parts[0], version: parts[1])
                return
            }
            if parts.count == 1, let at = parts[0].lastIndex(of: "@") {
                self = .alias(
                    name: String(parts[0][..<at]),
                    alias: String(parts[0][parts[0].index(after: at)...]))
                return
            }
            if parts.count == 1, parts[0].hasPrefix("m-") {
                self = .loggedModel(id: parts[0])
                return
            }
        } else if text.hasPrefix("runs:/") {
            let path = try ArtifactPath(String(text.dropFirst(6).drop { $0 == "/" }))
            if path.segments.count >= 2 {
                let rest = try ArtifactPath(path.segments.dropFirst().joined(separator: "/"))
                self = .run(id: path.segments[0], path: rest)
                return
            }
        }
        throw MLflowError(
            .invalidValue, operation: "read the model URI", subject: text,
            message: "it has none of the forms models:/Name/3, models:/Name/latest, "
                + "models:/Name@alias, models:/m-…, runs:/RUN/path")
    }
}

extension MLflowClient {
    /// The registered version a URI names; `nil` for a model outside the registry.
    package func modelVersion(_ uri: ModelURI) async throws(MLflowError) -> ModelVersion? {
        switch uri {
        case .version(let name, let version):
            return try await modelVersion(named: name, version: version)
        case .alias(let name, let alias):
            return try await modelVersion(named: name, alias: alias)
        case .latest(let name):
            guard let version = try await latestVersion(of: name) else {
                throw MLflowError(
                    .notFound, operation: "get the latest version", subject: name,
                    message: "the model has no version that is ready")
            }
            return version
        case .loggedModel, .run:
            return nil
        }
    }

    /// The folder of the model a URI names, as an artifact URI.
    package func artifactURI(of uri: ModelURI) async throws(MLflowError) -> String {
        switch uri {
        case .loggedModel(let id):
            return try await loggedModel(id: id).artifactURI
        case .run(let id, let path):
            return try await artifactURI(ofRun: id, path)
        case .version, .latest, .alias:
            guard let version = try await modelVersion(uri) else {
                throw invalid("find the model", "\(uri)", "it names no version")
            }
            return try await artifactURI(of: version)
        }
    }

    /// The folder of a version's files, as an artifact URI.
    package func artifactURI(of version: ModelVersion) async throws(MLflowError) -> String {
        let uri = try await downloadURI(of: version)
        // Stored as it was given, by clients that did not resolve it.
        if uri.hasPrefix("models:/m-") || uri.hasPrefix("runs:/") {
            return try await artifactURI(of: try ModelURI(uri))
        }
        return uri
    }

    /// A folder among the run's artifacts; MLflow 3 keeps a model of that name elsewhere.
    private func artifactURI(
        ofRun id: String, _ path: ArtifactPath
    ) async throws(MLflowError) -> String {
        let run = try await run(id: id)
        guard let root = run.artifactURI else {
            throw MLflowError(
                .invalidAnswer, operation: "find the run's artifacts", subject: id,
                message: "the run has no artifact URI")
        }
        if try await !listArtifacts(of: root, in: path).isEmpty { return root + "/" + path.text }
        let name = try SearchFilter.literal(path.text, operation: "find the logged model")
        let models = try await absentAsNil { () throws(MLflowError) in
            try await searchLoggedModels(
                experimentID: run.experimentID,
                filter: "name = \(name) AND source_run_id = '\(run.id)'")
        }
        guard let model = models?.last(where: { $0.runID == run.id }) else {
            throw MLflowError(
                .notFound, operation: "find the model", subject: "runs:/\(id)/\(path.text)",
                message: "the run has no such artifact folder and no logged model of that name")
        }
        return model.artifactURI
    }

    /// Downloads a version's model directory into a folder that appears only when it is complete.
    package func downloadModel(
        _ version: ModelVersion, to directory: String
    ) async throws(MLflowError) {
        try await downloadDirectory(of: try await artifactURI(of: version), to: directory)
    }
}
