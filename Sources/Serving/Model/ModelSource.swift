/// Where registered models come from: an MLflow registry, or a directory on this machine.
///
/// Implementations answer questions about names and versions and fetch files; which version an
/// empty request means is decided once, by `ModelResolver`. Every method may throw `upstream`.
package protocol ModelSource: Sendable {
    /// Shown as `mlflow_uri`; holds no credentials.
    var displayURI: String { get }

    /// The names of all registered models, at most a few thousand.
    func modelNames() async throws(GatewayError) -> [String]

    /// The newest version, nil where the model or any version of it is unknown.
    func latestVersion(of name: String) async throws(GatewayError) -> ServableVersion?

    /// One version by number, nil where it is unknown.
    func version(_ version: String, of name: String) async throws(GatewayError) -> ServableVersion?

    /// The version an alias points to, nil where the model has no such alias.
    func version(alias: String, of name: String) async throws(GatewayError) -> ServableVersion?

    /// The newest version that a run registered, of that model where `name` is given.
    func version(runID: String, name: String?) async throws(GatewayError) -> ServableVersion?

    /// The newest version numbers, newest first, for telling a person what exists.
    func versionNumbers(of name: String) async throws(GatewayError) -> [String]

    /// Puts the version's whole MLflow model directory into the existing, empty `directory`.
    func fetch(_ version: ServableVersion, into directory: String) async throws(GatewayError)
}
