import Logging
import Synchronization
import Telemetry

/// All pools of a gateway: they have the same settings, are counted together and end together.
final class ReplicaFleet: Sendable {
    private struct Member {
        weak var pool: ReplicaPool?
    }

    private let settings: ReplicaSettings
    private let launcher: any ReplicaLauncher
    private let limits: GatewayConfiguration.Limits
    private let batching: BatchSettings?
    private let instruments: GatewayInstruments
    private let logger: Logger
    private let members = Mutex<[Member]>([])

    /// Checks the settings. Nothing starts before a pool has a model.
    init(
        _ settings: ReplicaSettings, launcher: any ReplicaLauncher,
        limits: GatewayConfiguration.Limits, batching: BatchSettings?,
        instruments: GatewayInstruments, logger: Logger
    ) throws(GatewayError) {
        self.batching = batching
        self.settings = try settings.validated()
        self.launcher = launcher
        self.limits = limits
        self.instruments = instruments
        self.logger = logger
    }

    /// One more pool, for one model.
    func makePool() -> ReplicaPool {
        let pool = ReplicaPool(
            settings, launcher: launcher, limits: limits, batching: batching,
            instruments: instruments,
            logger: logger)
        members.withLock { members in
            members.removeAll { $0.pool == nil }
            members.append(Member(pool: pool))
        }
        return pool
    }

    /// Ends the replicas of all pools.
    func stop() async {
        await withTaskGroup(of: Void.self) { group in
            for pool in pools { group.addTask { await pool.stop() } }
        }
    }

    var status: ReplicaStatus { pools.reduce(ReplicaStatus()) { $0 + $1.status } }

    private var pools: [ReplicaPool] { members.withLock { $0.compactMap(\.pool) } }

    /// Makes the replicas visible in `/metrics`, under our names and Ray Serve's.
    func show(in registry: MetricRegistry) {
        instruments.replicaCount.show { [weak self] in self?.status.ready ?? 0 }
        registry.observed(
            "manta_replicas", help: "Replicas of this gateway, by state.", labels: ["state"]
        ) { [weak self] in
            guard let status = self?.status else { return [] }
            return [
                (["ready"], Double(status.ready)), (["starting"], Double(status.starting)),
                (["draining"], Double(status.draining)),
            ]
        }
        observe("manta_replicas_desired", "Replicas there should be.", registry) { $0.target }
        observe("manta_predictions_queued", "Predictions that wait.", registry) { $0.queued }
        observe("manta_predictions_ongoing", "Predictions at replicas.", registry) { $0.ongoing }
        observe("manta_replicas_replaced_total", "Replicas lost.", registry, .counter) {
            $0.replaced
        }
        observe("ray_serve_autoscaling_target_replicas", "Replicas there should be.", registry) {
            $0.target
        }
        observe("ray_serve_deployment_queued_queries", "Predictions that wait.", registry) {
            $0.queued
        }
        observe("ray_serve_replica_processing_queries", "Predictions at replicas.", registry) {
            $0.ongoing
        }
    }

    private func observe(
        _ name: String, _ help: String, _ registry: MetricRegistry, _ kind: MetricKind = .gauge,
        _ value: @escaping @Sendable (ReplicaStatus) -> Int
    ) {
        let isRays = name.hasPrefix("ray_")
        registry.observed(
            name, help: help, labels: isRays ? ["deployment", "application"] : [], kind: kind
        ) { [weak self] in
            guard let status = self?.status else { return [] }
            let labels = [GatewayInstruments.deployment, GatewayInstruments.application]
            return [(isRays ? labels : [], Double(value(status)))]
        }
    }
}
