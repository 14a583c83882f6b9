import Hummingbird
import Jobs
import Logging

/// Turns what the routes throw into the answer a caller can act on.
struct HeadErrors<Context: RequestContext>: RouterMiddleware {
    func handle(
        _ request: Request, context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let failure as HeadFailure {
            return failure.response(for: request)
        } catch let error as JobStoreError {
            return failure(of: error).response(for: request)
        } catch let error as BlobStoreError {
            return failure(of: error).response(for: request)
        } catch let error as HTTPError {
            return HeadFailure(
                error.status.code, error.status == .notFound ? "not_found" : "refused",
                error.body ?? error.status.reasonPhrase
            ).response(for: request)
        } catch let error as any HTTPResponseError {
            return HeadFailure(error.status.code, "refused", error.status.reasonPhrase)
                .response(for: request)
        } catch {
            context.logger.error(
                "request failed",
                metadata: ["path": "\(request.uri.path)", "cause": "\(error)"])
            return HeadFailure(500, "internal", "the head failed; its log says why")
                .response(for: request)
        }
    }

    private func failure(of error: JobStoreError) -> HeadFailure {
        switch error {
        case .conflictingSubmission(let id):
            HeadFailure(
                409, "already_exists",
                "Job with submission_id \(id) already exists with another body. "
                    + "Please use a different submission_id.")
        case .full(let bound): HeadFailure(503, "full", "the store is full: \(bound)")
        case .unavailable(let cause):
            HeadFailure(503, "store_unavailable", "the store cannot be reached: \(cause)")
        case .refused(let reason): HeadFailure(409, "conflict", reason)
        case .leaseLost, .jobOver: HeadFailure(409, "conflict", "\(error)")
        case .corrupt(let what):
            HeadFailure(500, "corrupt", "the store holds damaged data: \(what)")
        }
    }

    private func failure(of error: BlobStoreError) -> HeadFailure {
        switch error {
        case .missing(let digest): HeadFailure(404, "not_found", "blob \(digest) does not exist")
        case .damaged(let digest):
            HeadFailure(400, "digest_mismatch", "the bytes are not those of blob \(digest)")
        case .tooLarge(let size, let maximum):
            HeadFailure(413, "too_large", "\(size) bytes; at most \(maximum) are stored")
        case .noOrigin(let size):
            HeadFailure(
                507, "no_origin",
                "\(size) bytes need a place all workers share: start head and workers with "
                    + "--origin DIR or --origin s3://BUCKET/PREFIX")
        case .full(let budget): HeadFailure(507, "full", "the blob store is full: \(budget)")
        case .unavailable(let cause):
            HeadFailure(503, "store_unavailable", "the blob store cannot be reached: \(cause)")
        case .refused(let cause):
            HeadFailure(502, "origin_refused", "the origin refuses: \(cause)")
        }
    }
}
