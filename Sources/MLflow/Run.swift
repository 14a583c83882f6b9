package enum RunStatus: String, Sendable, Hashable, Codable {
    case running = "RUNNING"
    case scheduled = "SCHEDULED"
    case finished = "FINISHED"
    case failed = "FAILED"
    case killed = "KILLED"
}

/// One value of a metric. NaN and the infinities are kept by MLflow (infinities as ±1.8e308).
package struct Metric: Sendable, Hashable, Codable {
    package var key: String
    package var value: Double
    /// Milliseconds since 1970.
    package var timestamp: Int64
    package var step: Int64
    /// The logged model the value belongs to besides the run.
    package var modelID: String?

    package init(
        key: String, value: Double, timestamp: Int64, step: Int64 = 0, modelID: String? = nil
    ) {
        self.key = key
        self.value = value
        self.timestamp = timestamp
        self.step = step
        self.modelID = modelID
    }
}

/// Data a run read. Name and digest together identify it.
package struct DatasetInput: Sendable, Hashable, Codable {
    package var name: String
    /// At most 36 characters.
    package var digest: String
    /// "local", "http", …
    package var sourceType: String
    /// JSON text: `{"uri": …}`.
    package var source: String
    /// JSON text: `{"mlflow_colspec": […]}`.
    package var schema: String?
    /// JSON text: `{"num_rows": …}`.
    package var profile: String?
    /// "training", "evaluation": the tag `mlflow.data.context`.
    package var context: String?

    package init(
        name: String, digest: String, sourceType: String, source: String, schema: String? = nil,
        profile: String? = nil, context: String? = nil
    ) {
        self.name = name
        self.digest = digest
        self.sourceType = sourceType
        self.source = source
        self.schema = schema
        self.profile = profile
        self.context = context
    }
}

/// A run as the server has it.
package struct Run: Sendable, Hashable {
    package let id: String
    package let experimentID: String
    package let name: String
    /// `nil`: a status this version does not know.
    package let status: RunStatus?
    package let startTime: Int64?
    package let endTime: Int64?
    package let artifactURI: String?
    package let isActive: Bool
    /// The last value of each metric.
    package let metrics: [Metric]
    package let parameters: [String: String]
    package let tags: [String: String]
    package let inputs: [DatasetInput]
    /// The logged models that came out of it.
    package let modelIDs: [String]
}

struct WireMetric: Codable {
    var key: String?
    var value: MetricValue?
    var timestamp: LooseInteger?
    var step: LooseInteger?
    var modelId: String?

    init(_ metric: Metric) {
        key = metric.key
        value = MetricValue(metric.value)
        timestamp = LooseInteger(metric.timestamp)
        step = LooseInteger(metric.step)
        modelId = metric.modelID
    }

    var metric: Metric? {
        guard let key, let value else { return nil }
        return Metric(
            key: key, value: value.value, timestamp: timestamp?.value ?? 0, step: step?.value ?? 0,
            modelID: modelId)
    }
}

struct WireDatasetInput: Codable {
    struct Dataset: Codable {
        var name: String?
        var digest: String?
        var sourceType: String?
        var source: String?
        var schema: String?
        var profile: String?
    }
    var tags: [Pair]?
    var dataset: Dataset?

    init(_ input: DatasetInput) {
        tags = input.context.map { [Pair(key: WireDatasetInput.contextTag, value: $0)] }
        dataset = Dataset(
            name: input.name, digest: input.digest, sourceType: input.sourceType,
            source: input.source, schema: input.schema, profile: input.profile)
    }

    var input: DatasetInput? {
        guard let dataset, let name = dataset.name else { return nil }
        return DatasetInput(
            name: name, digest: dataset.digest ?? "", sourceType: dataset.sourceType ?? "",
            source: dataset.source ?? "", schema: dataset.schema, profile: dataset.profile,
            context: Pair.dictionary(tags)[WireDatasetInput.contextTag])
    }

    private static let contextTag = "mlflow.data.context"
}

struct WireRun: Decodable {
    struct Info: Decodable {
        var runId: String?
        var runUuid: String?
        var experimentId: String?
        var runName: String?
        var status: String?
        var startTime: LooseInteger?
        var endTime: LooseInteger?
        var artifactUri: String?
        var lifecycleStage: String?
    }
    struct Content: Decodable {
        var metrics: [WireMetric]?
        var params: [Pair]?
        var tags: [Pair]?
    }
    struct Inputs: Decodable {
        var datasetInputs: [WireDatasetInput]?
    }
    struct Outputs: Decodable {
        struct Model: Decodable {
            var modelId: String?
        }
        var modelOutputs: [Model]?
    }
    var info: Info?
    var data: Content?
    var inputs: Inputs?
    var outputs: Outputs?

    func run() throws(MissingField) -> Run {
        let info = try info.required("info")
        return Run(
            id: try (info.runId ?? info.runUuid).required("run_id"),
            experimentID: try info.experimentId.required("experiment_id"),
            name: info.runName ?? "", status: info.status.flatMap(RunStatus.init(rawValue:)),
            startTime: info.startTime?.value, endTime: info.endTime?.value,
            artifactURI: info.artifactUri, isActive: info.lifecycleStage != "deleted",
            metrics: (data?.metrics ?? []).compactMap(\.metric),
            parameters: Pair.dictionary(data?.params), tags: Pair.dictionary(data?.tags),
            inputs: (inputs?.datasetInputs ?? []).compactMap(\.input),
            modelIDs: (outputs?.modelOutputs ?? []).compactMap(\.modelId))
    }
}
