package import MLflow

/// Models of an MLflow registry, over REST.
package struct RegistryModelSource: ModelSource {
    private let client: MLflowClient

    /// A source over `configuration`'s server. Someone waits for a load's reply, so attempts are
    /// few.
    package init(_ configuration: MLflowConfiguration) {
        var hasty = configuration
        hasty.retriesMax = min(configuration.retriesMax, 2)
        hasty.timeout = min(configuration.timeout, .seconds(30))
        client = MLflowClient(hasty)
    }

    package var displayURI: String { client.configuration.publicURL }

    package func modelNames() async throws(GatewayError) -> [String] {
        try await asking { () throws(MLflowError) in
            try await client.registeredModels().map(\.name)
        }
    }

    package func latestVersion(of name: String) async throws(GatewayError) -> ServableVersion? {
        try await found { () throws(MLflowError) in try await client.latestVersion(of: name) }
    }

    package func version(
        _ version: String, of name: String
    ) async throws(GatewayError) -> ServableVersion? {
        try await found { () throws(MLflowError) in
            try await client.modelVersion(named: name, version: version)
        }
    }

    package func version(
        alias: String, of name: String
    ) async throws(GatewayError) -> ServableVersion? {
        try await found { () throws(MLflowError) in
            try await client.modelVersion(named: name, alias: alias)
        }
    }

    package func version(
        runID: String, name: String?
    ) async throws(GatewayError) -> ServableVersion? {
        guard Self.isRunID(runID) else { return nil }
        var names = try await modelNames()
        if let name { names = names.filter { $0 == name } }
        for name in names.prefix(Self.searchedNamesMax) {
            let version = try await found { () throws(MLflowError) in
                try await client.searchModelVersions(
                    named: name, filter: "run_id = '\(runID)'", limit: 1
                ).first
            }
            if let version { return version }
        }
        return nil
    }

    /// Models asked about one run; MLflow has no search over all names with a run in one call that
    /// every server version answers.
    private static let searchedNamesMax = 100

    package func versionNumbers(of name: String) async throws(GatewayError) -> [String] {
        try await asking { () throws(MLflowError) in
            try await client.searchModelVersions(named: name, limit: 50).map(\.version)
        }
    }

    package func fetch(
        _ version: ServableVersion, into directory: String
    ) async throws(GatewayError) {
        do {
            let known = try await client.modelVersion(
                named: version.name, version: version.version)
            _ = try await client.downloadModel(known, to: directory)
        } catch {
            throw Self.translated(error)
        }
    }

    private func found(
        _ ask: () async throws(MLflowError) -> ModelVersion?
    ) async throws(GatewayError) -> ServableVersion? {
        do throws(MLflowError) {
            return try await ask().map(Self.servable)
        } catch {
            if error.kind == .notFound || error.kind == .deleted { return nil }
            throw Self.translated(error)
        }
    }

    private func asking<Value>(
        _ ask: () async throws(MLflowError) -> Value
    ) async throws(GatewayError) -> Value {
        do throws(MLflowError) {
            return try await ask()
        } catch {
            throw Self.translated(error)
        }
    }

    private static func servable(_ version: ModelVersion) -> ServableVersion {
        ServableVersion(
            name: version.name, version: version.version, stage: version.stage,
            description: version.description, creationTimestamp: version.creationTime ?? 0,
            runID: version.runID, source: version.source)
    }

    /// The hop that failed, as the person who asked for a load needs to know it.
    private static func translated(_ error: MLflowError) -> GatewayError {
        switch error.kind {
        case .fileFailed: .storage("\(error)")
        case .unreachable:
            .upstream(
                hop: "MLflow", reason: "\(error)", timedOut: "\(error)".contains("timed out"))
        case .cancelled: .upstream(hop: "MLflow", reason: "\(error)", timedOut: true)
        default: .upstream(hop: "MLflow", reason: "\(error)", timedOut: false)
        }
    }

    private static func isRunID(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}
