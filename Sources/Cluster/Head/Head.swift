import Foundation
import Hummingbird
package import Jobs
package import Logging
import NIOCore
import Telemetry

/// The cluster's HTTP API. It keeps nothing: everything is in the store, so any number may run, and
/// jobs go on while none does.
package struct Head: Sendable {
    private let configuration: HeadConfiguration
    private let store: any JobStore
    private let blobs: any BlobStore
    private let logger: Logger

    package init(
        _ configuration: HeadConfiguration, store: any JobStore, blobs: any BlobStore,
        logger: Logger
    ) {
        self.configuration = configuration
        self.store = store
        self.blobs = blobs
        self.logger = logger
    }

    /// Serves until the task is cancelled or a signal arrives.
    ///
    /// - Parameter onReady: called with the bound port.
    /// - Throws: `HeadConfigurationError` when the address cannot be listened on.
    package func run(onReady: @escaping @Sendable (Int) async -> Void = { _ in }) async throws {
        let metrics = MetricRegistry()
        ProcessInstruments.register(in: metrics, version: configuration.version, role: "head")
        let commits = CommitMeter(store: store, in: metrics)
        let events = JobEvents(store: store)
        let schedules = ScheduleLoop(store: store, blobs: blobs, logger: logger)
        let router = Router()
        router.add(middleware: HeadErrors())
        router.add(middleware: HeadAuthentication(token: configuration.token))
        router.add(middleware: HeadVersions(version: configuration.version))
        HeadRoutes(
            configuration: configuration, store: store, blobs: blobs, events: events,
            metrics: metrics, schedules: schedules
        ).add(to: router)
        let listener = ListeningChannel()
        let application = Application(
            router: router,
            configuration: .init(
                address: .hostname(configuration.host, port: configuration.port),
                serverName: "manta"),
            onServerRunning: { channel in
                listener.keep(channel)
                await onReady(channel.localAddress?.port ?? configuration.port)
            },
            logger: logger)
        let serving = Task { try await application.runService(gracefulShutdownSignals: []) }
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await events.run() }
            group.addTask { await cleanBlobs() }
            group.addTask { await schedules.run() }
            group.addTask { await commits.run() }
            defer { group.cancelAll() }
            do {
                try await withTaskCancellationHandler {
                    try await serving.value
                } onCancel: {
                    Task {
                        await listener.close()
                        serving.cancel()
                    }
                }
            } catch let error as IOError {
                let place = "\(configuration.host):\(configuration.port)"
                throw HeadConfigurationError(
                    reason:
                        "cannot listen on \(place): \(String(cString: strerror(error.errnoCode)))")
            } catch is CancellationError {
                return
            }
        }
    }
}

extension Head {
    /// Once in so long unused blobs are looked for; they are kept for days.
    private static let cleaningInterval = Duration.seconds(3_600)

    /// Removes large blobs that nobody needs, now and then, until the task is cancelled.
    private func cleanBlobs() async {
        while !Task.isCancelled {
            do {
                let removed = try await blobs.clean()
                if removed > 0 {
                    logger.info("unused blobs removed", metadata: ["count": "\(removed)"])
                }
            } catch {
                // Tried again at the next turn.
                logger.warning("unused blobs cannot be removed", metadata: ["cause": "\(error)"])
            }
            try? await Task.sleep(for: Head.cleaningInterval)
        }
    }
}
