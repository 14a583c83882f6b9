import Hummingbird
import Logging
import NIOCore
import Telemetry

/// The edge of the gateway: finds the route, lets the request in or not, reads the body within its
/// bound, and sends the handler's reply with the headers all replies share.
struct GatewayResponder: HTTPResponder {
    typealias Context = CallContext

    let handlers: GatewayHandlers
    let instruments: GatewayInstruments
    let logger: Logger
    /// Keeps the memory that bodies take bounded, whatever the number of connections.
    let largeBodies: Admission
    /// Sorted for `Route.match`.
    let prefixes: [String]
    /// The operations listener answers health and metrics only.
    let isForOperations: Bool

    private var limits: GatewayConfiguration.Limits { handlers.configuration.limits }

    func respond(to request: Request, context: CallContext) async throws -> Response {
        let start = ContinuousClock.now
        let head = CallHead(
            request, peer: context.peer,
            trustedProxies: handlers.configuration.trustedProxies)
        instruments.inFlight.add(1)
        defer { instruments.inFlight.add(-1) }
        let (reply, label) = await shapedAnswer(request, head)
        let duration = ContinuousClock.now - start
        instruments.count(
            label, method: label == "none" ? "any" : head.method, status: reply.status,
            duration: duration)
        logger.debug(
            "request",
            metadata: [
                "method": "\(head.method)", "path": "\(head.path.prefix(256))",
                "status": "\(reply.status)", "duration": "\(duration)",
                "request": "\(head.requestID)",
            ])
        return Self.response(reply, to: head, after: duration)
    }

    /// The answer, with the errors of the protocol that the path belongs to.
    private func shapedAnswer(
        _ request: Request, _ head: CallHead
    ) async -> (Reply, label: String) {
        let (reply, label) = await answer(request, head)
        guard reply.status >= 400 else { return (reply, label) }
        return (Route.surface(of: head.path, prefixes: prefixes).shaped(reply), label)
    }

    private func answer(_ request: Request, _ head: CallHead) async -> (Reply, label: String) {
        switch Route.match(head.path, method: head.method, prefixes: prefixes) {
        case .found(let route, let prefix, let names):
            guard !isForOperations || route.isForOperations else { break }
            return (await enter(route, prefix, names, request, head), prefix + route.rawValue)
        case .wrongMethod(let allowed):
            let reply = Reply.detail(405, "Method Not Allowed").with(header: "Allow", allowed)
            return (reply, "none")
        case .redirect(let path):
            let target = head.plainForwardedPrefix + path + (head.query.map { "?" + $0 } ?? "")
            let reply = Reply(status: 307, contentType: "text/plain", text: "")
            return (reply.with(header: "Location", target), "none")
        case .notFound: break
        }
        return (.detail(404, "Not Found"), "none")
    }

    /// Checks who calls, then reads the body, then hands over.
    private func enter(
        _ route: Route, _ prefix: String, _ names: RoutePattern.Names, _ request: Request,
        _ head: CallHead
    ) async -> Reply {
        if let refusal = handlers.rules.refusal(of: head.caller, isChanging: route.isChanging),
            !isForOperations
        {
            return Self.problem(for: refusal).reply(requestID: head.requestID)
        }
        guard route.method == "POST" else {
            return await handlers.answer(
                route, .init(head: head, prefix: prefix, names: names, body: ByteBuffer()))
        }
        if head.mayBeLarge {
            guard largeBodies.enter() else {
                return Self.tooManyBodies.reply(requestID: head.requestID)
            }
        }
        defer {
            if head.mayBeLarge { largeBodies.leave() }
        }
        switch await readBody(of: request, head, route) {
        case .failure(let problem): return problem.reply(requestID: head.requestID)
        case .success(let body):
            return await handlers.answer(
                route, .init(head: head, prefix: prefix, names: names, body: body))
        }
    }

    private static let tooManyBodies = Problem(
        status: 503, code: "overloaded", title: "Too many large requests at once",
        detail: "too many bodies over 64 KiB are in progress; try again, or send smaller ones",
        retryAfter: 1)

