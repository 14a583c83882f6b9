import ArgumentParser
import Foundation
import MLflow
import Serving

struct GatewayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway",
        abstract: "Load registered models and answer predictions on :8000.")

    @Option(help: "The address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "0 takes any free port.")
    var port = 8000

    @Option(help: "Health and metrics alone; 0 takes any free port.")
    var opsPort = 8002

    @Option(help: "Where routes are mounted; repeatable. Default: / and /fastapi_app.")
    var prefix: [String] = []

    @Option(
        help:
            "What an empty POST /model/load loads: NAME, NAME/VERSION or NAME@ALIAS (MANTA_MODEL).")
    var model: String?

    @Option(help: "A folder of MLflow model directories, instead of a registry.")
    var modelDirectory: String?

    @Option(help: "Keeps downloaded models and the last choice between starts.")
    var stateDir: String?

    @Option(help: "Memory for the files of loaded models, with a unit (2GiB); default: 4GiB.")
    var modelMemory: String?

    @Flag(help: "Beyond loopback, let /model/load through without a token.")
    var openServing = false

    @Option(help: "Peers whose X-Forwarded headers count; repeatable.")
    var trustedProxy: [String] = []

    @Option(
        help: "Further names the Host header may carry; repeatable (MANTA_ALLOWED_HOSTS, commas).")
    var allowedHost: [String] = []

    @OptionGroup var replicas: ReplicaOptions

    @OptionGroup var batching: BatchingOptions

    @OptionGroup var logging: LoggingOptions

    func run() async throws {
        let environment = Environment.current()
        let logger = try logging.makeLogger("gateway", environment)
        let gateway = try Gateway(
            configuration: try configuration(environment), source: try source(environment),
            launcher: ReplicaProcesses(environment: environment.values, logging: logging),
            logger: logger)
        try await runUntilSignalled {
            gateway.stop()
        } _: {
            try await gateway.run()
        }
    }

    private func configuration(_ environment: Environment) throws -> GatewayConfiguration {
        var configuration = GatewayConfiguration()
        configuration.host = host
        configuration.port = port
        configuration.opsPort = opsPort
        if !prefix.isEmpty { configuration.prefixes = prefix }
        if let model = model ?? environment["MANTA_MODEL"] {
            configuration.defaultModel = ModelSelector(uri: "models:/\(model)")
        }
        if let modelMemory {
            configuration.limits.modelBytes = Int(try ByteSize(modelMemory).bytes)
        }
        configuration.token = try environment.token()
        configuration.openServing = openServing
        if !trustedProxy.isEmpty { configuration.trustedProxies = Set(trustedProxy) }
        let hosts = (environment["MANTA_ALLOWED_HOSTS"] ?? "").split(separator: ",").map(
            String.init)
        configuration.allowedHosts = Set(allowedHost + hosts)
        configuration.stateDirectory = stateDir ?? environment.stateDirectory + "/gateway"
        configuration.replicas = try replicas.settings()
        configuration.batching = try batching.settings()
        configuration.version = mantaVersion
        return configuration
    }

    private func source(_ environment: Environment) throws -> any ModelSource {
        if let modelDirectory { return DirectoryModelSource(root: modelDirectory) }
        return RegistryModelSource(try MLflowConfiguration(environment: environment.values))
    }
}
