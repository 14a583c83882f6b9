import Logging
import Telemetry

/// Carries out loads, one after another: resolve, fetch, verify, warm up, swap, remember.
///
/// A load that fails at any step changes nothing: the old model goes on answering. Loads run to
/// their end even if the client that asked has gone, and the last one accepted wins.
package actor ModelLoader {
    private let source: any ModelSource
    private let resolver: ModelResolver
    private let models: ModelShelf
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
        source: any ModelSource, models: ModelShelf, configuration: GatewayConfiguration,
        instruments: GatewayInstruments, logger: Logger
    ) {
        self.source = source
        self.models = models
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

    /// Loads what `selector` means now; with `asCurrent` routes without a name answer with it.
    package func load(
        _ selector: ModelSelector, asCurrent: Bool = true
    ) async throws(GatewayError) -> Report {
        try await inTurn { loader throws(GatewayError) in
            let version = try await loader.resolver.resolve(selector)
            let report = try await loader.load(version, asCurrent: asCurrent)
            await loader.remember()
            return report
        }
    }

    /// Loads what was served before the last stop, from the cache if it is there: the current model
    /// first, so that it answers again before the others are read.
    ///
    /// False where there was no current one, or where the configuration asks for another since
    /// then. Another model that cannot be loaded any more is left out, with a line in the log.
    package func loadRemembered() async throws(GatewayError) -> Bool {
        guard let choice = memory.recall(), choice.configured == configured else { return false }
        if let model = choice.model {
            _ = try await inTurn { loader throws(GatewayError) in
                try await loader.load(model, asCurrent: true)
            }
        }
        for other in choice.others ?? [] {
            // The load has said in the log why it failed.
            _ = try? await inTurn { loader throws(GatewayError) in
                try await loader.load(other, asCurrent: false)
            }
        }
        for name in choice.pinned ?? [] { _ = models.pin(name, true) }
        return choice.model != nil
    }

    /// Takes a model away and forgets it: the one of this name, else the current one.
    package func unload(_ name: String? = nil) async throws(GatewayError) -> ServableVersion? {
        try await inTurn { loader in
            let version: ServableVersion?
            if let name {
                version = await loader.models.unload(name)
            } else {
                version = await loader.models.unload()
            }
            await loader.remember()
            return version
        }
    }

    /// Pins or unpins a model in memory; false where there is none of this name.
    package func pin(_ name: String, _ isPinned: Bool) async throws(GatewayError) -> Bool {
        try await inTurn { loader in
            guard loader.models.pin(name, isPinned) else { return false }
            await loader.remember()
            return true
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

    private func load(
        _ version: ServableVersion, asCurrent: Bool
    ) async throws(GatewayError) -> Report {
        let start = ContinuousClock.now
        do {
            let installed = try await install(version, asCurrent: asCurrent)
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
    private func install(
        _ version: ServableVersion, asCurrent: Bool
    ) async throws(GatewayError) -> InstalledModel {
        if let entry = cache.entry(for: version) {
            do throws(GatewayError) {
                return try await models.install(entry, version: version, asCurrent: asCurrent)
            } catch {
                guard case .badModel = error else { throw error }
                logger.warning(
                    "cached model discarded",
                    metadata: ["model": "\(version.name)", "error": "\(error)"])
                cache.remove(entry)
            }
        }
        let incoming = try cache.makeIncoming()
        let entry: String
        do throws(GatewayError) {
            try await source.fetch(version, into: incoming)
            // Its name comes first: replicas read it again under it when they start.
            entry = try cache.admit(incoming, as: version)
        } catch {
            cache.remove(incoming)
            throw error
        }
        do throws(GatewayError) {
            return try await models.install(entry, version: version, asCurrent: asCurrent)
        } catch {
            if case .badModel = error { cache.remove(entry) }
            throw error
        }
    }

    /// Notes what is served now. Failing to is worth a warning, not an error: the models serve.
    private func remember() {
        let listings = models.listings
        cache.prune(keeping: listings.map(\.version))
        guard !listings.isEmpty else { return memory.forget() }
        do {
            try memory.remember(
                .init(
                    model: listings.first(where: \.isCurrent)?.version, configured: configured,
                    others: listings.filter { !$0.isCurrent }.map(\.version),
                    pinned: listings.filter(\.isPinned).map(\.version.name)))
        } catch {
            logger.warning("load not remembered", metadata: ["error": "\(error)"])
        }
    }
}
