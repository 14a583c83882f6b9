import HTTPTypes
import Hummingbird
import Jobs

/// Lets a request in that shows the cluster's token, or the token of a job for the routes jobs may
/// use.
///
/// Requests of web pages are refused whatever they show: a page must not be able to start programs.
struct HeadAuthentication<Context: RequestContext>: RouterMiddleware {
    let token: String
    private let refusals = RefusalMeter()

    init(token: String) { self.token = token }

    func handle(
        _ request: Request, context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        if HeadAuthentication.openPaths.contains(request.uri.path) {
            return try await next(request, context)
        }
        guard !isFromForeignPage(request) else {
            return refusal(
                403, "cross_site", "requests from web pages are refused", request, context)
        }
        guard let shown = shownToken(request) else {
            return refusal(
                401, "unauthenticated", "the head needs a token: Authorization: Bearer …. " + help,
                request, context)
        }
        if JobToken.isEqual(shown, token) { return try await next(request, context) }
        guard let job = JobToken.job(of: shown, secret: token) else {
            return refusal(
                401, "unauthenticated", "the token is not this cluster's. " + help, request, context
            )
        }
        guard HeadAuthentication.isOpen(request, to: job) else {
            return refusal(
                403, "out_of_scope",
                "this token is job \(job)'s: it may see and stop that job only", request, context)
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

    private var help: String { "`manta env` prints the settings of this machine's." }

    private func refusal(
        _ status: Int, _ code: String, _ detail: String, _ request: Request, _ context: Context
    ) -> Response {
        if refusals.count(request.uri.path, code, logger: context.logger) {
            return HeadFailure(429, "too_many_refusals", "too many refused requests; wait a second")
                .response(for: request)
        }
        var response = HeadFailure(status, code, detail).response(for: request)
        if status == 401 { response.headers[.wwwAuthenticate] = "Bearer" }
        return response
    }
}

extension HeadFailure {
    /// JSON for those who ask for it, plain text as Ray's clients print it for everyone else.
    func response(for request: Request) -> Response {
        let wantsJSON = request.headers[.accept]?.contains("application/json") ?? false
        var headers = HTTPFields()
        headers[.contentType] = wantsJSON ? "application/json" : "text/plain; charset=utf-8"
        if status == 503 || status == 429 { headers[.retryAfter] = "1" }
        // The answer to HEAD has no body, else it would be taken for the next answer.
        let body =
            request.method == .head
            ? ByteBuffer() : wantsJSON ? HeadJSON.buffer(self) : ByteBuffer(string: detail)
        return Response(
            status: HTTPResponse.Status(code: status), headers: headers,
            body: ResponseBody(byteBuffer: body))
    }
}
