import NIOCore
import NIOHTTP1

/// Puts a `ConnectionGuard` right behind the HTTP decoder of a new connection, and steps aside.
///
/// Hummingbird lets handlers be added only behind its own codec, where versions are gone already.
final class GuardInstaller: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Any

    private let limits: GatewayConfiguration.Limits
    private let isDraining: @Sendable () -> Bool

    init(limits: GatewayConfiguration.Limits, isDraining: @escaping @Sendable () -> Bool) {
        self.limits = limits
        self.isDraining = isDraining
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let pipeline = context.pipeline.syncOperations
        let guardian = ConnectionGuard(limits: limits, isDraining: isDraining)
        do {
            let decoder = try pipeline.context(
                handlerType: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(guardian, position: .after(decoder.handler))
            try pipeline.addHandler(ByteWatch(guardian), position: .first)
        } catch {
            // Without its guard a connection would have no bounds: it is not served.
            context.close(promise: nil)
        }
    }
}

/// Tells the guard when bytes come in, before they are whole headers.
private final class ByteWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let guardian: ConnectionGuard

    init(_ guardian: ConnectionGuard) {
        self.guardian = guardian
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guardian.bytesArrived()
        context.fireChannelRead(data)
    }
}
