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
    private let uploads = Places(HeadRoutes.uploadsMax)

    /// Uploads that arrive at once; each fills a file of its own.
    static let uploadsMax = 16

    init(
        configuration: HeadConfiguration, store: any JobStore, blobs: any BlobStore,
        events: JobEvents, metrics: MetricRegistry
    ) {
        self.configuration = configuration
        self.store = store
        self.blobs = blobs
        self.events = events
        self.metrics = metrics
    }

    func add(to router: Router<BasicRequestContext>) {
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
        router.get("api/cluster") { _, _ in
            HeadJSON.response(
                ClusterDetails(version: configuration.version, workers: try await store.workers()))
        }
        router.head("api/blobs/:digest") { _, context in try await hasBlob(context) }
        router.put("api/blobs/:digest") { request, context in try await putBlob(request, context) }
        router.post("api/jobs/") { request, _ in try await submit(request) }
        router.get("api/jobs/") { _, _ in try await list() }
        router.get("api/jobs/:id") { _, context in
            HeadJSON.response(try await JobDetails(try await job(context), in: store))
        }
        router.get("api/jobs/:id/logs") { _, context in try await logs(context) }
        router.get("api/jobs/:id/events") { request, context in
            try await follow(request, context)
        }
        router.get("api/jobs/:id/tasks") { _, context in try await tasks(context) }
        router.get("api/jobs/:id/result") { _, context in try await result(context) }
        router.delete("api/jobs/:id") { _, context in try await delete(context) }
        router.post("api/jobs/:id/stop") { request, context in try await stop(request, context) }
    }

    // MARK: The head itself

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

    // MARK: Blobs

    private func digest(_ context: BasicRequestContext) throws -> String {
        guard let digest = context.parameters.get("digest"), digest.isDigest else {
            throw HeadFailure(400, "invalid_digest", "a digest is 64 lower-case hex digits")
        }
        return digest
    }

    private func hasBlob(_ context: BasicRequestContext) async throws -> Response {
        Response(status: try await blobs.contains(try digest(context)) ? .ok : .notFound)
    }

    private func putBlob(_ request: Request, _ context: BasicRequestContext) async throws
        -> Response
    {
        guard uploads.take() else {
            throw HeadFailure(503, "full", "\(HeadRoutes.uploadsMax) uploads arrive already")
        }
        defer { uploads.giveBack() }
        try await BlobUpload(
            blobs: blobs, directory: configuration.scratchDirectory,
            sizeMax: configuration.uploadMax
        ).receive(request.body, digest: try digest(context))
        return Response(status: .ok)
    }

    // MARK: Jobs

    private func job(_ context: BasicRequestContext) async throws -> JobRecord {
        let text = context.parameters.get("id") ?? ""
        guard let id = JobID(rawValue: text), let record = try await store.job(id) else {
            throw HeadFailure(404, "not_found", "Job \(text.prefix(128)) does not exist")
        }
        return record
    }

    private func submit(_ request: Request) async throws -> Response {
        let body: ByteBuffer
        do {
            body = try await request.body.collect(upTo: configuration.bodyMax)
        } catch is NIOTooManyBytesError {
            throw HeadFailure(
                413, "too_large", "the body has more than \(configuration.bodyMax) bytes")
        }
        let job = try await Submission(body).newJob(blobs: blobs)
        let record = try await store.submit(job)
        return HeadJSON.response(SubmitReply(id: record.spec.id))
    }

    private func list() async throws -> Response {
        HeadJSON.response(try await store.jobs(limit: 1_000).map { JobDetails($0) })
    }

    private func stop(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let record = try await job(context)
        let wasOver = record.state.isTerminal
        _ = try await store.stop(record.spec.id, by: "a user")
        return HeadJSON.response(["stopped": !wasOver])
    }

    private func delete(_ context: BasicRequestContext) async throws -> Response {
        let record = try await job(context)
        guard record.state.isTerminal else {
            throw HeadFailure(
                409, "not_over", "Job \(record.spec.id) is in a non-terminal state; stop it first")
        }
        return HeadJSON.response(["deleted": try await store.delete(record.spec.id)])
    }

    private func result(_ context: BasicRequestContext) async throws -> Response {
        let record = try await job(context)
        guard case .succeeded(let payload) = record.state else {
            throw HeadFailure(
                409, "no_result",
                "Job \(record.spec.id) is \(JobDetails(record).manta.phase); "
                    + "only a job that succeeded has a result")
        }
        let bytes: [UInt8] =
            switch payload {
            case nil: []
            case .inline(let bytes): bytes
            case .blob(let digest, _): try await blobs.get(digest)
            }
        return Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes.isEmpty ? Array("null".utf8) : bytes)))
    }

    private func tasks(_ context: BasicRequestContext) async throws -> Response {
        let record = try await job(context)
        let tasks = try await store.tasks(of: record.spec.id, limit: 10_000)
        return HeadJSON.response(tasks.map { TaskDetails($0) })
    }

    // MARK: Logs

    private func logs(_ context: BasicRequestContext) async throws -> Response {
        let id = try await job(context).spec.id
        var text = ""
        var cursor: LogCursor?
        while true {
            let page = try await store.logs(of: id, after: cursor, limit: 2_000)
            for line in page.lines { text += line.display }
            guard let next = page.next, !page.lines.isEmpty else { break }
            cursor = next
        }
        return HeadJSON.response(["logs": text])
    }

    /// Newline-separated `JobEvent`s until the job is over; `?after=` resumes, `?follow=0` ends at
    /// once.
    private func follow(_ request: Request, _ context: BasicRequestContext) async throws -> Response
    {
        let id = try await job(context).spec.id
        let after = request.uri.queryParameters.get("after").map { LogCursor(rawValue: String($0)) }
        let follows = request.uri.queryParameters.get("follow") != "0"
        guard await events.followerCount < JobEvents.followersMax else {
            throw HeadFailure(503, "full", "\(JobEvents.followersMax) logs are followed already")
        }
        return Response(
            status: .ok, headers: [.contentType: "application/x-ndjson"],
            body: ResponseBody { [events] writer in
                try await events.follow(id, after: after, follows: follows) { batch in
                    var buffer = ByteBuffer()
                    for event in batch {
                        var line = HeadJSON.buffer(event)
                        buffer.writeBuffer(&line)
                        buffer.writeString("\n")
                    }
                    try await writer.write(buffer)
                }
                try await writer.finish(nil)
            })
    }
}

extension LogLine {
    /// As `job logs` prints it.
    package var display: String { prefix + text + (endsWithLineFeed ? "\n" : "") }
}
