import Crypto
import Foundation
import JobChannel
import Synchronization
import Testing

@testable import Manta

/// A worker with no store behind it: hands a driver's tasks to the executors that connect, keeps
/// what they answered, and stores blobs as files.
final class TestWorker: Sendable {
    struct Key: Hashable {
        var name: String
        var digest: String
        var occurrence: Int
    }

    private struct Call {
        var key: Key
        var payload: [UInt8]
        var inputBlob: String?
        var milliCPUs: Int?
        var driver: ChannelConnection
        var request: UInt64
        var attempt = 1
    }

    private struct State {
        var waiting: [Call] = []
        var idle: [ChannelConnection] = []
        var running: [ObjectIdentifier: (assignment: UInt64, call: Call)] = [:]
        var answers: [Key: (TaskAnswer, [UInt8])] = [:]
        var nextAssignment: UInt64 = 1
        var drivers: [ChannelConnection] = []
        var executors: [ChannelConnection] = []
        var outstanding: Set<UInt64> = []
        var seen = Seen()
    }

    /// What went over the channel, for tests to look at.
    struct Seen {
        var enqueued: [TaskRequest] = []
        var abandoned = 0
        var outstandingMax = 0
        var assignments = 0
        var attemptsMax = 0
        var result: [UInt8]?
        var blobsOffered = 0
    }

    let folder = FileManager.default.temporaryDirectory.path + "/mw-\(UUID().uuidString.prefix(8))"
    let slots: Int
    private let listener: ChannelListener
    private let state = Mutex(State())

    init(slots: Int) throws {
        self.slots = slots
        listener = try ChannelListener(path: folder + "/s")
        Task { [self] in
            for await connection in listener.connections { Task { await serve(connection) } }
        }
    }

