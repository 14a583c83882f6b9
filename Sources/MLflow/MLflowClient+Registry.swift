internal import HTTPClient

/// What a new version of a registered model is given.
package struct NewModelVersion: Sendable, Hashable {
    package var name: String
    /// `models:/m-…` together with `modelID`, or an artifact URI together with `runID`.
    package var source: String
    package var modelID: String?
    package var runID: String?
    package var description: String?
    package var tags: [String: String]

    package init(
        name: String, source: String, modelID: String? = nil, runID: String? = nil,
        description: String? = nil, tags: [String: String] = [:]
    ) {
        self.name = name
        self.source = source
        self.modelID = modelID
        self.runID = runID
        self.description = description
        self.tags = tags
    }

    package init(
        name: String, of model: LoggedModel, description: String? = nil,
        tags: [String: String] = [:]
    ) {
        self.init(
            name: name, source: model.uri, modelID: model.id, runID: model.runID,
            description: description, tags: tags)
    }
}

extension MLflowClient {
    // MARK: Names

    /// The registered model of this name, made when missing.
    package func registerModel(
        named name: String, description: String? = nil, tags: [String: String] = [:]
    ) async throws(MLflowError) -> RegisteredModel {
        try MLflowClient.checkRegistryName(name)
        if let found = try await findRegisteredModel(named: name) { return found }
        struct Body: Encodable {
            var name: String
            var description: String?
            var tags: [Pair]
        }
        do {
            return try await registeredModel(
                .post(
                    "mlflow/registered-models/create",
                    Body(name: name, description: description, tags: Pair.list(tags)),
                    to: "create the registered model", name, isRepeatable: false))
        } catch {
            guard error.kind == .alreadyExists || error.isAmbiguous || error.kind == .invalidValue,
                let found = try await findRegisteredModel(named: name)
            else { throw error }
            return found
        }
    }

    package func findRegisteredModel(
        named name: String
    ) async throws(MLflowError) -> RegisteredModel? {
        try await absentAsNil { () throws(MLflowError) in
            try await registeredModel(
                .get("mlflow/registered-models/get", [("name", name)], to: "find the model", name))
        }
    }

    /// By name.
    package func registeredModels(limit: Int = 1000) async throws(MLflowError) -> [RegisteredModel]
    {
        struct Answer: Decodable {
            var registeredModels: [WireRegisteredModel]?
            var nextPageToken: String?
        }
        return try await collect(limit: limit, pageSize: 100) { count, token throws(MLflowError) in
            var query = [("max_results", String(count)), ("order_by", "name ASC")]
            if let token { query.append(("page_token", token)) }
            return try await registry.perform(
                .get("mlflow/registered-models/search", query, to: "list the models", "registry"),
                as: Answer.self
            ) { answer throws(MissingField) in
                var models: [RegisteredModel] = []
                for wire in answer.registeredModels ?? [] { models.append(try wire.model()) }
                return Page(values: models, token: answer.nextPageToken)
            }
        }
    }

    package func setTag(
        _ key: String, to value: String, onModelNamed name: String
    ) async throws(MLflowError) {
        struct Body: Encodable {
            var name: String
            var key: String
            var value: String
        }
        try await registry.perform(
            .post(
                "mlflow/registered-models/set-tag", Body(name: name, key: key, value: value),
                to: "tag the model", name))
    }

    // MARK: Versions

    /// Makes a version and waits until it is ready, or finds the one `effectKey` made before.
    ///
    /// - Throws: `registrationFailed` when the registry gives it up.
    package func createModelVersion(
        _ new: NewModelVersion, effectKey: String? = nil,
        readyWithin limit: Duration = .seconds(300)
    ) async throws(MLflowError) -> ModelVersion {
        let effect = try effectKey.map { text throws(MLflowError) in try EffectKey(text) }
        let version = try await createOnce(effect, kind: "version/" + new.name) {
            key throws(MLflowError) in
            try await searchModelVersions(
                named: new.name, filter: SearchFilter.effect(key), order: "ASC", limit: 10)
        } create: { () throws(MLflowError) in
            try await postModelVersion(new, effect)
        } discard: { version throws(MLflowError) in
            try await deleteModelVersion(version)
        }
        return try await ready(version, within: limit)
    }

    private func postModelVersion(
        _ new: NewModelVersion, _ effect: EffectKey?
    ) async throws(MLflowError) -> ModelVersion {
        struct Body: Encodable {
            var name: String
            var source: String
            var modelId: String?
            var runId: String?
            var description: String?
            var tags: [Pair]
        }
        var tags = new.tags
        if let effect { tags[EffectKey.tag] = effect.text }
        let body = Body(
            name: new.name, source: new.source, modelId: new.modelID, runId: new.runID,
            description: new.description, tags: Pair.list(tags))
        return try await modelVersion(
            .post(
                "mlflow/model-versions/create", body, to: "create a version of the model", new.name,
                isRepeatable: false))
    }

    private func ready(
        _ version: ModelVersion, within limit: Duration
    ) async throws(MLflowError) -> ModelVersion {
        var version = version
        var waited = Duration.zero
        while version.status != .ready {
            let subject = "\(version.name) \(version.version)"
            guard version.status == .pending, waited < limit else {
                throw MLflowError(
                    .registrationFailed, operation: "register the version", subject: subject,
                    message: version.status == .pending
                        ? "it is still pending after \(waited)"
                        : version.statusMessage ?? "the registry gave it up")
            }
            try await pause(.milliseconds(500))
            waited += .milliseconds(500)
            version = try await modelVersion(named: version.name, version: version.version)
        }
        return version
    }

