package import Logging
import ModelFormats
import Synchronization
import Telemetry

/// The other end of a gateway's replica: a model server that takes its requests from a socket.
///
/// Models come in two steps, so that all replicas of a gateway change together: `prepare` reads one
/// and warms it up, and `commit` puts it in the old one's place. Frames are taken in their order;
/// a prediction that comes after a commit is answered by the new model.
package final class ReplicaService: Sendable {
    private struct Models {
        var server: ModelServer?
        var candidate: (call: UInt64, model: ServedModel)?
    }

    private let socket: ReplicaSocket
    private let logger: Logger
    private let models = Mutex(Models())

    /// Takes over the connected socket `descriptor`.
    package init(descriptor: Int32, logger: Logger) {
        socket = ReplicaSocket(descriptor)
        self.logger = logger
    }

    /// Answers until the gateway closes its end; returns why that is.
    @discardableResult
    package func run() async -> String {
        await withCheckedContinuation { continuation in
            socket.start {
                self.take($0)
            } onEnd: { cause in
                self.models.withLock { $0 = Models() }
                continuation.resume(returning: cause)
            }
        }
    }

    /// One frame, on the socket's thread: what takes time is done elsewhere.
    private func take(_ frame: ReplicaFrame) {
        switch frame {
        case .hello(let json): greet(json)
        case .prepare(let call, let json): prepare(call, json)
        case .commit(let call): commit(call)
        case .discard: models.withLock { $0.candidate = nil }
        case .predict(let call, let request): predict(call, request)
        case .ping: Task { socket.send(.pong) }
        case .prepared, .reply, .pong: refuse("a frame of the wrong direction")
        }
    }

    private func greet(_ json: [UInt8]) {
        guard let greeting = ReplicaJSON.decode(ReplicaGreeting.self, json),
            greeting.format == ReplicaFrame.version
        else { return refuse("a gateway of another version; restart it") }
        // The gateway counts what the replies say; these instruments are shown to nobody.
        let server = ModelServer(
            limits: greeting.limits, instruments: GatewayInstruments(MetricRegistry()),
            admission: Admission(limit: greeting.concurrentPredictions),
            batching: greeting.batching)
        models.withLock { $0.server = server }
        socket.send(.hello(json))
    }

    private func refuse(_ reason: String) {
        logger.error("replica refuses its gateway", metadata: ["reason": "\(reason)"])
        socket.close()
    }

    private func prepare(_ call: UInt64, _ json: [UInt8]) {
        guard let order = ReplicaJSON.decode(ModelOrder.self, json),
            let server = models.withLock({ $0.server })
        else {
            return refuse("an order that cannot be read, or before a greeting")
        }
        Task {
            let outcome: ModelOrder.Outcome
            do throws(GatewayError) {
                let model = try await server.prepare(order.directory, version: order.version)
                models.withLock {
                    if ($0.candidate?.call ?? 0) <= call { $0.candidate = (call, model) }
                }
                outcome = .ready(sha256: model.sha256, signatureJSON: model.signature.json)
            } catch .badModel(_, _, let reason) {
                outcome = .refused(reason: reason)
            } catch {
                outcome = .refused(reason: "\(error)")
            }
            socket.send(.prepared(call: call, ReplicaJSON.encode(outcome)))
        }
    }

    private func commit(_ call: UInt64) {
        let (server, model) = models.withLock { models -> (ModelServer?, ServedModel?) in
            guard let candidate = models.candidate, candidate.call == call else {
                return (nil, nil)
            }
            models.candidate = nil
            return (models.server, candidate.model)
        }
        if let model { _ = server?.put(model) }
    }

    private func predict(_ call: UInt64, _ request: PredictRequest) {
        guard let server = models.withLock({ $0.server }) else {
            return refuse("a prediction before a greeting")
        }
        Task {
            var reply = await server.predict(request)
            if reply.body.count > ReplicaFrame.bytesMax - (1 << 20) {
                reply = Self.tooLarge.reply(requestID: request.requestID)
            }
            socket.send(.reply(call: call, reply))
        }
    }

    private static let tooLarge = Problem(
        status: 413, code: "reply-too-large", title: "The reply would be too large",
        detail: "the predictions take more than \(ReplicaFrame.bytesMax >> 20) MiB; send the rows "
            + "in several requests")
}
