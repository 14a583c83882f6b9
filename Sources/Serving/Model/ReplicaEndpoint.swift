package import NIOCore

/// A model server as the gateway sees it: in its own process (`ModelServer`), or several of them in
/// processes apart (`ReplicaPool`).
///
/// Predictions go through as bytes both ways, so that an endpoint elsewhere needs no second format.
package protocol ReplicaEndpoint: Sendable {
    /// The version that answers now; nil before the first load and after an unload.
    var servedVersion: ServableVersion? { get }

    /// Decodes, validates, predicts and encodes. Every outcome is a reply; nothing is thrown.
    func predict(_ request: PredictRequest) async -> Reply

    /// Reads the model directory, warms it up and puts it in the old model's place.
    ///
    /// Throws `badModel` and changes nothing where the directory is not a model that can be served.
    func install(
        _ directory: String, version: ServableVersion
    ) async throws(GatewayError) -> InstalledModel

    /// Takes the model away; later predictions answer 503. Returns the version that was served.
    func unload() async -> ServableVersion?
}

/// A prediction to make.
package struct PredictRequest: Sendable {
    /// The body, unpacked: JSON, or what its style says.
    package let body: ByteBuffer
    /// Named in the reply.
    package let requestID: String
    /// The line that loads a model, for the reply when none is loaded.
    package let loadCommand: String
    /// The model asked for by name; nil means the current one. Read by `ModelShelf` alone.
    package var model: String?
    /// The version that must answer; nil takes any. Read by `ModelShelf` alone.
    package var version: String?
    /// Which route's keys the reply has.
    package var style = Style.predict

    /// Bytes of the JSON before binary tensors; nil where the whole body is JSON.
    package var jsonSize: Int?

    /// The spellings of a prediction.
    package enum Style: String, Sendable {
        /// `predictions`, `probabilities` and who answered; errors as FastAPI's and problem bodies.
        case predict
        /// As `predict`, with each feature's contributions (`?explain=shap`).
        case explain
        /// `prediction` and `status`; one row may come without its outer list.
        case serve
        /// Tensors in and out, as the Open Inference Protocol has them.
        case openInference
        /// KServe's first protocol: `instances` in, `predictions` out.
        case kserve
        /// MLflow's scoring server: exactly one of its forms in, `predictions` out.
        case mlflow
        /// The same with a table as CSV.
        case mlflowCSV
    }
}

/// What an install leaves behind for the load's reply.
package struct InstalledModel: Sendable {
    package let previous: ServableVersion?
    /// Bare hex of the file that is served.
    package let sha256: String
    /// `{"inputs": […], "outputs": […]}` in MLflow's column form.
    package let signatureJSON: String
}
