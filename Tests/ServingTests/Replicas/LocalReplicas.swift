import Foundation
import Glibc
import Logging
import NIOCore
import Synchronization
import Telemetry

@testable import Serving

/// Replicas as tasks of the test's process: everything of real ones but the process.
final class LocalReplicas: ReplicaLauncher {
    let started = Mutex<[LocalReplica]>([])

    func launch(_ id: ReplicaID, over descriptor: Int32) throws -> any ReplicaProcess {
        let replica = LocalReplica(descriptor)
        started.withLock { $0.append(replica) }
        return replica
    }

    /// Ends the oldest one that runs.
    func killOne() {
        started.withLock { $0.first { !$0.hasEnded } }?.kill()
    }

    var count: Int { started.withLock { $0.count } }
}

final class LocalReplica: ReplicaProcess {
    private let killEnd: Int32
    private let task: Task<String, Never>
    private let ended = Atomic<Bool>(false)

    init(_ descriptor: Int32) {
        let killEnd = dup(descriptor)
        self.killEnd = killEnd
        let service = ReplicaService(
            descriptor: dup(descriptor),
            logger: Logger(label: "replica") { _ in
                SwiftLogNoOpLogHandler()
            })
        task = Task {
            let cause = await service.run()
            // As the end of a process would, for all its descriptors.
            shutdown(killEnd, Int32(SHUT_RDWR))
            return cause
        }
    }

    deinit { close(killEnd) }

    var pid: Int32 { getpid() }
    var hasEnded: Bool { ended.load(ordering: .relaxed) }

    func kill() {
        ended.store(true, ordering: .relaxed)
        shutdown(killEnd, Int32(SHUT_RDWR))
    }

    func wait() async -> String {
        let cause = await task.value
        ended.store(true, ordering: .relaxed)
        return cause
    }
}

/// Replicas that do what a test says: they load at once and keep predictions until let go.
final class HeldReplicas: ReplicaLauncher {
    /// Whether the first one answers for its health; all others do.
    let isFirstWell: Bool
    let started = Mutex<[HeldReplica]>([])

    init(isFirstWell: Bool = true) { self.isFirstWell = isFirstWell }

    func launch(_ id: ReplicaID, over descriptor: Int32) throws -> any ReplicaProcess {
        let isWell = isFirstWell || started.withLock { !$0.isEmpty }
        let replica = HeldReplica(dup(descriptor), answersHealth: isWell)
        started.withLock { $0.append(replica) }
        return replica
    }

    var replicas: [HeldReplica] { started.withLock { $0 } }
    var heldCount: Int { replicas.reduce(0) { $0 + $1.heldCount } }
}

final class HeldReplica: ReplicaProcess {
    private struct State {
        var held: [UInt64] = []
        var isOpen = false
        var waiting: [CheckedContinuation<Void, Never>] = []
        var hasEnded = false
    }

    private let socket: ReplicaSocket
    private let state = Mutex(State())

    init(_ descriptor: Int32, answersHealth: Bool) {
        let socket = ReplicaSocket(descriptor)
        self.socket = socket
        socket.start { [weak self] frame in
            switch frame {
            case .hello(let json): socket.send(.hello(json))
            case .prepare(let call, _):
                let outcome = ModelOrder.Outcome.ready(sha256: "00", signatureJSON: "{}")
                socket.send(.prepared(call: call, ReplicaJSON.encode(outcome)))
            case .predict(let call, _): self?.take(call)
            case .ping: if answersHealth { socket.send(.pong) }
            default: break
            }
        } onEnd: { [weak self] _ in
            self?.end()
        }
    }

    var pid: Int32 { 0 }
    var heldCount: Int { state.withLock { $0.held.count } }

    /// Answers what is held, and from now on at once.
    func letGo() {
        let held = state.withLock { state in
            state.isOpen = true
            defer { state.held = [] }
            return state.held
        }
        held.forEach(answer)
    }

    private func take(_ call: UInt64) {
        let isOpen = state.withLock { state in
            if !state.isOpen { state.held.append(call) }
            return state.isOpen
        }
        if isOpen { answer(call) }
    }

    private func answer(_ call: UInt64) {
        socket.send(.reply(call: call, Reply(body: Array("{}".utf8))))
    }

    private func end() {
        let waiting = state.withLock { state in
            state.hasEnded = true
            // Nothing of it is held any more.
            state.held = []
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func kill() { socket.close() }

    func wait() async -> String {
        await withCheckedContinuation { continuation in
            let hasEnded = state.withLock { state in
                if !state.hasEnded { state.waiting.append(continuation) }
                return state.hasEnded
            }
            if hasEnded { continuation.resume() }
        }
        return "ended"
    }
}

/// A pool without a gateway.
enum TestPool {
    static func make(
        _ launcher: any ReplicaLauncher, _ change: (inout ReplicaSettings) -> Void = { _ in }
    ) throws -> ReplicaPool {
        var settings = ReplicaSettings()
        change(&settings)
        return ReplicaPool(
            try settings.validated(), launcher: launcher, limits: .init(),
            instruments: GatewayInstruments(MetricRegistry()),
            logger: Logger(label: "pool") { _ in SwiftLogNoOpLogHandler() })
    }

    static func request(_ body: String = #"{"features": [[1, 2]]}"#) -> PredictRequest {
        PredictRequest(body: ByteBuffer(string: body), requestID: "r-1", loadCommand: "load it")
    }

    static func version(_ number: Int) -> ServableVersion {
        ServableVersion(name: "One", version: String(number))
    }

    /// Waits for `condition`; false after twenty seconds.
    static func eventually(_ condition: () async -> Bool) async -> Bool {
        for _ in 0..<4_000 {
            if await condition() { return true }
            try? await Task.sleep(for: .milliseconds(5))
        }
        return false
    }
}

/// Goes up once; read from any task.
final class Flag: Sendable {
    private let value = Atomic<Bool>(false)

    var isSet: Bool { value.load(ordering: .relaxed) }

    func set() { value.store(true, ordering: .relaxed) }
}
