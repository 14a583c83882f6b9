/// What can go wrong on the way from a model's name to a served model. The HTTP layer turns each
/// case into one status; the texts are for people and name the next step.
package enum GatewayError: Error, Hashable {
    /// A setting that cannot be served; the gateway does not start.
    case configuration(String)
    /// A field of a load request contradicts another or is malformed: 422.
    case selector(field: String, String)
    /// An empty load request, and more than one model to choose from: 409.
    case ambiguous(models: [String])
    /// Nothing is registered yet: 404.
    case registryEmpty
    /// No such model; `nearest` are the most similar registered names: 404.
    case modelNotFound(name: String, nearest: [String])
    /// The model has no such version or alias; `existing` are the newest that exist: 404.
    case versionNotFound(name: String, wanted: String, existing: [String])
    /// The registry or artefact store did not answer, or not sensibly: 502, or 504 on time-out.
    case upstream(hop: String, reason: String, timedOut: Bool)
    /// The artefact is not a model we can serve: 422.
    case badModel(name: String, version: String, reason: String)
    /// No disk space for the download, or another local fault: 507.
    case storage(String)
    /// Too many loads or predictions at once: 503 with `Retry-After`.
    case busy(String)
}

extension GatewayError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .configuration(let text), .storage(let text), .busy(let text): text
        case .selector(_, let text): text
        case .ambiguous(let models):
            "several models are registered (\(Self.list(models))); name one, for example "
                + "{\"name\": \"\(models.first ?? "")\"}"
        case .registryEmpty:
            "no model is registered yet; train one, for example: job submit jobs/train.swift"
        case .modelNotFound(let name, let nearest):
            "no registered model is named '\(name)'"
                + (nearest.isEmpty ? "" : "; nearest: \(Self.list(nearest))")
        case .versionNotFound(let name, let wanted, let existing):
            "model '\(name)' has no \(wanted)"
                + (existing.isEmpty ? "; it has no versions" : "; existing: \(Self.list(existing))")
        case .upstream(let hop, let reason, let timedOut):
            "\(hop) \(timedOut ? "did not answer in time" : "failed"): \(reason)"
        case .badModel(let name, let version, let reason):
            "version \(version) of model '\(name)' cannot be served: \(reason)"
        }
    }

    /// The first twenty, so that a message stays short whatever the registry holds.
    static func list(_ names: [String]) -> String {
        let shown = names.prefix(20).joined(separator: ", ")
        return names.count > 20 ? shown + " and \(names.count - 20) more" : shown
    }
}
