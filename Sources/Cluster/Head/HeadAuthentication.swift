import HTTPTypes
import Hummingbird
import Jobs

/// Lets a request in that shows the cluster's token, or the token of a job for the routes jobs may
/// use.
///
/// Requests of web pages are refused whatever they show: a page must not be able to start programs.
struct HeadAuthentication<Context: RequestContext>: RouterMiddleware {
    let token: String

    func handle(
        _ request: Request, context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        if HeadAuthentication.openPaths.contains(request.uri.path) {
            return try await next(request, context)
        }
        guard !isFromForeignPage(request) else {
            return HeadFailure(403, "cross_site", "requests from web pages are refused")
                .response(for: request)
        }
        guard let shown = shownToken(request) else {
            return refusal("the head needs a token: Authorization: Bearer …", request)
        }
        if JobToken.isEqual(shown, token) { return try await next(request, context) }
        guard let job = JobToken.job(of: shown, secret: token) else {
            return refusal("the token is not this cluster's", request)
        }
        guard HeadAuthentication.isOpen(request, to: job) else {
            return HeadFailure(
                403, "out_of_scope", "this token is job \(job)'s: it may see and stop that job only"
            ).response(for: request)
        }
        return try await next(request, context)
    }

    /// What a job may do with its own token: a program that runs here must not start others that
    /// outlive it, nor see what is not its own.
    private static func isOpen(_ request: Request, to job: JobID) -> Bool {
        let path = request.uri.path
        let own = "/api/jobs/\(job)"
        switch request.method {
        case .get:
            return path == own || path.hasPrefix(own + "/")
                || ["/api/version", "/api/ray/version", "/api/cluster"].contains(path)
        case .post: return path == own + "/stop"
        default: return false
        }
    }

    /// Probes need no token.
    private static var openPaths: Set<String> { ["/livez", "/readyz", "/health", "/-/healthz"] }

    private func shownToken(_ request: Request) -> String? {
        let value =
            request.headers[.authorization]
            ?? HTTPField.Name("X-Ray-Authorization").flatMap { request.headers[$0] }
        guard let value, value.lowercased().hasPrefix("bearer ") else { return nil }
        return String(value.dropFirst(7))
    }

    private func isFromForeignPage(_ request: Request) -> Bool {
        if request.headers[.origin] != nil { return true }
        guard let name = HTTPField.Name("Sec-Fetch-Site"), let site = request.headers[name] else {
            return false
        }
        return site != "none" && site != "same-origin"
    }

    private func refusal(_ detail: String, _ request: Request) -> Response {
        var response = HeadFailure(
            401, "unauthenticated", detail + ". `manta env` prints the settings of this machine's."
        ).response(for: request)
        response.headers[.wwwAuthenticate] = "Bearer"
        return response
    }
}

extension HeadFailure {
    /// JSON for those who ask for it, plain text as Ray's clients print it for everyone else.
    func response(for request: Request) -> Response {
        let wantsJSON = request.headers[.accept]?.contains("application/json") ?? false
        var headers = HTTPFields()
        headers[.contentType] = wantsJSON ? "application/json" : "text/plain; charset=utf-8"
        if status == 503 { headers[.retryAfter] = "1" }
        // The answer to HEAD has no body, else it would be taken for the next answer.
        let body =
            request.method == .head
            ? ByteBuffer() : wantsJSON ? HeadJSON.buffer(self) : ByteBuffer(string: detail)
        return Response(
            status: HTTPResponse.Status(code: status), headers: headers,
            body: ResponseBody(byteBuffer: body))
    }
}
