/// A model stored by a run, registered or not.
///
/// MLflow 3 keeps it as an object of its own; on MLflow 2, which has none, it is a folder among the
/// run's artifacts and `id` is `nil`.
package struct LoggedModel: Sendable, Hashable, Codable {
    package enum Status: String, Sendable, Hashable, Codable {
        case pending = "LOGGED_MODEL_PENDING"
        case ready = "LOGGED_MODEL_READY"
        case failed = "LOGGED_MODEL_UPLOAD_FAILED"
    }

    /// `m-` and 32 hexadecimal digits.
    package let id: String?
    package let experimentID: String
    package let name: String
    package let runID: String?
    package let artifactURI: String
    /// `nil`: a status this version does not know.
    package let status: Status?
    package let parameters: [String: String]
    package let tags: [String: String]
    package let creationTime: Int64?

    /// What a model version names as its source, and `mlflow.pyfunc.load_model` accepts.
    package var uri: String { id.map { "models:/" + $0 } ?? artifactURI }
}

struct WireLoggedModel: Decodable {
    struct Info: Decodable {
        var modelId: String?
        var experimentId: String?
        var name: String?
        var creationTimestampMs: LooseInteger?
        var artifactUri: String?
        var status: String?
        var sourceRunId: String?
        var tags: [Pair]?
    }
    struct Content: Decodable {
        var params: [Pair]?
    }
    var info: Info?
    var data: Content?

    func model() throws(MissingField) -> LoggedModel {
        let info = try info.required("info")
        return LoggedModel(
            id: try info.modelId.required("model_id"),
            experimentID: try info.experimentId.required("experiment_id"), name: info.name ?? "",
            runID: info.sourceRunId, artifactURI: try info.artifactUri.required("artifact_uri"),
            status: info.status.flatMap(LoggedModel.Status.init(rawValue:)),
            parameters: Pair.dictionary(data?.params), tags: Pair.dictionary(info.tags),
            creationTime: info.creationTimestampMs?.value)
    }
}
