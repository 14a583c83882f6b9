import Telemetry

/// The replies of `POST /model/load`: FastAPI's keys, ours beside them, and errors with a next
/// step.
enum LoadReply {
    static func success(_ report: ModelLoader.Report, trackingURI: String) -> Reply {
        let version = report.version
        var writer = JSONWriter(capacity: 1_024)
        writer.openObject()
        writer.key("model_loaded")
        writer.boolean(true)
        writer.key("model_info")
        writer.openObject()
        writer.field("name", version.name)
        writer.field("version", version.version)
        writer.field("stage", version.stage)
        writer.field(
            "description",
            version.description.isEmpty ? "No description available" : version.description)
        writer.key("creation_timestamp")
        writer.integer(version.creationTimestamp)
        writer.closeObject()
        writer.field("mlflow_uri", trackingURI)
        writer.field("timestamp", WallTime.now().iso8601)
        writer.key("load_ms")
        writer.number((report.duration / .milliseconds(1) * 1_000).rounded() / 1_000)
        writer.field("sha256", report.installed.sha256)
        writer.key("signature")
        writer.raw(report.installed.signatureJSON.utf8)
        writer.field("previous_version", optional: report.installed.previous?.version)
        writer.field("scope", "node")
        writer.closeObject()
        return Reply(body: writer.bytes)
    }

    /// A body that is no selector.
    static func refusal(_ failure: FeatureDecoder.Failure, _ requestID: String) -> Reply {
        switch failure {
        case .invalid(let body): return .validation(body)
        case .unreadable(let text):
            return Problem(
                status: 400, code: "malformed-body", title: "The body cannot be read", detail: text
            ).reply(requestID: requestID)
        case .tooLarge(let text):
            return Problem(
                status: 413, code: "too-large", title: "The request is too large", detail: text
            ).reply(requestID: requestID)
        }
    }

    /// One status for each way a load can fail.
    static func error(
        _ error: GatewayError, _ call: GatewayHandlers.Call, loadCommand: String
    ) -> Reply {
        if case .selector(let field, let text) = error {
            var problems = ProblemList()
            problems.add(
                "value_error", at: ["body", .name(field)], "Value error, " + text, input: .null)
            return .validation(problems.finish())
        }
        return problem(for: error, loadCommand: loadCommand)
            .reply(requestID: call.head.requestID)
    }

    static func problem(for error: GatewayError, loadCommand: String) -> Problem {
        let detail = "\(error)"
        switch error {
        case .ambiguous(let models):
            var writer = JSONWriter()
            writer.openObject()
            writer.field("name", models.first ?? "")
            writer.closeObject()
            let body = String(decoding: writer.bytes, as: UTF8.self)
            return Problem(
                status: 409, code: "model-not-chosen", title: "Several models are registered",
                detail: detail,
                hint: "\(loadCommand) -H 'Content-Type: application/json' -d '\(body)'")
        case .registryEmpty:
            return Problem(
                status: 404, code: "no-models", title: "No model is registered", detail: detail)
        case .modelNotFound:
            return Problem(
                status: 404, code: "model-not-found", title: "Model not found", detail: detail)
        case .versionNotFound:
            return Problem(
                status: 404, code: "version-not-found", title: "Version not found",
                detail: detail)
        case .upstream(_, _, let timedOut):
            return Problem(
                status: timedOut ? 504 : 502, code: "registry-unreachable",
                title: timedOut ? "The registry did not answer in time" : "The registry failed",
                detail: detail, hint: "the model loaded before, if any, goes on answering",
                retryAfter: 5)
        case .badModel:
            return Problem(
                status: 422, code: "model-not-servable", title: "The model cannot be served",
                detail: detail)
        case .storage:
            return Problem(
                status: 507, code: "storage", title: "Local storage failed", detail: detail)
        case .busy:
            return Problem(
                status: 503, code: "overloaded", title: "Too many loads at once", detail: detail,
                retryAfter: 1)
        case .selector, .configuration:
            return Problem(
                status: 422, code: "bad-selector", title: "The selector is not valid",
                detail: detail)
        }
    }
}
