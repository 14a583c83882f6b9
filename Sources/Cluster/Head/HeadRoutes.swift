import Foundation
import HTTPTypes
import Hummingbird
import Jobs
import NIOCore
import Telemetry

/// The head's routes: Ray's for jobs where Ray has one, ours beside them.
struct HeadRoutes: Sendable {
    let configuration: HeadConfiguration
    let store: any JobStore
    let blobs: any BlobStore
    let events: JobEvents
    let metrics: MetricRegistry
    let schedules: ScheduleLoop
    let uploads = Places(HeadRoutes.uploadsMax)

    /// Uploads that arrive at once; each fills a file of its own.
    static let uploadsMax = 16

    init(
        configuration: HeadConfiguration, store: any JobStore, blobs: any BlobStore,
        events: JobEvents, metrics: MetricRegistry, schedules: ScheduleLoop
    ) {
        self.configuration = configuration
        self.store = store
        self.blobs = blobs
        self.events = events
        self.metrics = metrics
        self.schedules = schedules
    }

    func add(to router: Router<BasicRequestContext>) {
        addProbes(to: router)
        addCluster(to: router)
        addBlobs(to: router)
        addJobs(to: router)
        addTasks(to: router)
        addLogs(to: router)
        addSchedules(to: router)
    }

    /// A body of at most `bodyMax` bytes.
    func body(of request: Request) async throws -> ByteBuffer {
        do {
            return try await request.body.collect(upTo: configuration.bodyMax)
        } catch is NIOTooManyBytesError {
            throw HeadFailure(
                413, "too_large", "the body has more than \(configuration.bodyMax) bytes")
        }
    }

    /// Who asks for the end of something.
    ///
    /// - Throws: `HeadFailure` 400 for a body or a name that cannot be taken.
    func asker(of request: Request) async throws -> String {
        let body = try await body(of: request)
        guard body.readableBytes > 0 else { return try StopRequest(by: nil).asker }
        return try HeadJSON.decode(StopRequest.self, from: body).asker
    }

    /// - Throws: `HeadFailure` 404 for a job that is not kept.
    func job(_ context: BasicRequestContext) async throws -> JobRecord {
        let text = context.parameters.get("id") ?? ""
        guard let id = JobID(rawValue: text), let record = try await store.job(id) else {
            throw HeadRoutes.noJob(text)
        }
        return record
    }

    static func noJob(_ text: String) -> HeadFailure {
        HeadFailure(404, "not_found", "Job \(text.prefix(128)) does not exist")
    }

    // MARK: The head itself

    private func addProbes(to router: Router<BasicRequestContext>) {
        router.get("livez") { _, _ in Response(status: .ok) }
        router.get("-/healthz") { _, _ in
            Response(status: .ok, body: .init(byteBuffer: .init(string: "success")))
        }
        for path in ["readyz", "health"] {
            router.get(RouterPath(path)) { _, _ in try await ready() }
        }
        router.get("metrics") { _, _ in
            Response(
                status: .ok, headers: [.contentType: MetricRegistry.contentType],
                body: .init(byteBuffer: .init(string: metrics.exposition())))
        }
        for path in ["api/version", "api/ray/version"] {
            router.get(RouterPath(path)) { _, _ in version() }
        }
    }

    private func ready() async throws -> Response {
        _ = try await store.workers()
        return HeadJSON.response(["status": "ok"])
    }

    /// What Ray's clients check before anything else; they need at least ray_version 2.8.
    private func version() -> Response {
        HeadJSON.response([
            "version": "4", "ray_version": "2.60.0", "manta_version": configuration.version,
            "ray_commit": "0000000000000000000000000000000000000000", "session_name": "manta",
        ])
    }

    // MARK: The cluster

    private func addCluster(to router: Router<BasicRequestContext>) {
        router.get("api/cluster") { _, _ in
            HeadJSON.response(
                ClusterDetails(version: configuration.version, workers: try await store.workers()))
        }
        router.get("api/cluster/load") { _, _ in
            var details = ClusterDetails(
                version: configuration.version, workers: try await store.workers())
            details.load = try await store.load()
            return HeadJSON.response(details)
        }
    }
}
