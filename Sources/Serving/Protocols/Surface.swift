import Foundation

/// Whose protocol a route speaks. Each has its own shape of errors, and its clients read no other.
enum Surface: Sendable {
    /// FastAPI's lists and problem bodies.
    case own
    /// Open Inference Protocol: `{"error": "…"}`, and what does not fit is 400.
    case openInference
    /// KServe's first protocol: the same shape.
    case kserve
    /// MLflow's scoring server: `{"error_code": "…", "message": "…"}`; 415 is plain text.
    case mlflow

    /// The protocol of a path below its prefix, whether there is such a route or not.
    static func of(path: Substring) -> Surface {
        if path == "/v2" || path.hasPrefix("/v2/") { return .openInference }
        if path == "/v1" || path.hasPrefix("/v1/") { return .kserve }
        return path == "/invocations" ? .mlflow : .own
    }

    /// The reply with this protocol's body where it is an error, as it is otherwise.
    ///
    /// Refusals come from all parts of the gateway, and from replicas that are processes of their
    /// own, so that the text is read out of the body that they made.
    func shaped(_ reply: Reply) -> Reply {
        guard reply.status >= 400, self != .own else { return reply }
        let body = (try? JSONSerialization.jsonObject(with: Data(reply.body))) as? [String: Any]
        if self != .mlflow, reply.status != 422, body?["error"] is String { return reply }
        let text = Echo.cut(Self.message(in: body ?? [:], status: reply.status), to: 8 << 10)
        var shaped = Reply(status: reply.status == 422 ? 400 : reply.status, body: [])
        shaped.headers = reply.headers
        if self == .mlflow, reply.status == 415 {
            shaped.contentType = "text/plain"
            shaped.body = Array(text.utf8)
            return shaped
        }
        var writer = JSONWriter(capacity: text.utf8.count + 64)
        writer.openObject()
        if self == .mlflow {
            writer.field("error_code", Self.mlflowCode(reply.status))
            writer.field("message", text)
        } else {
            writer.field("error", text)
        }
        writer.closeObject()
        shaped.body = writer.bytes
        return shaped
    }

    /// MLflow's names for what a status says; those it gives its own scoring server's errors.
    private static func mlflowCode(_ status: Int) -> String {
        switch status {
        case 401: "UNAUTHENTICATED"
        case 403: "PERMISSION_DENIED"
        case 404: "RESOURCE_DOES_NOT_EXIST"
        case 405: "ENDPOINT_NOT_FOUND"
        case 503: "TEMPORARILY_UNAVAILABLE"
        case 500...: "INTERNAL_ERROR"
        default: "BAD_REQUEST"
        }
    }

    /// What an error's body says in one sentence.
    private static func message(in body: [String: Any], status: Int) -> String {
        switch body["detail"] {
        case let text as String: return text
        case let problems as [[String: Any]]:
            guard let first = problems.first else { break }
            let more = problems.count > 1 ? " (and further problems)" : ""
            return summary(of: first) + more
        default: break
        }
        return body["error"] as? String ?? "the request failed with status \(status)"
    }

    /// `features[3][1]: Input should be a valid number`.
    private static func summary(of problem: [String: Any]) -> String {
        var place = ""
        for part in problem["loc"] as? [Any] ?? [] {
            if let name = part as? String {
                if name != "body" { place += place.isEmpty ? name : "." + name }
            } else if let index = part as? Int {
                place += "[\(index)]"
            }
        }
        let message = problem["msg"] as? String ?? "the value does not fit"
        return place.isEmpty ? message : place + ": " + message
    }
}
