import Dispatch
import Logging
import Synchronization
import Telemetry

/// Replicas in processes of their own behind one endpoint: they are started, fed, watched and
/// replaced here.
///
/// What to do is decided by values (`Router`, `Autoscaler`, `ReplicaLife`) inside `PoolState`; this
/// class holds the lock and does what they say.
package final class ReplicaPool: ReplicaEndpoint {
    private let state: Mutex<PoolState>
    private let launcher: any ReplicaLauncher
    private let greeting: [UInt8]
    private let instruments: GatewayInstruments
    let logger: Logger
    private let origin = ContinuousClock.now
    private let lastTicket = Atomic<UInt64>(0)
    /// Forks and execs block; they wait here rather than on the threads that answer requests.
    private let launches = DispatchQueue(label: "manta.serving.launch", attributes: .concurrent)

    /// Between two looks at clocks and numbers: Ray Serve's control loop has the same.
    private static let controlPeriod = Duration.milliseconds(100)

    /// `settings` are valid. No replica starts before there is a model.
    init(
        _ settings: ReplicaSettings, launcher: any ReplicaLauncher,
        limits: GatewayConfiguration.Limits, batching: BatchSettings? = nil,
        instruments: GatewayInstruments, logger: Logger
    ) {
        state = Mutex(PoolState(settings, connectionsMax: limits.connections))
        self.launcher = launcher
        self.instruments = instruments
        self.logger = logger
        greeting = ReplicaJSON.encode(
            ReplicaGreeting(
                limits: limits, ongoingMax: settings.maxOngoingRequests, batching: batching))
        Task { [weak self] in
            // Ends with the pool; a running replica holds that.
            while self?.control() != nil { try? await Task.sleep(for: Self.controlPeriod) }
        }
    }

    private var now: Duration { ContinuousClock.now - origin }

    // MARK: Predictions

    package func predict(_ request: PredictRequest) async -> Reply {
        let ticket = Router.Ticket(number: lastTicket.add(1, ordering: .relaxed).newValue)
        let reply = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (refusal, mustWake) = state.withLock { state in
                    let refusal = state.admit(ticket, request, continuation, at: now)
                    return (refusal, refusal == nil && state.autoscaler.target == 0)
                }
                if let refusal { continuation.resume(returning: refusal) }
                if mustWake { control() }
            }
        } onCancel: {
            perform { $0.withdraw(ticket) }
        }
        instruments.count(reply)
        return reply
    }

    // MARK: Models

    package var servedVersion: ServableVersion? { state.withLock { $0.served?.version } }

    package func install(
        _ directory: String, version: ServableVersion
    ) async throws(GatewayError) -> InstalledModel {
        state.withLock { $0.isInstalling = true }
        defer { state.withLock { $0.isInstalling = false } }
        try await someReplica()
        let order = ReplicaJSON.encode(ModelOrder(directory: directory, version: version))
        let outcomes = await prepareEverywhere(order)
        let prepared = outcomes.compactMapValues { outcome -> UInt64? in
            if case .ready? = outcome.outcome { outcome.call } else { nil }
        }
        for (_, outcome) in outcomes.values {
            guard case .refused(let reason)? = outcome else { continue }
            perform { $0.abort(prepared, at: now) }
            throw .badModel(name: version.name, version: version.version, reason: reason)
        }
        guard
            case .ready(let sha256, let signature)? = outcomes.values.lazy.compactMap(\.outcome)
                .first
        else {
            perform { $0.abort(prepared, at: now) }
            throw .badModel(
                name: version.name, version: version.version,
                reason: "every replica ended while it loaded the model")
        }
        var previous: ServableVersion?
        perform { state in
            let (before, effects) = state.commit(prepared, version, directory, at: now)
            previous = before
            return effects
        }
        return InstalledModel(previous: previous, sha256: sha256, signatureJSON: signature)
    }

    package func unload() async -> ServableVersion? {
        var version: ServableVersion?
        perform { state in
            let (previous, effects) = state.unload()
            version = previous
            return effects
        }
        control()
        return version
    }

    /// Waits until a replica can take orders; one is started where there is none.
    private func someReplica() async throws(GatewayError) {
        while true {
            control()
            let (isThere, failure) = state.withLock { state in
                (
                    state.replicas.values.contains(where: \.takesOrders),
                    state.pace.failuresInRow >= 3 ? state.lastStartFailure : nil
                )
            }
            if isThere { return }
            if let failure { throw .storage("no replica stays alive: \(failure)") }
            do {
                // Short beside a process's start, long beside a look at this state.
                try await Task.sleep(for: .milliseconds(5))
            } catch {
                throw .upstream(hop: "replica", reason: "none started", timedOut: true)
            }
        }
    }

    private func prepareEverywhere(
        _ order: [UInt8]
    ) async -> [ReplicaID: (call: UInt64, outcome: ModelOrder.Outcome?)] {
        let calls = state.withLock { $0.beginInstall() }
        typealias Answer = (ReplicaID, UInt64, ModelOrder.Outcome?)
        return await withTaskGroup(of: Answer.self) { group in
            for (id, call) in calls {
                group.addTask { (id, call, await self.prepare(order, at: id, call)) }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = ($1.1, $1.2) }
        }
    }

    /// Nil when the replica was lost over it.
    private func prepare(
        _ order: [UInt8], at id: ReplicaID, _ call: UInt64
    ) async -> ModelOrder.Outcome? {
        await withCheckedContinuation { continuation in
            let isSent = state.withLock { state -> Bool in
                guard let socket = state.replicas[id]?.socket else { return false }
                state.orders[call] = .init(replica: id, continuation: continuation)
                socket.send(.prepare(call: call, order))
                return true
            }
            if !isSent { continuation.resume(returning: nil) }
        }
    }

    // MARK: Replicas

    /// Ends all replicas; those that do not end by themselves are killed.
    func stop() async {
        var processes: [any ReplicaProcess] = []
        perform { state in
            processes = state.replicas.values.compactMap(\.process)
            return state.stop()
        }
        await end(processes)
    }

    private func end(_ processes: [any ReplicaProcess]) async {
        let killer = Task {
            try await Task.sleep(for: .seconds(2))
            for process in processes { process.kill() }
        }
        defer { killer.cancel() }
        for process in processes { _ = await process.wait() }
    }

    var status: ReplicaStatus {
        state.withLock { state in
            ReplicaStatus(
                target: state.autoscaler.target, ready: state.count(.ready),
                starting: state.count(.starting), draining: state.count(.draining),
                ongoing: state.router.ongoingCount, queued: state.router.queuedCount,
                replaced: state.restartCount, reason: state.autoscaler.decisions.last?.reason,
                pids: state.replicas.values.compactMap { $0.process?.pid }.sorted())
        }
    }

    private func control() { perform { $0.control(at: now) } }

    private func perform(_ change: (inout PoolState) -> [PoolState.Effect]) {
        for effect in state.withLock({ change(&$0) }) { perform(effect) }
    }

    private func perform(_ effect: PoolState.Effect) {
        switch effect {
        case .answer(let continuation, let reply): continuation.resume(returning: reply)
        case .settle(let continuation, let outcome): continuation.resume(returning: outcome)
        case .launch(let id): launches.async { self.launch(id) }
        case .end(let id, let process, let socket):
            socket?.close()
            process?.kill()
            if let process { Task { await self.logEnd(of: id, process) } }
        case .log(let event): log(event)
        }
    }

    private func launch(_ id: ReplicaID) {
        do {
            let (ours, theirs) = try ReplicaSocket.makePair()
            defer { ReplicaSocket.close(theirs) }
            let socket = ReplicaSocket(ours)
            let process = try launcher.launch(id, over: theirs)
            guard state.withLock({ $0.attach(id, process, socket) }) else {
                socket.close()
                return process.kill()
            }
            socket.start {
                self.receive($0, from: id)
            } onEnd: { cause in
                self.lose(id, cause: cause)
            }
            socket.send(.hello(greeting))
        } catch {
            lose(id, cause: "\(error)")
        }
    }

    private func lose(_ id: ReplicaID, cause: String) {
        perform { $0.lose(id, cause: cause, at: now) }
        control()
    }

    private func receive(_ frame: ReplicaFrame, from id: ReplicaID) {
        switch frame {
        case .hello: perform { $0.greeted(id, at: now) }
        case .prepared(let call, let json):
            let outcome = ReplicaJSON.decode(ModelOrder.Outcome.self, json)
            perform {
                $0.prepared(
                    id, call: call, outcome ?? .refused(reason: "an unreadable answer"), at: now)
            }
        case .reply(let call, let reply):
            perform { $0.finish(Router.Ticket(number: call), with: reply) }
        case .pong: state.withLock { $0.replicas[id]?.life.apply(.answered, at: now) }
        case .prepare, .commit, .discard, .predict, .ping:
            lose(id, cause: "a frame of the wrong direction")
        }
    }
}
