import Logging
import Serving
import Telemetry

@testable import Serving

/// A gateway on a free port for the time of a test.
final class RunningGateway: Sendable {
    let gateway: Gateway
    let port: Int
    private let running: Task<Void, any Error>

    init(
        source: any ModelSource, _ change: (inout GatewayConfiguration) -> Void = { _ in }
    ) async throws {
        var configuration = GatewayConfiguration()
        configuration.port = 0
        configuration.opsPort = nil
        change(&configuration)
        var logger = Logger(label: "gateway")
        logger.logLevel = .critical
        let gateway = try Gateway(configuration: configuration, source: source, logger: logger)
        running = Task { try await gateway.run() }
        port = try await gateway.boundPort()
        self.gateway = gateway
    }

    /// Runs `body` against a gateway over the models below `folder`, then stops it.
    static func with(
        _ folder: TemporaryFolder, load: ModelSelector? = ModelSelector(),
        _ change: (inout GatewayConfiguration) -> Void = { _ in },
        _ body: (RunningGateway) async throws -> Void
    ) async throws {
        let gateway = try await RunningGateway(
            source: DirectoryModelSource(root: folder.path), change)
        do {
            if let load { _ = try await gateway.gateway.load(load) }
            try await body(gateway)
        } catch {
            try await gateway.stop()
            throw error
        }
        try await gateway.stop()
    }

    func client() throws -> RawClient { try RawClient(port: port) }

    /// One request over a connection of its own.
    func call(
        _ method: String, _ path: String, body: String? = nil, headers: [String: String] = [:]
    ) async throws -> RawClient.Reply {
        try await client().call(method, path, body: body, headers: headers)
    }

    func predict(_ body: String, headers: [String: String] = [:]) async throws -> RawClient.Reply {
        try await call("POST", "/predict", body: body, headers: headers)
    }

    func stop() async throws {
        gateway.stop()
        try await running.value
    }
}
