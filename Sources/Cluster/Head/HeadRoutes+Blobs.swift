import HTTPTypes
import Hummingbird
import Jobs

/// Uploads.
extension HeadRoutes {
    func addBlobs(to router: Router<BasicRequestContext>) {
        router.head("api/blobs/:digest") { _, context in try await hasBlob(context) }
        router.put("api/blobs/:digest") { request, context in try await putBlob(request, context) }
    }

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
}
