import DecisionForests

/// Turns what a person asked for into one version, or into an error that says what there is.
struct ModelResolver {
    let source: any ModelSource
    /// What an empty request means; nil lets the registry's content decide.
    let defaultModel: ModelSelector?

    /// The model that an empty request loads if several are registered: that of `jobs/train.swift`.
    static let exampleModel = "RandomForestClassifierModel"

    func resolve(_ selector: ModelSelector) async throws(GatewayError) -> ServableVersion {
        let wanted = try selector.normalised()
        if let runID = wanted.runID { return try await byRun(runID, name: wanted.name) }
        let name = try await name(for: wanted)
        if let version = wanted.version {
            let found = try await source.version(version, of: name)
            return try await require(found, name: name, wanted: "version \(version)")
        }
        if let alias = wanted.alias {
            let found = try await source.version(alias: alias, of: name)
            return try await require(found, name: name, wanted: "alias '\(alias)'")
        }
        if wanted.isEmpty, let defaultModel, !defaultModel.isEmpty, defaultModel != wanted {
            return try await resolve(defaultModel)
        }
        let latest = try await source.latestVersion(of: name)
        return try await require(latest, name: name, wanted: "versions")
    }

    /// The name asked for, else the configured one, else the only one, else the example's.
    private func name(for wanted: ModelSelector) async throws(GatewayError) -> String {
        if let name = wanted.name { return name }
        if let configured = try defaultModel?.normalised().name { return configured }
        let names = try await source.modelNames()
        if names.count == 1, let only = names.first { return only }
        if names.contains(Self.exampleModel) { return Self.exampleModel }
        guard !names.isEmpty else { throw .registryEmpty }
        throw .ambiguous(models: names.sorted())
    }

    private func byRun(_ runID: String, name: String?) async throws(GatewayError) -> ServableVersion
    {
        if let found = try await source.version(runID: runID, name: name) { return found }
        throw .versionNotFound(
            name: name ?? "any model", wanted: "version registered by run \(runID)", existing: [])
    }

    private func require(
        _ version: ServableVersion?, name: String, wanted: String
    ) async throws(GatewayError) -> ServableVersion {
        if let version { return version }
        let names = try await source.modelNames()
        guard names.contains(name) else {
            throw .modelNotFound(name: name, nearest: SimilarNames.nearest(to: name, in: names))
        }
        let existing = try await source.versionNumbers(of: name)
        throw .versionNotFound(name: name, wanted: wanted, existing: existing)
    }
}
