import HTTPTypes
import Hummingbird
import Jobs
import NIOCore

/// Jobs as a whole.
extension HeadRoutes {
    func addJobs(to router: Router<BasicRequestContext>) {
        router.post("api/jobs/") { request, _ in try await submit(request) }
        router.get("api/jobs/") { _, _ in try await list() }
        router.get("api/jobs/:id") { _, context in
            HeadJSON.response(JobDetails(try await situation(context)))
        }
        router.get("api/jobs/:id/why") { _, context in
            HeadJSON.response(try await situation(context).explanation)
        }
        router.get("api/jobs/:id/result") { _, context in try await result(context) }
        router.delete("api/jobs/:id") { _, context in try await delete(context) }
        router.post("api/jobs/:id/stop") { request, context in try await stop(request, context) }
        router.post("api/jobs/:id/retry") { _, context in try await retry(context) }
    }

    private func situation(_ context: BasicRequestContext) async throws -> JobSituation {
        let text = context.parameters.get("id") ?? ""
        guard let id = JobID(rawValue: text), let situation = try await store.situation(of: id)
        else { throw HeadRoutes.noJob(text) }
        return situation
    }

    private func submit(_ request: Request) async throws -> Response {
        let job = try await Submission(try await body(of: request)).newJob(blobs: blobs)
        let record = try await store.submit(job)
        return HeadJSON.response(SubmitReply(id: record.spec.id))
    }

    private func list() async throws -> Response {
        HeadJSON.response(try await store.jobs(limit: 1_000).map { JobDetails($0) })
    }

    private func stop(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let record = try await job(context)
        let wasOver = record.state.isTerminal
        _ = try await store.stop(record.spec.id, by: try await asker(of: request))
        return HeadJSON.response(["stopped": !wasOver])
    }

    /// A job that is active stays as it is.
    private func retry(_ context: BasicRequestContext) async throws -> Response {
        let before = try await job(context)
        guard let after = try await store.retry(job: before.spec.id) else {
            throw HeadRoutes.noJob(before.spec.id.rawValue)
        }
        return HeadJSON.response(RetryReply(after, retried: after.lives > before.lives))
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
}
