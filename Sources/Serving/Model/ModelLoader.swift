import Logging
import Telemetry

/// Carries out loads, one after another: resolve, fetch, verify, warm up, swap, remember.
///
/// A load that fails at any step changes nothing: the old model goes on answering. Loads run to
/// their end even if the client that asked has gone, and the last one accepted wins.
package actor ModelLoader {
    private let source: any ModelSource
    private let resolver: ModelResolver
    private let endpoint: any ReplicaEndpoint
    private let cache: ModelCache
    private let memory: ServingMemory
    private let configured: ModelSelector?
    private let limits: GatewayConfiguration.Limits
    private let instruments: GatewayInstruments
    private let logger: Logger
    /// The load accepted last; the next one waits for it.
    private var last: Task<Void, Never>?
    private var pendingCount = 0

    init(
        source: any ModelSource, endpoint: any ReplicaEndpoint,
        configuration: GatewayConfiguration, instruments: GatewayInstruments, logger: Logger
    ) {
        self.source = source
        self.endpoint = endpoint
        self.instruments = instruments
        self.logger = logger
        configured = configuration.defaultModel
        limits = configuration.limits
        resolver = ModelResolver(source: source, defaultModel: configuration.defaultModel)
        cache = ModelCache(stateDirectory: configuration.stateDirectory)
        memory = ServingMemory(stateDirectory: configuration.stateDirectory)
    }

    /// What a successful load reports.
    package struct Report: Sendable {
        package let version: ServableVersion
        package let installed: InstalledModel
        package let duration: Duration
    }

    /// Loads what `selector` means now.
    package func load(_ selector: ModelSelector) async throws(GatewayError) -> Report {
        try await inTurn { loader throws(GatewayError) in
            let version = try await loader.resolver.resolve(selector)
            return try await loader.load(version)
        }
    }

    /// Loads what was served before the last stop, from the cache if it is there.
    ///
    /// Nil where nothing was, or where the configuration asks for another model since then.
    package func loadRemembered() async throws(GatewayError) -> Report? {
        guard let choice = memory.recall(), choice.configured == configured else { return nil }
        return try await inTurn { loader throws(GatewayError) in
            try await loader.load(choice.model)
        }
    }

    /// Takes the model away and forgets it.
    package func unload() async throws(GatewayError) -> ServableVersion? {
        try await inTurn { loader in
            loader.memory.forget()
            return await loader.endpoint.unload()
        }
    }

    /// Runs `work` after every load accepted before it.
    private func inTurn<Value: Sendable>(
        _ work: @escaping @Sendable (ModelLoader) async throws(GatewayError) -> Value
    ) async throws(GatewayError) -> Value {
        guard pendingCount < limits.pendingLoads else {
            throw .busy("\(pendingCount) loads are waiting already; try again shortly")
        }
        pendingCount += 1
        defer { pendingCount -= 1 }
        let before = last
        let time = limits.loadTime
        let task = Task { () async -> Result<Value, GatewayError> in
            await before?.value
            return await Self.within(time) { () async -> Result<Value, GatewayError> in
                do throws(GatewayError) {
                    return .success(try await work(self))
                } catch {
                    return .failure(error)
                }
            }
        }
        last = Task { _ = await task.value }
        return try await task.value.get()
    }

    /// The work's result, or a time-out; the work is cancelled then and its end awaited.
    private static func within<Value: Sendable>(
        _ time: Duration,
        _ work: @escaping @Sendable () async -> Result<Value, GatewayError>
    ) async -> Result<Value, GatewayError> {
        await withTaskGroup(of: Result<Value, GatewayError>?.self) { group in
            group.addTask { await work() }
            group.addTask {
                // Cancelled when the work is done first: then nobody reads this result.
                try? await Task.sleep(for: time)
                return nil
            }
            defer { group.cancelAll() }
            if case .some(.some(let result)) = await group.next() { return result }
            return .failure(
                .upstream(hop: "model load", reason: "not done within \(time)", timedOut: true))
        }
    }

    private func load(_ version: ServableVersion) async throws(GatewayError) -> Report {
        let start = ContinuousClock.now
        do {
            let installed = try await install(version)
            let duration = ContinuousClock.now - start
            instruments.loadTime.record(duration / .seconds(1))
            instruments.loads.increment("loaded")
            logger.info(
                "model loaded",
                metadata: [
                    "model": "\(version.name)", "version": "\(version.version)",
                    "previous": "\(installed.previous?.version ?? "none")",
                    "sha256": "\(installed.sha256)", "duration": "\(duration)",
                ])
            remember(version)
            return Report(version: version, installed: installed, duration: duration)
        } catch {
            instruments.loads.increment("failed")
            logger.error(
                "model not loaded",
                metadata: [
                    "model": "\(version.name)", "version": "\(version.version)",
                    "error": "\(error)",
                ])
            throw error
        }
    }

    /// From the cache if what lies there is whole, else fetched anew.
    private func install(_ version: ServableVersion) async throws(GatewayError) -> InstalledModel {
        if let entry = cache.entry(for: version) {
            do throws(GatewayError) {
                return try await endpoint.install(entry, version: version)
            } catch {
                logger.warning(
                    "cached model discarded",
                    metadata: ["model": "\(version.name)", "error": "\(error)"])
                cache.remove(entry)
            }
        }
        let incoming = try cache.makeIncoming()
        do throws(GatewayError) {
            try await source.fetch(version, into: incoming)
            let installed = try await endpoint.install(incoming, version: version)
            _ = try cache.admit(incoming, as: version)
            return installed
        } catch {
            cache.remove(incoming)
            throw error
        }
    }

    /// The model serves already: failing to note it is worth a warning, not an error.
    private func remember(_ version: ServableVersion) {
        cache.prune(keeping: version)
        do {
            try memory.remember(.init(model: version, configured: configured))
        } catch {
            logger.warning("load not remembered", metadata: ["error": "\(error)"])
        }
    }
}