    private func bodyLimit(of route: Route) -> Int {
        route.hasSmallBody ? min(LoadBody.bytesMax, limits.bodyBytes) : limits.bodyBytes
    }

    private func readBody(
        of request: Request, _ head: CallHead, _ route: Route
    ) async -> Result<ByteBuffer, Problem> {
        let limit = bodyLimit(of: route)
        let tooLarge = Problem(
            status: 413, code: "body-too-large", title: "The body is too large",
            detail: "a body may have at most \(limit) bytes; send the rows in several requests")
        if let length = head.contentLength, length > limit { return .failure(tooLarge) }
        let packed: ByteBuffer
        do {
            packed = try await request.body.collect(upTo: limit)
        } catch is NIOTooManyBytesError {
            return .failure(tooLarge)
        } catch {
            return .failure(
                Problem(
                    status: 400, code: "body-not-read", title: "The body ended early",
                    detail: "the connection ended before the body did"))
        }
        do throws(ContentEncoding.Failure) {
            let body = try ContentEncoding.unpack(
                packed, encoding: head.contentEncoding, limit: limit)
            return route.takesBytes(of: head) ? .success(body) : checkType(head, body)
        } catch {
            return .failure(error == .tooLarge ? tooLarge : Self.problem(for: error))
        }
    }

    private static func problem(for failure: ContentEncoding.Failure) -> Problem {
        switch failure {
        case .malformed(let text):
            Problem(
                status: 400, code: "encoding", title: "The body cannot be unpacked", detail: text)
        case .unknown, .tooLarge:
            Problem(
                status: 415, code: "encoding", title: "Unknown content encoding",
                detail: "send the body as it is, or as gzip or deflate")
        }
    }

    private func checkType(_ head: CallHead, _ body: ByteBuffer) -> Result<ByteBuffer, Problem> {
        let type = head.bodyType
        if type == .json || body.readableBytes == 0 { return .success(body) }
        let first = body.readableBytesView.first { $0 > 0x20 }
        let looksLikeJSON = first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
        if type == .jsonIfItLooksLikeIt, looksLikeJSON { return .success(body) }
        return .failure(
            Problem(
                status: 415, code: "media-type", title: "Unsupported media type",
                detail: "send JSON in UTF-8",
                hint: "add the header Content-Type: application/json"))
    }

    static func problem(for refusal: AccessRules.Refusal) -> Problem {
        switch refusal {
        case .foreignHost(let host):
            Problem(
                status: 403, code: "foreign-host", title: "Unknown Host",
                detail: "this listener does not answer to the host '\(Echo.cut(host, to: 255))'",
                hint: "call it as localhost or by its address, or allow the name with "
                    + "--allowed-host NAME")
        case .foreignOrigin(let origin):
            Problem(
                status: 403, code: "foreign-origin", title: "Foreign origin",
                detail: "pages of '\(Echo.cut(origin, to: 255))' may not change what is served")
        case .tokenMissing:
            Problem(
                status: 401, code: "token-missing", title: "A token is needed",
                detail: "send the header Authorization: Bearer $MANTA_TOKEN")
        case .tokenWrong:
            Problem(
                status: 401, code: "token-wrong", title: "The token is not valid",
                detail: "the bearer token is not this gateway's")
        }
    }

    /// Hummingbird's response: shared headers, and no body where HEAD was asked.
    private static func response(
        _ reply: Reply, to head: CallHead, after duration: Duration
    ) -> Response {
        typealias Field = HTTPFields.Element
        var fields = HTTPFields()
        fields[.contentType] = reply.contentType
        fields[.contentLength] = String(reply.body.count)
        let shared = [
            ("X-Request-ID", head.requestID), ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", "no-store"),
            ("Server-Timing", "total;dur=" + PredictTiming.milliseconds(duration)),
        ]
        let trace = head.traceParent.map { [("traceparent", $0)] } ?? []
        for (name, value) in shared + trace + reply.headers {
            guard let name = Field.Name(name) else { continue }
            fields.append(Field(name: name, value: value))
        }
        let status = HTTPResponse.Status(code: reply.status)
        let isHead = head.method == "HEAD"
        return Response(
            status: status, headers: fields,
            body: isHead ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(bytes: reply.body)))
    }
}
