import DecisionForests
import Foundation
import MLflow
import Processes

/// The settings this process was started with: the one place where the services read the
/// environment.
///
/// A setting comes from a flag, else from the environment, else from `.env` in the working
/// directory, else from its default. Secrets may also be given as files (`…_FILE`).
struct Environment: Sendable {
    /// Variables, `.env` already beneath them.
    let values: [String: String]

    static func current() -> Environment {
        var values = DotEnv.read(FileManager.default.currentDirectoryPath + "/.env")
        values.merge(ProcessInfo.processInfo.environment) { _, set in set }
        return Environment(values: values)
    }

    /// A variable that is set and not empty.
    subscript(_ name: String) -> String? {
        guard let value = values[name], !value.isEmpty else { return nil }
        return value
    }

    /// The first of several names that is set.
    func first(_ names: String...) -> String? { names.lazy.compactMap { self[$0] }.first }

    // MARK: Where things are

    /// - Parameter flag: `--address`, when given.
    func headAddress(_ flag: String?) -> String {
        // Ray's "auto" means: find the one on this machine.
        let ray = first("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS").flatMap { $0 == "auto" ? nil : $0 }
        let text =
            flag ?? self["MANTA_ADDRESS"] ?? ray
            ?? UpState.read(self)?.head?.url ?? "http://localhost:8265"
        return text.contains("://") ? text : "http://\(text)"
    }

    func gatewayAddress(_ flag: String?) -> String {
        flag ?? first("MANTA_GATEWAY_ADDRESS") ?? UpState.read(self)?.gateway?.url
            ?? "http://localhost:8000"
    }

    func storeURL(_ flag: String?) -> String? { flag ?? first("MANTA_STORE", "REDIS_URL") }

    var namespace: String { self["MANTA_NAMESPACE"] ?? "manta" }

    // MARK: Secrets

    /// `NAME`, else the content of the file that `NAME_FILE` names.
    ///
    /// - Throws: `SettingError` when the file cannot be read.
    func secret(_ name: String) throws -> String? {
        if let value = self[name] { return value }
        guard let path = self[name + "_FILE"] else { return nil }
        return try SecretFile.read(path)
    }

    /// The cluster's token, made on the first start of this machine when `makes` is set.
    func token(makes: Bool = false) throws -> String? {
        if let token = try secret("MANTA_TOKEN") { return token }
        let path = stateDirectory + "/token"
        if FileManager.default.fileExists(atPath: path) { return try SecretFile.read(path) }
        return makes ? try SecretFile.make(path) : nil
    }

    // MARK: Learning

    /// Makes this process use the build of the hot loops that MANTA_KERNELS names, if it names one.
    ///
    /// - Throws: `SettingError` when this machine cannot run it.
    func chooseKernels() throws {
        guard let name = self["MANTA_KERNELS"] else { return }
        do {
            try KernelChoice.use(named: name)
        } catch {
            throw SettingError(error.description)
        }
    }

    /// The tracking server that MLFLOW_TRACKING_URI names.
    func mlflowClient() throws -> MLflowClient {
        guard MLflowConfiguration.isConfigured(in: values) else {
            throw SettingError(
                "MLFLOW_TRACKING_URI is not set. Start a server with `manta up` or `mlflow server` "
                    + "and set MLFLOW_TRACKING_URI=http://127.0.0.1:5000")
        }
        return MLflowClient(try MLflowConfiguration(environment: values))
    }

    // MARK: Folders (XDG base directories; relative values are ignored)

    var stateDirectory: String { folder("XDG_STATE_HOME", ".local/state") }
    var dataDirectory: String { folder("XDG_DATA_HOME", ".local/share") }
    var cacheDirectory: String { folder("XDG_CACHE_HOME", ".cache") }

    /// Sockets and scratch folders: short, because a socket's path has at most 107 bytes.
    var runtimeDirectory: String {
        if let base = self["XDG_RUNTIME_DIR"], base.hasPrefix("/"), base.utf8.count < 60 {
            return base + "/manta"
        }
        return "/tmp/manta-\(getuid())"
    }

    private func folder(_ name: String, _ fallback: String) -> String {
        if let base = self[name], base.hasPrefix("/") { return base + "/manta" }
        return "\(self["HOME"] ?? "/tmp")/\(fallback)/manta"
    }

    // MARK: Programs

    /// The Python environment that script/bootstrap makes.
    var pythonEnvironment: String { self["MANTA_VENV"] ?? dataDirectory + "/venv" }

    /// A program on PATH, or in the Python environment.
    func program(_ name: String) -> String? {
        if let found = ExecutablePath.find(name, values) { return found }
        let own = pythonEnvironment + "/bin/" + name
        return FileManager.default.isExecutableFile(atPath: own) ? own : nil
    }

    /// The SDK folder: `--sdk`, else beside this binary.
    func sdkDirectory(_ flag: String?) -> String? {
        if let given = flag ?? self["MANTA_SDK"] { return given }
        let binary = ExecutablePath.current
        let folder = (binary as NSString).deletingLastPathComponent
        for candidate in ["/../lib/manta-sdk", "/lib/manta-sdk"] {
            let path = (folder + candidate as NSString).standardizingPath
            if FileManager.default.fileExists(atPath: path + "/flags") { return path }
        }
        return nil
    }
}
