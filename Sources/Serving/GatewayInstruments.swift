import Synchronization
package import Telemetry

/// Everything a gateway counts, under its own names and under Ray Serve's.
package struct GatewayInstruments: Sendable {
    let requests: CounterFamily
    let requestTime: HistogramFamily
    let rows: CounterFamily
    let rejections: CounterFamily
    let loads: CounterFamily
    let loadTime: HistogramFamily
    let evictions: CounterFamily
    let batchRows: HistogramFamily
    let modelInfo: GaugeFamily
    let inFlight: GaugeFamily
    /// How many replicas answer; one where the model server is in this process.
    let replicaCount = ReplicaCount()
    private let ray: RayNames

    /// The names that dashboards made for Ray Serve read.
    private struct RayNames: Sendable {
        let requests: [CounterFamily]
        let errors: [CounterFamily]
        let latency: HistogramFamily
    }

    /// A number that is asked for when it is shown.
    final class ReplicaCount: Sendable {
        private let read = Mutex<@Sendable () -> Int>({ 1 })

        var value: Int { read.withLock { $0 }() }

        func show(_ newRead: @escaping @Sendable () -> Int) { read.withLock { $0 = newRead } }
    }

    package init(_ registry: MetricRegistry) {
        requests = registry.counter(
            "manta_http_requests_total", help: "Requests answered.",
            labels: ["route", "method", "status"])
        requestTime = registry.histogram(
            "manta_http_request_duration_seconds", help: "From the request's head to its reply.",
            labels: ["route"])
        rows = registry.counter("manta_predicted_rows_total", help: "Rows predicted.")
        rejections = registry.counter(
            "manta_predictions_rejected_total", help: "Predictions refused, by reason.",
            labels: ["reason"])
        loads = registry.counter(
            "manta_model_loads_total", help: "Model loads, by outcome.", labels: ["outcome"])
        loadTime = registry.histogram(
            "manta_model_load_seconds", help: "From the resolved version to the swap.")
        batchRows = registry.histogram(
            "manta_batch_rows", help: "Rows that were computed together, where batches are.",
            buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024])
        evictions = registry.counter(
            "manta_model_evictions_total", help: "Models that made room for others.")
        modelInfo = registry.gauge(
            "manta_model_info", help: "The models that answer now.",
            labels: ["name", "version", "sha256"])
        inFlight = registry.gauge("manta_http_requests_in_flight", help: "Requests in progress.")
        registry.observed(
            "manta_models_resident", help: "Models in memory, with those that drain."
        ) { [([], Double(ServedModel.residentCount.load(ordering: .relaxed)))] }
        ray = Self.rayNames(registry)
        registry.observed(
            "ray_serve_deployment_replica_count", help: "Replicas that answer.",
            labels: ["deployment", "application"]
        ) { [replicaCount] in [([Self.deployment, Self.application], Double(replicaCount.value))] }
    }

    private static func rayNames(_ registry: MetricRegistry) -> RayNames {
        let labels = ["deployment", "application", "route"]
        let names = ["", "_total"]  // old and new Ray versions spell counters differently
        return RayNames(
            requests: names.map {
                registry.counter(
                    "ray_serve_deployment_request_counter" + $0,
                    help: "Predictions asked of this deployment.", labels: labels)
            },
            errors: names.map {
                registry.counter(
                    "ray_serve_deployment_error_counter" + $0,
                    help: "Predictions that ended in a server error.", labels: labels)
            },
            latency: registry.histogram(
                "ray_serve_deployment_latency_ms", help: "Prediction time in milliseconds.",
                labels: labels,
                buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000]))
    }

    static let deployment = "ModelServer"
    static let application = "default"

    /// Makes Ray Serve's families visible from the start, with zeros.
    package func showDeployment(route: String) {
        for family in ray.requests + ray.errors {
            family.increment(Self.deployment, Self.application, route, by: 0)
        }
        ray.latency.touch(Self.deployment, Self.application, route)
    }

    /// Counts the rows of a prediction, or why there are none.
    func count(_ reply: Reply) {
        if reply.rowCount > 0 { rows.increment(by: Double(reply.rowCount)) }
        if let reason = reply.rejection { rejections.increment(reason) }
    }

    /// Counts one answered request.
    func count(_ route: String, method: String, status: Int, duration: Duration) {
        requests.increment(route, method, String(status))
        requestTime.record(duration / .seconds(1), route)
        guard route.hasSuffix("/predict") else { return }
        for family in ray.requests { family.increment(Self.deployment, Self.application, route) }
        ray.latency.record(
            duration / .milliseconds(1), Self.deployment, Self.application, route)
        guard status >= 500 else { return }
        for family in ray.errors { family.increment(Self.deployment, Self.application, route) }
    }

    /// Names the models that answer now.
    func show(_ models: [(version: ServableVersion, sha256: String)]) {
        modelInfo.removeAll()
        for (version, sha256) in models {
            modelInfo.set(1, version.name, version.version, sha256)
        }
    }
}