    package func modelVersion(
        named name: String, version: String
    ) async throws(MLflowError) -> ModelVersion {
        guard Int64(version) != nil else {
            throw MLflowError(
                .notFound, operation: "get the version", subject: "\(name) \(version)",
                message: "a version is a whole number")
        }
        return try await modelVersion(
            .get(
                "mlflow/model-versions/get", [("name", name), ("version", version)],
                to: "get the version", "\(name) \(version)"))
    }

    package func modelVersion(
        named name: String, alias: String
    ) async throws(MLflowError) -> ModelVersion {
        try await modelVersion(
            .get(
                "mlflow/registered-models/alias", [("name", name), ("alias", alias)],
                to: "get the version", "\(name)@\(alias)"))
    }

    /// The version with the highest number among those that are ready; `nil` when there is none.
    package func latestVersion(of name: String) async throws(MLflowError) -> ModelVersion? {
        let newest = try await searchModelVersions(named: name, limit: 20)
        return newest.filter { $0.status == .ready }.max { $0.number < $1.number }
    }

    /// Newest first unless `order` is "ASC".
    package func searchModelVersions(
        named name: String, filter: String = "", order: String = "DESC", limit: Int = 1000
    ) async throws(MLflowError) -> [ModelVersion] {
        struct Answer: Decodable {
            var modelVersions: [WireModelVersion]?
            var nextPageToken: String?
        }
        let operation = "search versions of the model"
        var whole = "name=" + (try SearchFilter.literal(name, operation: operation))
        if !filter.isEmpty { whole += " AND " + filter }
        return try await collect(limit: limit, pageSize: 200) { count, token throws(MLflowError) in
            var query = [
                ("filter", whole), ("max_results", String(count)),
                ("order_by", "version_number " + order),
            ]
            if let token { query.append(("page_token", token)) }
            return try await registry.perform(
                .get("mlflow/model-versions/search", query, to: operation, name), as: Answer.self
            ) { answer throws(MissingField) in
                var versions: [ModelVersion] = []
                for wire in answer.modelVersions ?? [] { versions.append(try wire.modelVersion()) }
                return Page(values: versions, token: answer.nextPageToken)
            }
        }
    }

    /// Points an alias at a version, away from another one if need be.
    package func setAlias(
        _ alias: String, to version: ModelVersion
    ) async throws(MLflowError) {
        struct Body: Encodable {
            var name: String
            var alias: String
            var version: String
        }
        try await registry.perform(
            .post(
                "mlflow/registered-models/alias",
                Body(name: version.name, alias: alias, version: version.version),
                to: "set the alias", "\(version.name)@\(alias)"))
    }

    package func deleteAlias(_ alias: String, of name: String) async throws(MLflowError) {
        struct Body: Encodable {
            var name: String
            var alias: String
        }
        try await registry.perform(
            ServerChannel.Call(
                method: .delete, path: "mlflow/registered-models/alias",
                body: Body(name: name, alias: alias), operation: "delete the alias",
                subject: "\(name)@\(alias)"))
    }

    package func setTag(
        _ key: String, to value: String, on version: ModelVersion
    ) async throws(MLflowError) {
        struct Body: Encodable {
            var name: String
            var version: String
            var key: String
            var value: String
        }
        try await registry.perform(
            .post(
                "mlflow/model-versions/set-tag",
                Body(name: version.name, version: version.version, key: key, value: value),
                to: "tag the version", "\(version.name) \(version.version)"))
    }

    package func deleteModelVersion(_ version: ModelVersion) async throws(MLflowError) {
        struct Body: Encodable {
            var name: String
            var version: String
        }
        try await registry.perform(
            ServerChannel.Call(
                method: .delete, path: "mlflow/model-versions/delete",
                body: Body(name: version.name, version: version.version),
                operation: "delete the version", subject: "\(version.name) \(version.version)"))
    }

    /// Where the files of a version are, in MLflow's words: an artifact URI.
    func downloadURI(of version: ModelVersion) async throws(MLflowError) -> String {
        struct Answer: Decodable { var artifactUri: String? }
        return try await registry.perform(
            .get(
                "mlflow/model-versions/get-download-uri",
                [("name", version.name), ("version", version.version)],
                to: "find the files of the version", "\(version.name) \(version.version)"),
            as: Answer.self
        ) { answer throws(MissingField) in try answer.artifactUri.required("artifact_uri") }
    }

    // MARK: Helpers

    private func modelVersion(_ call: ServerChannel.Call) async throws(MLflowError) -> ModelVersion
    {
        struct Answer: Decodable { var modelVersion: WireModelVersion? }
        return try await registry.perform(call, as: Answer.self) { answer throws(MissingField) in
            try answer.modelVersion.required("model_version").modelVersion()
        }
    }

    private func registeredModel(
        _ call: ServerChannel.Call
    ) async throws(MLflowError) -> RegisteredModel {
        struct Answer: Decodable { var registeredModel: WireRegisteredModel? }
        return try await registry.perform(call, as: Answer.self) { answer throws(MissingField) in
            try answer.registeredModel.required("registered_model").model()
        }
    }

    func absentAsNil<Value>(
        _ body: () async throws(MLflowError) -> Value
    ) async throws(MLflowError) -> Value? {
        do {
            return try await body()
        } catch {
            if error.kind == .notFound { return nil }
            throw error
        }
    }

    static func checkRegistryName(_ name: String) throws(MLflowError) {
        guard !name.isEmpty, name.count <= 250, !name.contains("/"), !name.contains(":") else {
            throw MLflowError(
                .invalidValue, operation: "register the model", subject: name,
                message: "a registered model's name has 1 to 250 characters and no '/' or ':'")
        }
    }
}
