import NIOCore
import NIOHTTP1

/// Bounds one client connection in time and knows what HTTP version its requests speak.
///
/// It stands between NIO's HTTP decoder and Hummingbird, which sees neither versions nor slow
/// bytes:
/// - an HTTP/1.0 client gets its connection closed after the reply, or kept when it asked for that;
/// - headers, bodies and unread replies each have their time, after which the connection ends;
/// - a reply that comes before its request was read to the end closes the connection afterwards,
///   so that nobody has to swallow a body already refused;
/// - bytes that are not HTTP are answered with JSON.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// A request whose reply is not finished.
    private struct Pending {
        let isHTTP10: Bool
        var keepsAlive: Bool
    }

    /// What of a request has come in.
    private enum Reading {
        case head, body
    }

    private let limits: GatewayConfiguration.Limits
    private let isDraining: @Sendable () -> Bool
    private var context: ChannelHandlerContext?
    private var pending: [Pending] = []
    private var reading = Reading.head
    private var replyHasBegun = false
    private var isClosing = false
    private var headTimer: Scheduled<Void>?
    private var bodyTimer: Scheduled<Void>?
    private var replyTimer: Scheduled<Void>?

    /// A client that reads slower than this is not waited for.
    private static let replyTime = TimeAmount.seconds(60)
    /// After a refused body: time for the client to read the reply before the connection resets.
    private static let lingerTime = TimeAmount.milliseconds(500)

    init(limits: GatewayConfiguration.Limits, isDraining: @escaping @Sendable () -> Bool) {
        self.limits = limits
        self.isDraining = isDraining
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        startHeadTimer(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        cancelTimers()
    }

    func channelInactive(context: ChannelHandlerContext) {
        cancelTimers()
        context.fireChannelInactive()
    }

    /// Bytes have come in: if they begin a request, its headers must be complete in time.
    func bytesArrived() {
        if reading == .head, pending.isEmpty, headTimer == nil, !isClosing, let context {
            startHeadTimer(context)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosing else { return }
        switch unwrapInboundIn(data) {
        case .head(let head): begin(head, context)
        case .body: break
        case .end: endReading()
        }
        context.fireChannelRead(data)
    }

    private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        headTimer?.cancel()
        headTimer = nil
        reading = .body
        pending.append(
            Pending(isHTTP10: head.version != .http1_1, keepsAlive: head.isKeepAlive))
        let length = head.headers.first(name: "content-length").flatMap { Int($0) }
        if head.headers.first(name: "expect")?.lowercased() == "100-continue", pending.count == 1,
            (length ?? 0) <= limits.bodyBytes, head.version == .http1_1
        {
            let proceed = HTTPResponseHead(version: .http1_1, status: .continue)
            context.writeAndFlush(wrapOutboundOut(.head(proceed)), promise: nil)
        }
        let mebibytes = min(length ?? limits.bodyBytes, limits.bodyBytes) >> 20
        let time = TimeAmount(limits.bodyTime) + .seconds(Int64(mebibytes))
        bodyTimer?.cancel()
        bodyTimer = schedule(in: time, context) { $0.bodyIsLate($1) }
    }

    private func endReading() {
        bodyTimer?.cancel()
        bodyTimer = nil
        reading = .head
    }

    private func bodyIsLate(_ context: ChannelHandlerContext) {
        refuse(
            .requestTimeout, "the request's body did not arrive in time", ChannelError.inputClosed,
            context)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !isClosing else {
            // A reply that came too late: the connection has had its last one. Failing here would
            // make Hummingbird close at once, before the client has read that one.
            promise?.succeed()
            return
        }
        switch unwrapOutboundIn(data) {
        case .head(let head): writeHead(head, context, promise)
        case .body: context.write(data, promise: promise)
        case .end: writeEnd(data, context, promise)
        }
    }

    private func writeHead(
        _ head: HTTPResponseHead, _ context: ChannelHandlerContext,
        _ promise: EventLoopPromise<Void>?
    ) {
        var head = head
        replyHasBegun = true
        let isEarly = reading == .body && pending.count == 1
        if !pending.isEmpty, isEarly || isDraining() { pending[0].keepsAlive = false }
        if let request = pending.first {
            if !request.keepsAlive {
                head.headers.replaceOrAdd(name: "Connection", value: "close")
            } else if request.isHTTP10 {
                head.headers.replaceOrAdd(name: "Connection", value: "keep-alive")
            }
        }
        context.write(wrapOutboundOut(.head(head)), promise: promise)
    }

    private func writeEnd(
        _ data: NIOAny, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?
    ) {
        replyHasBegun = false
        let request = pending.isEmpty ? nil : pending.removeFirst()
        let done = promise ?? context.eventLoop.makePromise(of: Void.self)
        replyTimer?.cancel()
        replyTimer = schedule(in: Self.replyTime, context) { $1.close(promise: nil) }
        let isLast = request?.keepsAlive == false
        let isEarly = isLast && reading == .body
        isClosing = isLast
        done.futureResult.assumeIsolated().whenComplete { _ in
            self.replyTimer?.cancel()
            self.replyTimer = nil
            if isEarly {
                self.linger(context)
            } else if isLast {
                context.close(promise: nil)
            }
        }
        context.writeAndFlush(data, promise: done)
    }

    /// Lets the client read the reply: closing with unread bytes would reset the connection under
    /// it.
    private func linger(_ context: ChannelHandlerContext) {
        bodyTimer?.cancel()
        context.close(mode: .output, promise: nil)
        replyTimer = schedule(in: Self.lingerTime, context) { $1.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let fault = error as? HTTPParserError else {
            context.fireErrorCaught(error)
            return
        }
        if fault == .headerOverflow {
            refuse(
                .requestHeaderFieldsTooLarge, "the request's headers are too large", fault, context)
        } else {
            refuse(.badRequest, "this is not an HTTP/1.1 request", fault, context)
        }
    }

    /// Answers without Hummingbird and ends the connection; only closes where a reply is under way.
    ///
    /// `cause` goes on to whoever reads the request, so that half a body is never taken for a whole
    /// one.
    private func refuse(
        _ status: HTTPResponseStatus, _ detail: String, _ cause: any Error,
        _ context: ChannelHandlerContext
    ) {
        guard !isClosing else { return }
        isClosing = true
        defer { context.fireErrorCaught(cause) }
        guard !replyHasBegun, pending.count <= 1 else {
            context.close(promise: nil)
            return
        }
        let body = Reply.detail(Int(status.code), detail).body
        let head = HTTPResponseHead(
            version: .http1_1, status: status,
            headers: [
                "Content-Type": Reply.json, "Content-Length": "\(body.count)",
                "Connection": "close",
            ])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(
            wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
        let done = context.eventLoop.makePromise(of: Void.self)
        done.futureResult.assumeIsolated().whenComplete { _ in self.linger(context) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: done)
    }

    private func startHeadTimer(_ context: ChannelHandlerContext) {
        headTimer = schedule(in: TimeAmount(limits.headerTime), context) { guardian, context in
            guardian.headTimer = nil
            context.close(promise: nil)
        }
    }

    private func schedule(
        in time: TimeAmount, _ context: ChannelHandlerContext,
        _ work: @escaping (ConnectionGuard, ChannelHandlerContext) -> Void
    ) -> Scheduled<Void> {
        context.eventLoop.assumeIsolated().scheduleTask(in: time) { [self] in
            work(self, context)
        }
    }

    private func cancelTimers() {
        for timer in [headTimer, bodyTimer, replyTimer] { timer?.cancel() }
        (headTimer, bodyTimer, replyTimer) = (nil, nil, nil)
    }
}
