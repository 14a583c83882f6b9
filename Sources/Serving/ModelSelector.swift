/// Which model somebody wants: what the body of `/model/load` says, or the configured default.
///
/// All fields nil means "the obvious one": the configured model, or the only one registered.
package struct ModelSelector: Sendable, Hashable, Codable {
    /// A registered model's name.
    package var name: String?
    /// Its version, as the registry writes it ("3"); nil means the latest.
    package var version: String?
    /// An alias of the model ("champion") instead of a version.
    package var alias: String?
    /// The run that registered the version wanted.
    package var runID: String?
    /// `models:/Name/3`, `models:/Name@alias`, `models:/Name` (also `/latest`).
    package var uri: String?

    package init(
        name: String? = nil, version: String? = nil, alias: String? = nil, runID: String? = nil,
        uri: String? = nil
    ) {
        self.name = name
        self.version = version
        self.alias = alias
        self.runID = runID
        self.uri = uri
    }

    /// True when nothing is chosen.
    package var isEmpty: Bool {
        name == nil && version == nil && alias == nil && runID == nil && uri == nil
    }

    /// The selector with a `models:/` URI taken apart; throws where fields contradict each other.
    package func normalised() throws(GatewayError) -> ModelSelector {
        guard let uri else {
            try checkFields()
            return self
        }
        guard name == nil, version == nil, alias == nil, runID == nil else {
            throw .selector(
                field: "uri", "give uri alone, or name with version or alias, not both")
        }
        let parts = try Self.parse(uri: uri)
        try parts.checkFields()
        return parts
    }

    private func checkFields() throws(GatewayError) {
        if version != nil && alias != nil {
            throw .selector(field: "alias", "give version or alias, not both")
        }
        if runID != nil && (version != nil || alias != nil) {
            throw .selector(field: "run_id", "give run_id or version or alias, only one of them")
        }
        try Self.check("name", name)
        try Self.check("alias", alias)
        try Self.check("run_id", runID)
        if let version {
            let digits = version.utf8.allSatisfy { (48...57).contains($0) }
            guard digits, !version.isEmpty, version.utf8.count <= 18, version.utf8.first != 48
            else {
                throw .selector(field: "version", "version must be a whole number from 1 up")
            }
        }
    }

    /// A name becomes part of URLs and of the cache's file names' digest: bounded, no control
    /// bytes.
    private static func check(_ field: String, _ value: String?) throws(GatewayError) {
        guard let value else { return }
        let isPlain = value.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
        guard !value.isEmpty, value.utf8.count <= 256, isPlain else {
            throw .selector(
                field: field, "\(field) must be 1 to 256 bytes without control characters")
        }
    }

    private static func parse(uri: String) throws(GatewayError) -> ModelSelector {
        let scheme = "models:/"
        guard uri.hasPrefix(scheme), uri.utf8.count <= 600 else {
            throw .selector(
                field: "uri",
                "uri must look like models:/Name/3, models:/Name@alias or models:/Name")
        }
        let rest = uri.dropFirst(scheme.count)
        if let at = rest.lastIndex(of: "@") {
            return ModelSelector(
                name: String(rest[..<at]), alias: String(rest[rest.index(after: at)...]))
        }
        guard let slash = rest.lastIndex(of: "/") else { return ModelSelector(name: String(rest)) }
        let version = rest[rest.index(after: slash)...]
        return ModelSelector(
            name: String(rest[..<slash]), version: version == "latest" ? nil : String(version))
    }
}
