import DecisionForests
import Foundation
import JobChannel
import Synchronization

/// Runs a job's tasks in this process, `slots` at a time: the runner of a job that is alone.
final class LocalRunner: TaskRunner {
    let jobID: String
    let slots: Int
    var ownThreads: Int? { slots }
    private let gate: SlotGate
    private let actors = LocalActors()
    private let blobs = Mutex<[String: Data]>([:])
    private let onResult: @Sendable (Data) -> Void

    init(
        jobID: String = "alone", slots: Int, onResult: @escaping @Sendable (Data) -> Void = { _ in }
    ) {
        self.jobID = jobID
        self.slots = slots
        self.onResult = onResult
        gate = SlotGate(slots)
    }

    func run(_ call: TaskCall) async throws -> Data {
        if let role = call.actor { return try await run(call, role) }
        let entry = try TaskRegistry.shared.withLock { try $0.entry(named: call.name) }
        try await gate.enter()
        defer { gate.leave() }
        let attemptsMax = call.options.retriesErrors ? call.options.attemptsMax : 1
        for attempt in 1... {
            let context = TaskContext(
                taskName: call.name, attempt: attempt, jobID: jobID, node: "local",
                threads: min(slots, call.options.threads), blobs: self)
            do {
                return Data(
                    try await entry.handler(
                        TaskInput(bytes: Data(call.input), blobs: self), context))
            } catch {
                if Task.isCancelled { throw CancellationError() }
                guard attempt >= attemptsMax else { continue }
                throw JobError.taskFailed(
                    task: call.name, message: JobError.message(of: error))
            }
        }
        throw JobError.taskLost(task: call.name, message: "it was never tried")
    }

    /// An actor's life, or one message to it. It takes no slot: it would keep tasks from running in
    /// a process that has only one.
    private func run(_ call: TaskCall, _ role: ActorRole) async throws -> Data {
        let input = TaskInput(bytes: Data(call.input), blobs: self)
        let context = TaskContext(
            taskName: call.name, attempt: 1, jobID: jobID, node: "local",
            threads: min(slots, call.options.threads), blobs: self)
        switch role {
        case .life(let instance):
            let entry = try TaskRegistry.shared.withLock {
                try $0.entry(ofActor: ActorRole.kind(ofInstance: instance))
            }
            try await actors.live(instance) { try await entry.make(input, context) }
        case .call(let instance):
            let home = try await actors.home(of: instance)
            do {
                return Data(try await home.receive(input, context))
            } catch {
                throw JobError.taskFailed(task: instance, message: JobError.message(of: error))
            }
        }
    }

    func store(_ bytes: Data, digest: String) async throws {
        blobs.withLock { $0[digest] = bytes }
    }

    func load(_ digest: String) async throws -> Data {
        guard let bytes = blobs.withLock({ $0[digest] }) else {
            throw JobError.blobRefused(digest: digest, reason: "this process never stored it")
        }
        return bytes
    }

    func storage(of digest: String) async throws -> ByteStorage {
        ByteStorage(copying: try await load(digest))
    }

    func keep(result: Data) async throws { onResult(result) }
}

/// Lets a fixed number of callers in at a time, in the order they came.
final class SlotGate: Sendable {
    private struct State {
        var free: Int
        var nextTicket = 0
        var waiters: [(ticket: Int, continuation: CheckedContinuation<Void, any Error>)] = []
    }

    private let state: Mutex<State>

    init(_ count: Int) {
        state = Mutex(State(free: count))
    }

    /// - Throws: `CancellationError` while waiting; then there is nothing to leave.
    func enter() async throws {
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isIn = state.withLock { state in
                    if Task.isCancelled { return nil as Bool? }
                    if state.free > 0 {
                        state.free -= 1
                        return true
                    }
                    state.waiters.append((ticket, continuation))
                    return false
                }
                switch isIn {
                case true?: continuation.resume()
                case nil: continuation.resume(throwing: CancellationError())
                case false?: break
                }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiters.firstIndex { $0.ticket == ticket }.map {
                    state.waiters.remove(at: $0)
                }
            }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }

    func leave() {
        let next = state.withLock { state in
            if state.waiters.isEmpty { state.free += 1 }
            return state.waiters.isEmpty ? nil : state.waiters.removeFirst()
        }
        next?.continuation.resume()
    }
}
