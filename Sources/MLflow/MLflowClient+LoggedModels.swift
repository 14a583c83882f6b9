internal import HTTPClient

/// What a new logged model is given.
package struct NewLoggedModel: Sendable, Hashable, Codable {
    package var name: String
    /// "classifier", "regressor".
    package var modelType: String?
    package var parameters: [String: String]
    package var tags: [String: String]

    package init(
        name: String, modelType: String? = nil, parameters: [String: String] = [:],
        tags: [String: String] = [:]
    ) {
        self.name = name
        self.modelType = modelType
        self.parameters = parameters
        self.tags = tags
    }

    /// A name for the model that becomes a version of a registered one: MLflow allows fewer
    /// characters in the former's name.
    package static func name(forRegistered registeredName: String) -> String {
        let name = registeredName.map { "/:.%\"'".contains($0) ? "-" : $0 }
        return String(name.prefix(250))
    }
}

extension MLflowClient {
    /// Makes a logged model that waits for its files, or finds the one `effectKey` made before.
    ///
    /// On a server without logged models the model is a folder of that name among the run's
    /// artifacts.
    package func createLoggedModel(
        _ new: NewLoggedModel, run: Run, effectKey: String? = nil
    ) async throws(MLflowError) -> LoggedModel {
        let bad: Set<Character> = ["/", ":", ".", "%", "\"", "'"]
        guard !new.name.isEmpty, new.name.count <= 250, !new.name.contains(where: bad.contains)
        else {
            throw invalid(
                "create the logged model", new.name,
                "a model's name has 1 to 250 characters and none of / : . % \" '")
        }
        let effect = try effectKey.map { text throws(MLflowError) in try EffectKey(text) }
        do {
            return try await createOnce(effect, kind: "model/" + run.experimentID) {
                key throws(MLflowError) in
                try await searchLoggedModels(
                    experimentID: run.experimentID, filter: SearchFilter.effect(key))
            } create: { () throws(MLflowError) in
                try await postLoggedModel(new, run, effect)
            } discard: { model throws(MLflowError) in
                if let id = model.id { try await deleteLoggedModel(id) }
            }
        } catch {
            guard error.kind == .routeMissing, let root = run.artifactURI else { throw error }
            return LoggedModel(
                id: nil, experimentID: run.experimentID, name: new.name, runID: run.id,
                artifactURI: root + "/" + new.name, status: .pending, parameters: new.parameters,
                tags: new.tags, creationTime: now())
        }
    }

    private func postLoggedModel(
        _ new: NewLoggedModel, _ run: Run, _ effect: EffectKey?
    ) async throws(MLflowError) -> LoggedModel {
        struct Body: Encodable {
            var experimentId: String
            var name: String
            var sourceRunId: String
            var modelType: String?
            var params: [Pair]
            var tags: [Pair]
        }
        var tags = new.tags
        if let effect { tags[EffectKey.tag] = effect.text }
        let body = Body(
            experimentId: run.experimentID, name: new.name, sourceRunId: run.id,
            modelType: new.modelType, params: Pair.list(new.parameters), tags: Pair.list(tags))
        return try await loggedModel(
            .post(
                "mlflow/logged-models", body, to: "create the logged model", new.name,
                isRepeatable: false))
    }

    package func loggedModel(id: String) async throws(MLflowError) -> LoggedModel {
        try await loggedModel(
            .get(
                "mlflow/logged-models/" + PercentEncoding.segment(id), to: "get the logged model",
                id))
    }

    /// Says that the files are complete, or that they never will be.
    package func finishLoggedModel(
        _ model: LoggedModel, as status: LoggedModel.Status
    ) async throws(MLflowError) -> LoggedModel {
        struct Body: Encodable {
            var modelId: String
            var status: String
        }
        guard let id = model.id else {
            return LoggedModel(
                id: nil, experimentID: model.experimentID, name: model.name, runID: model.runID,
                artifactURI: model.artifactURI, status: status, parameters: model.parameters,
                tags: model.tags, creationTime: model.creationTime)
        }
        var call = ServerChannel.Call.post(
            "mlflow/logged-models/" + PercentEncoding.segment(id),
            Body(modelId: id, status: status.rawValue), to: "finish the logged model", id)
        call.method = .patch
        return try await loggedModel(call)
    }

    package func deleteLoggedModel(_ id: String) async throws(MLflowError) {
        try await tracking.perform(
            ServerChannel.Call(
                method: .delete, path: "mlflow/logged-models/" + PercentEncoding.segment(id),
                operation: "delete the logged model", subject: id))
    }

    /// Oldest first.
    package func searchLoggedModels(
        experimentID: String, filter: String = "", limit: Int = 100
    ) async throws(MLflowError) -> [LoggedModel] {
        struct Order: Encodable {
            var fieldName = "creation_timestamp"
            var ascending = true
        }
        struct Body: Encodable {
            var experimentIds: [String]
            var filter: String
            var maxResults: Int
            var orderBy = [Order()]
            var pageToken: String?
        }
        struct Answer: Decodable {
            var models: [WireLoggedModel]?
            var nextPageToken: String?
        }
        return try await collect(limit: limit, pageSize: 100) { count, token throws(MLflowError) in
            let body = Body(
                experimentIds: [experimentID], filter: filter, maxResults: count, pageToken: token)
            return try await tracking.perform(
                .post("mlflow/logged-models/search", body, to: "search logged models", filter),
                as: Answer.self
            ) { answer throws(MissingField) in
                var models: [LoggedModel] = []
                for wire in answer.models ?? [] { models.append(try wire.model()) }
                return Page(values: models, token: answer.nextPageToken)
            }
        }
    }

    private func loggedModel(_ call: ServerChannel.Call) async throws(MLflowError) -> LoggedModel {
        struct Answer: Decodable { var model: WireLoggedModel? }
        return try await tracking.perform(call, as: Answer.self) { answer throws(MissingField) in
            try answer.model.required("model").model()
        }
    }
}