    var seen: Seen { state.withLock { $0.seen } }
    var scratchFiles: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
            .filter { $0 != "s" && !$0.hasPrefix("blob-") }
    }

    func connect(_ role: ProcessRole) async throws -> ChannelClient {
        try await ChannelClient.connect(path: listener.path, token: "t", role: role)
    }

    /// A driver's cluster on this worker, with its listening task running.
    func makeCluster() async throws -> Cluster {
        let runner = ChannelRunner(try await connect(.driver), onShutdown: {})
        Task { try await runner.listen() }
        return Cluster(runner, try DriverEnvironment([:]))
    }

    func startExecutors(_ count: Int) async throws {
        for _ in 0..<count {
            let executor = Executor(try await connect(.executor))
            Task { try await executor.serve() }
        }
    }

    func closeDrivers() {
        for connection in state.withLock({ $0.drivers }) { connection.close() }
    }

    func toldDrivers(_ header: ChannelMessage.Header) {
        for connection in state.withLock({ $0.drivers }) { try? connection.send(.init(header)) }
    }

    /// Ends one executor's connection, as its death would: its task runs again elsewhere.
    func killOneBusyExecutor() -> Bool {
        let victim = state.withLock { state in
            state.executors.first { state.running[ObjectIdentifier($0)] != nil }
        }
        victim?.close()
        guard let victim else { return false }
        lose(victim)
        return true
    }

    func end() {
        listener.close()
        let all = state.withLock { $0.drivers + $0.executors }
        for connection in all { connection.close() }
        try? FileManager.default.removeItem(atPath: folder)
    }

    // MARK: Serving

    private func serve(_ connection: ChannelConnection) async {
        do {
            let hello = try await connection.receiveHello()
            try connection.send(
                ChannelMessage(
                    .welcome(
                        Welcome(
                            protocolVersion: ChannelClient.protocolVersion, job: "job-1",
                            node: "worker-1", slots: slots, scratchDirectory: folder))))
            if hello.role == .executor {
                state.withLock {
                    $0.executors.append(connection)
                    $0.idle.append(connection)
                }
                dispatch()
            } else {
                state.withLock { $0.drivers.append(connection) }
            }
            for try await message in connection.messages { try take(message, from: connection) }
        } catch {
            connection.close()
        }
        if state.withLock({ $0.executors.contains { $0 === connection } }) { lose(connection) }
    }

    private func take(_ message: ChannelMessage, from connection: ChannelConnection) throws {
        switch message.header {
        case .enqueue(let request, let task):
            try enqueue(request, task, message.payload, from: connection)
        case .abandon(let request):
            state.withLock {
                $0.seen.abandoned += 1
                $0.outstanding.remove(request)
                $0.waiting.removeAll { $0.request == request && $0.driver === connection }
            }
        case .answered(let assignment, let answer):
            finish(assignment, answer, message.payload, by: connection)
        case .blobOffered(let request, let digest, let path):
            state.withLock { $0.seen.blobsOffered += 1 }
            let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            guard SHA256.hexDigest(of: bytes) == digest else {
                return try connection.send(.init(.refused(request: request, reason: "damaged")))
            }
            rename(path, blobPath(digest))
            try connection.send(.init(.blobReady(request: request, path: blobPath(digest))))
        case .blobWanted(let request, let digest):
            let isThere = FileManager.default.fileExists(atPath: blobPath(digest))
            try connection.send(
                .init(
                    isThere
                        ? .blobReady(request: request, path: blobPath(digest))
                        : .refused(request: request, reason: "missing")))
        case .result: state.withLock { $0.seen.result = message.payload }
        default: throw ChannelError.malformed("not for a worker")
        }
    }

    private func blobPath(_ digest: String) -> String { folder + "/blob-" + digest }

    private func enqueue(
        _ request: UInt64, _ task: TaskRequest, _ payload: [UInt8], from driver: ChannelConnection
    ) throws {
        let key = Key(
            name: task.name, digest: task.inputBlob ?? SHA256.hexDigest(of: Data(payload)),
            occurrence: task.occurrence)
        let known = state.withLock { state -> (TaskAnswer, [UInt8])? in
            state.seen.enqueued.append(task)
            state.outstanding.insert(request)
            state.seen.outstandingMax = max(state.seen.outstandingMax, state.outstanding.count)
            if let answer = state.answers[key] {
                state.outstanding.remove(request)
                return answer
            }
            state.waiting.append(
                Call(
                    key: key, payload: payload, inputBlob: task.inputBlob,
                    milliCPUs: task.milliCPUsMax.map { min($0, slots * 1_000) } ?? task.milliCPUs,
                    driver: driver, request: request))
            return nil
        }
        if let known {
            try driver.send(.init(.completed(request: request, known.0), payload: known.1))
        }
        dispatch()
    }

    private func dispatch() {
        while true {
            let next = state.withLock { state -> (ChannelConnection, UInt64, Call)? in
                guard !state.idle.isEmpty, !state.waiting.isEmpty else { return nil }
                let executor = state.idle.removeFirst()
                let call = state.waiting.removeFirst()
                let assignment = state.nextAssignment
                state.nextAssignment += 1
                state.seen.assignments += 1
                state.seen.attemptsMax = max(state.seen.attemptsMax, call.attempt)
                state.running[ObjectIdentifier(executor)] = (assignment, call)
                return (executor, assignment, call)
            }
            guard let (executor, assignment, call) = next else { return }
            try? executor.send(
                ChannelMessage(
                    .run(
                        assignment: assignment, task: call.key.name, attempt: call.attempt,
                        inputBlob: call.inputBlob, milliCPUs: call.milliCPUs),
                    payload: call.payload))
        }
    }

    private func finish(
        _ assignment: UInt64, _ answer: TaskAnswer, _ payload: [UInt8],
        by executor: ChannelConnection
    ) {
        let call = state.withLock { state -> Call? in
            guard let running = state.running[ObjectIdentifier(executor)],
                running.assignment == assignment
            else { return nil }
            state.running[ObjectIdentifier(executor)] = nil
            state.idle.append(executor)
            state.outstanding.remove(running.call.request)
            if case .succeeded = answer { state.answers[running.call.key] = (answer, payload) }
            return running.call
        }
        if let call {
            try? call.driver.send(
                .init(.completed(request: call.request, answer), payload: payload))
        }
        dispatch()
    }

    private func lose(_ executor: ChannelConnection) {
        state.withLock { state in
            state.idle.removeAll { $0 === executor }
            guard var call = state.running.removeValue(forKey: ObjectIdentifier(executor))?.call
            else { return }
            call.attempt += 1
            state.waiting.append(call)
        }
        dispatch()
    }
}

/// Waits for a condition; without it within ten seconds the test fails where it waits.
func expectSoon(
    sourceLocation: SourceLocation = #_sourceLocation, _ condition: () -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(10)
    while !condition() {
        guard ContinuousClock.now < deadline else {
            Issue.record("the condition did not come true", sourceLocation: sourceLocation)
            return
        }
        try await Task.sleep(for: .milliseconds(5))
    }
}
