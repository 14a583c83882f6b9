/// What a new run is given.
package struct NewRun: Sendable, Hashable {
    package var experimentID: String
    package var name: String?
    package var user: String?
    package var tags: [String: String]
    package var parentRunID: String?
    /// Milliseconds since 1970; nil: now.
    package var startTime: Int64?

    package init(
        experimentID: String, name: String? = nil, user: String? = nil,
        tags: [String: String] = [:], parentRunID: String? = nil, startTime: Int64? = nil
    ) {
        self.startTime = startTime
        self.experimentID = experimentID
        self.name = name
        self.user = user
        self.tags = tags
        self.parentRunID = parentRunID
    }
}

extension MLflowClient {
    /// Makes a run, or finds the one that `effectKey` made before.
    package func createRun(
        _ new: NewRun, effectKey: String? = nil
    ) async throws(MLflowError) -> Run {
        let effect = try effectKey.map { text throws(MLflowError) in try EffectKey(text) }
        return try await createOnce(effect, kind: "run/" + new.experimentID) {
            key throws(MLflowError) in
            try await searchRuns(
                experimentIDs: [new.experimentID], filter: SearchFilter.effect(key),
                orderBy: ["attributes.start_time ASC"], limit: 10)
        } create: { () throws(MLflowError) in
            try await postRun(new, effect)
        } discard: { run throws(MLflowError) in
            try await deleteRun(run.id)
        }
    }

    private func postRun(_ new: NewRun, _ effect: EffectKey?) async throws(MLflowError) -> Run {
        struct Body: Encodable {
            var experimentId: String
            var runName: String?
            var userId: String?
            var startTime: Int64
            var tags: [Pair]
        }
        var tags = new.tags
        if let name = new.name { tags["mlflow.runName"] = name }
        if let user = new.user { tags["mlflow.user"] = user }
        if let parent = new.parentRunID { tags["mlflow.parentRunId"] = parent }
        if let effect { tags[EffectKey.tag] = effect.text }
        let body = Body(
            experimentId: new.experimentID, runName: new.name, userId: new.user,
            startTime: new.startTime ?? now(), tags: Pair.list(tags))
        return try await run(
            .post(
                "mlflow/runs/create", body, to: "create the run", new.name ?? "unnamed",
                isRepeatable: false))
    }

    package func run(id: String) async throws(MLflowError) -> Run {
        try await run(.get("mlflow/runs/get", [("run_id", id)], to: "get the run", id))
    }

    private func run(_ call: ServerChannel.Call) async throws(MLflowError) -> Run {
        struct Answer: Decodable { var run: WireRun? }
        return try await tracking.perform(call, as: Answer.self) { answer throws(MissingField) in
            try answer.run.required("run").run()
        }
    }

    /// Sets what is given and leaves the rest.
    package func updateRun(
        _ id: String, status: RunStatus? = nil, endTime: Int64? = nil, name: String? = nil
    ) async throws(MLflowError) {
        struct Body: Encodable {
            var runId: String
            var status: RunStatus?
            var endTime: Int64?
            var runName: String?
        }
        try await tracking.perform(
            .post(
                "mlflow/runs/update",
                Body(runId: id, status: status, endTime: endTime, runName: name),
                to: "update the run", id))
    }

    package func deleteRun(_ id: String) async throws(MLflowError) {
        struct Body: Encodable { var runId: String }
        try await tracking.perform(
            .post("mlflow/runs/delete", Body(runId: id), to: "delete the run", id))
    }

    /// Active runs in the given order, the newest first unless said otherwise.
    package func searchRuns(
        experimentIDs: [String], filter: String = "",
        orderBy: [String] = ["attributes.start_time DESC"], limit: Int = 1000
    ) async throws(MLflowError) -> [Run] {
        struct Body: Encodable {
            var experimentIds: [String]
            var filter: String
            var runViewType = "ACTIVE_ONLY"
            var maxResults: Int
            var orderBy: [String]
            var pageToken: String?
        }
        struct Answer: Decodable {
            var runs: [WireRun]?
            var nextPageToken: String?
        }
        return try await collect(limit: limit, pageSize: 1000) { count, token throws(MLflowError) in
            let body = Body(
                experimentIds: experimentIDs, filter: filter, maxResults: count, orderBy: orderBy,
                pageToken: token)
            return try await tracking.perform(
                .post("mlflow/runs/search", body, to: "search runs", filter), as: Answer.self
            ) { answer throws(MissingField) in
                var runs: [Run] = []
                for wire in answer.runs ?? [] { runs.append(try wire.run()) }
                return Page(values: runs, token: answer.nextPageToken)
            }
        }
    }

    /// Every logged value of one metric, in the server's order.
    package func metricHistory(
        of key: String, run id: String, limit: Int = 100_000
    ) async throws(MLflowError) -> [Metric] {
        struct Answer: Decodable {
            var metrics: [WireMetric]?
            var nextPageToken: String?
        }
        return try await collect(limit: limit, pageSize: 25_000) {
            count, token throws(MLflowError) in
            var query = [("run_id", id), ("metric_key", key), ("max_results", String(count))]
            if let token { query.append(("page_token", token)) }
            let answer = try await tracking.perform(
                .get("mlflow/metrics/get-history", query, to: "read the metric's history", key),
                as: Answer.self)
            return Page(
                values: (answer.metrics ?? []).compactMap(\.metric), token: answer.nextPageToken)
        }
    }

    /// Adds datasets to what a run read.
    package func logInputs(
        _ inputs: [DatasetInput], run id: String
    ) async throws(MLflowError) {
        struct Body: Encodable {
            var runId: String
            var datasets: [WireDatasetInput]
        }
        for input in inputs where input.digest.isEmpty || input.digest.count > 36 {
            throw invalid(
                "log the dataset", input.name, "a dataset's digest has 1 to 36 characters")
        }
        try await tracking.perform(
            .post(
                "mlflow/runs/log-inputs",
                Body(runId: id, datasets: inputs.map(WireDatasetInput.init)),
                to: "log the datasets of the run", id))
    }

    /// Says that a logged model came out of a run. Saying it twice is once.
    package func logOutput(
        modelID: String, step: Int64 = 0, run id: String
    ) async throws(MLflowError) {
        struct Model: Encodable {
            var modelId: String
            var step: Int64
        }
        struct Body: Encodable {
            var runId: String
            var models: [Model]
        }
        do {
            try await tracking.perform(
                .post(
                    "mlflow/runs/outputs",
                    Body(runId: id, models: [Model(modelId: modelID, step: step)]),
                    to: "log the model as the run's output", modelID))
        } catch {
            // The server's table refuses the second row with its database's own words.
            guard
                error.message.contains("UNIQUE") || error.message.lowercased().contains("duplicate")
            else { throw error }
        }
    }
}
