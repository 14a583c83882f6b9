/// A name in the registry, with its aliases.
package struct RegisteredModel: Sendable, Hashable {
    package let name: String
    package let description: String
    package let tags: [String: String]
    /// Version by alias.
    package let aliases: [String: String]
    package let creationTime: Int64?
    package let lastUpdateTime: Int64?
}

/// One version of a registered model.
package struct ModelVersion: Sendable, Hashable {
    package enum Status: String, Sendable, Hashable {
        case pending = "PENDING_REGISTRATION"
        case ready = "READY"
        case failed = "FAILED_REGISTRATION"
    }

    package let name: String
    /// A whole number from 1, as MLflow writes it.
    package let version: String
    package let description: String
    /// "None", "Staging", "Production" or "Archived".
    package let stage: String
    package let source: String
    package let runID: String?
    package let modelID: String?
    /// `nil`: a status this version does not know.
    package let status: Status?
    package let statusMessage: String?
    package let tags: [String: String]
    package let aliases: [String]
    package let creationTime: Int64?
    package let lastUpdateTime: Int64?

    package var number: Int64 { Int64(version) ?? 0 }
}

struct WireRegisteredModel: Decodable {
    struct Alias: Decodable {
        var alias: String?
        var version: VersionText?
    }
    var name: String?
    var description: String?
    var tags: [Pair]?
    var aliases: [Alias]?
    var creationTimestamp: LooseInteger?
    var lastUpdatedTimestamp: LooseInteger?

    func model() throws(MissingField) -> RegisteredModel {
        var versions: [String: String] = [:]
        for alias in aliases ?? [] {
            if let name = alias.alias, let version = alias.version { versions[name] = version.text }
        }
        return RegisteredModel(
            name: try name.required("name"), description: description ?? "",
            tags: Pair.dictionary(tags), aliases: versions,
            creationTime: creationTimestamp?.value, lastUpdateTime: lastUpdatedTimestamp?.value)
    }
}

/// A version, which some servers send as a number.
struct VersionText {
    let text: String
}

extension VersionText: Decodable {
    init(from decoder: any Decoder) throws {
        text = String(try LooseInteger(from: decoder).value)
    }
}

struct WireModelVersion: Decodable {
    var name: String?
    var version: VersionText?
    var description: String?
    var currentStage: String?
    var source: String?
    var runId: String?
    var modelId: String?
    var status: String?
    var statusMessage: String?
    var tags: [Pair]?
    var aliases: [String]?
    var creationTimestamp: LooseInteger?
    var lastUpdatedTimestamp: LooseInteger?

    func modelVersion() throws(MissingField) -> ModelVersion {
        ModelVersion(
            name: try name.required("name"), version: try version.required("version").text,
            description: description ?? "", stage: currentStage ?? "None", source: source ?? "",
            runID: runId.flatMap { $0.isEmpty ? nil : $0 }, modelID: modelId,
            // A server without the field registers at once.
            status: status.map { ModelVersion.Status(rawValue: $0) } ?? .ready,
            statusMessage: statusMessage, tags: Pair.dictionary(tags), aliases: aliases ?? [],
            creationTime: creationTimestamp?.value, lastUpdateTime: lastUpdatedTimestamp?.value)
    }
}
