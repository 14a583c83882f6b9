import Glibc
import Hummingbird
package import Logging
import NIOCore
import ServiceLifecycle
package import Telemetry

/// A serving node: listens, lets requests in, and answers them with the model it has loaded.
///
///     let gateway = try Gateway(configuration: configuration, source: source, logger: logger)
///     try await gateway.run()            // until a graceful shutdown or a cancellation
///
/// At its start it loads what it served before its last stop, from its own disk, so it comes up
/// while the registry is away; without such a memory it loads the configured model, trying until it
/// can.
package final class Gateway: Service {
    /// What `/metrics` shows; a role may add its own.
    package let registry: MetricRegistry
    private let configuration: GatewayConfiguration
    private let logger: Logger
    private let state = GatewayState()
    /// What it serves.
    let models: ModelShelf
    /// Nil where the model servers are in this process.
    private let fleet: ReplicaFleet?
    private let loader: ModelLoader
    private let mainPort = PortPromise()
    private let opsPort = PortPromise()
    private let services: ServiceGroup

    /// Checks the configuration; nothing listens yet.
    package init(
        configuration: GatewayConfiguration, source: any ModelSource,
        launcher: (any ReplicaLauncher)? = nil,
        registry: MetricRegistry = MetricRegistry(), logger: Logger
    ) throws(GatewayError) {
        self.configuration = try configuration.validated()
        self.registry = registry
        self.logger = logger
        ProcessInstruments.register(
            in: registry, version: configuration.version, role: "gateway")
        let instruments = GatewayInstruments(registry)
        let prefixes = Route.sorted(prefixes: configuration.prefixes)
        for prefix in prefixes { instruments.showDeployment(route: prefix + "/predict") }
        let fleet = try Self.fleet(configuration, launcher, instruments, registry, logger)
        self.fleet = fleet
        models = Self.shelf(configuration, instruments, fleet)
        loader = ModelLoader(
            source: source, models: models, configuration: configuration,
            instruments: instruments, logger: logger)
        let handlers = GatewayHandlers(
            configuration: configuration, state: state, models: models, loader: loader,
            source: source, registry: registry, rules: AccessRules(configuration), fleet: fleet)
        let largeBodies = Admission(limit: configuration.limits.concurrentLargeBodies)
        var responder = GatewayResponder(
            handlers: handlers, instruments: instruments, logger: logger, largeBodies: largeBodies,
            prefixes: prefixes, isForOperations: false)
        var applications: [any Service] = [
            Self.application(
                responder, configuration, state, mainPort, port: configuration.port,
                connections: configuration.limits.connections, logger)
        ]
        if let port = configuration.opsPort {
            responder = GatewayResponder(
                handlers: handlers, instruments: instruments, logger: logger,
                largeBodies: largeBodies, prefixes: [""], isForOperations: true)
            applications.append(
                Self.application(
                    responder, configuration, state, opsPort, port: port, connections: 256, logger))
        }
        var group = ServiceGroupConfiguration(services: applications, logger: logger)
        group.maximumGracefulShutdownDuration = .seconds(30)  // Kubernetes' usual grace
        services = ServiceGroup(configuration: group)
    }

    /// Places for models: in processes of their own, or all in this one with one bound on
    /// predictions at once.
    private static func shelf(
        _ configuration: GatewayConfiguration, _ instruments: GatewayInstruments,
        _ fleet: ReplicaFleet?
    ) -> ModelShelf {
        let (limits, batching) = (configuration.limits, configuration.batching)
        let admission = Admission(limit: limits.concurrentPredictions)
        return ModelShelf(limits: limits, instruments: instruments) {
            if let fleet { return fleet.makePool() }
            return ModelServer(
                limits: limits, instruments: instruments, admission: admission,
                batching: batching)
        }
    }

    /// Nil where the model server is in this process.
    private static func fleet(
        _ configuration: GatewayConfiguration, _ launcher: (any ReplicaLauncher)?,
        _ instruments: GatewayInstruments, _ registry: MetricRegistry, _ logger: Logger
    ) throws(GatewayError) -> ReplicaFleet? {
        guard let settings = configuration.replicas else { return nil }
        guard let launcher else {
            throw .configuration("replicas are asked for, but nothing here can start them")
        }
        let fleet = try ReplicaFleet(
            settings, launcher: launcher, limits: configuration.limits,
            batching: configuration.batching, instruments: instruments, logger: logger)
        fleet.show(in: registry)
        return fleet
    }

    /// The port of the prediction routes, once they listen.
    package func boundPort() async throws -> Int { try await mainPort.value() }

    /// The port of health and metrics, once they listen.
    package func boundOpsPort() async throws -> Int { try await opsPort.value() }

    /// Loads a model as `POST /model/load` does.
    package func load(_ selector: ModelSelector) async throws(GatewayError) -> ModelLoader.Report {
        try await loader.load(selector)
    }

    /// Serves until a graceful shutdown, then lets requests in flight finish.
    package func run() async throws {
        let services = services
        // Detached from this task's own shutdown, which first only ends readiness (`stop`).
        let running = Task.detached { try await services.run() }
        let coldStart = Task { await loadAtStart() }
        defer { coldStart.cancel() }
        do {
            try await withTaskCancellationHandler {
                try await withGracefulShutdownHandler {
                    try await running.value
                } onGracefulShutdown: {
                    self.stop()
                }
            } onCancel: {
                running.cancel()
            }
            await fleet?.stop()
        } catch {
            let cause = explained(error)
            mainPort.settle(.failure(cause))
            opsPort.settle(.failure(cause))
            await fleet?.stop()
            throw cause
        }
    }

    /// A port that is taken, said with the ports and what to do; other errors as they are.
    private func explained(_ error: any Error) -> any Error {
        guard let fault = error as? IOError, fault.errnoCode == EADDRINUSE else { return error }
        let ports = [configuration.port, configuration.opsPort].compactMap { $0 }
        let names = ports.filter { $0 != 0 }.map(String.init).joined(separator: " or ")
        return GatewayError.configuration(
            "port \(names) of \(configuration.host) is in use by another process; end it, or "
                + "choose others with --port and --ops-port")
    }

    /// Begins the end: readiness says no at once, the listeners close after the settle time,
    /// requests in flight finish, and `run` returns.
    package func stop() {
        guard !state.isDraining else { return }
        state.beginDraining()
        logger.info("gateway draining")
        let time = configuration.limits.settleTime
        let services = services
        Task.detached {
            if time > .zero { try await Task.sleep(for: time) }
            await services.triggerGracefulShutdown()
        }
    }

    private static func application(
        _ responder: GatewayResponder, _ configuration: GatewayConfiguration,
        _ state: GatewayState, _ promise: PortPromise, port: Int, connections: Int,
        _ logger: Logger
    ) -> some Service {
        let limits = configuration.limits
        var quiet = logger
        quiet.logLevel = .warning  // Hummingbird's own lines; ours name the same events
        return Application(
            responder: responder,
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [
                        GuardInstaller(limits: limits, isDraining: { state.isDraining })
                    ],
                    idleTimeout: TimeAmount(limits.idleTime),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: limits.headerBytes,
                        maxHeaderListSize: limits.headerBytes, maxHeaderFieldCount: 128))),
            configuration: .init(
                address: .hostname(configuration.host, port: port), backlog: 1_024,
                availableConnectionsDelegate: .maximum(connections, logger: quiet)),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? port
                logger.info("gateway listening", metadata: ["port": "\(port)"])
                promise.settle(.success(port))
            },
            logger: quiet)
    }

    /// Brings a model up without being asked: the remembered one, else the configured one.
    private func loadAtStart() async {
        do {
            if try await loader.loadRemembered() { return }
        } catch {
            logger.warning("remembered model not loaded", metadata: ["error": "\(error)"])
        }
        guard let selector = configuration.defaultModel, !selector.isEmpty else { return }
        var delay = Duration.seconds(1)
        while !Task.isCancelled, !state.isDraining, models.servedVersion == nil {
            do {
                _ = try await loader.load(selector)
                return
            } catch {
                logger.warning(
                    "configured model not loaded", metadata: ["error": "\(error)"])
            }
            // Jitter keeps a restarted fleet from asking the registry all at once.
            do { try await Task.sleep(for: delay * Double.random(in: 0.5...1)) } catch { return }
            delay = min(delay * 2, .seconds(30))
        }
    }
}
