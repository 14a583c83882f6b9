import Foundation
import JobChannel
import Synchronization

/// The executor's life: runs what its worker assigns, one task at a time, until the channel ends.
final class Executor: Sendable {
    private let peer: ChannelPeer
    /// Set in an executor that became an actor.
    private let home = Mutex<(any ActorBox)?>(nil)
    private let running = Mutex<(assignment: UInt64, task: Task<Void, Never>)?>(nil)

    init(_ client: ChannelClient) {
        peer = ChannelPeer(client)
    }

    func whenWorkerGone(_ action: @escaping @Sendable () -> Void) {
        peer.whenWorkerGone(action)
    }

    /// Returns after `shutdown` or at the channel's end.
    func serve() async throws {
        do {
            try await peer.listen { message in try obey(message) }
        } catch is ShutdownRequested {
            await peer.close()
        }
    }

    private struct ShutdownRequested: Error {}

    private enum Input: Sendable {
        case inline(Data)
        case blob(String)
    }

    private struct Call: Sendable {
        var name: String
        var attempt: Int
        var input: Input
        /// What was granted; a worker of another version does not say.
        var milliCPUs: Int?
    }

    private func obey(_ message: ChannelMessage) throws {
        switch message.header {
        case .run(let assignment, let task, let attempt, let inputBlob, let milliCPUs):
            let call = Call(
                name: task, attempt: attempt,
                input: inputBlob.map { .blob($0) } ?? .inline(Data(message.payload)),
                milliCPUs: milliCPUs)
            start(assignment) { await self.answer(to: call) }
        case .become(let assignment, let instance, let attempt, let inputBlob, let milliCPUs):
            let call = Call(
                name: instance, attempt: attempt,
                input: inputBlob.map { .blob($0) } ?? .inline(Data(message.payload)),
                milliCPUs: milliCPUs)
            start(assignment) { await self.become(call) }
        case .call(let assignment, let instance, let attempt, let inputBlob):
            let call = Call(
                name: instance, attempt: attempt,
                input: inputBlob.map { .blob($0) } ?? .inline(Data(message.payload)))
            start(assignment) { await self.receive(call) }
        case .cancel(let assignment):
            let task = running.withLock { $0?.assignment == assignment ? $0?.task : nil }
            task?.cancel()
        case .shutdown: throw ShutdownRequested()
        // A newer worker may say more than this executor understands.
        default: break
        }
    }

    /// - Parameter work: done when all that was begun before has ended; nil answers nothing.
    private func start(
        _ assignment: UInt64, _ work: @escaping @Sendable () async -> (TaskAnswer, [UInt8])?
    ) {
        running.withLock { running in
            let previous = running?.task
            let task = Task {
                await previous?.value
                await run(assignment, work)
            }
            running = (assignment, task)
        }
    }

    private func run(
        _ assignment: UInt64, _ work: @Sendable () async -> (TaskAnswer, [UInt8])?
    ) async {
        guard let (answer, payload) = await work() else { return }
        // What the task printed reaches the worker before its answer does.
        StandardStreams.flush()
        // When this fails the channel is gone, and so is this process in a moment.
        try? await peer.send(.answered(assignment: assignment, answer), payload: payload)
    }

    private func answer(to call: Call) async -> (TaskAnswer, [UInt8]) {
        await answer {
            let entry = try TaskRegistry.shared.withLock { try $0.entry(named: call.name) }
            return try await entry.handler(
                try await input(of: call), context(of: call, entry.options))
        }
    }

    /// Becomes the actor; answers only when that fails.
    private func become(_ call: Call) async -> (TaskAnswer, [UInt8])? {
        do {
            let kind = ActorRole.kind(ofInstance: call.name)
            let entry = try TaskRegistry.shared.withLock { try $0.entry(ofActor: kind) }
            let box = try await entry.make(
                try await input(of: call), context(of: call, entry.options))
            home.withLock { $0 = box }
            return nil
        } catch {
            return (.failed(message: JobError.message(of: error)), [])
        }
    }

    /// Answers nothing when the actor could not be made: then its worker ends this process, and
    /// tells that cause.
    private func receive(_ call: Call) async -> (TaskAnswer, [UInt8])? {
        guard let box = home.withLock({ $0 }) else { return nil }
        return await answer {
            try await box.receive(try await input(of: call), context(of: call, TaskOptions()))
        }
    }

    private func context(of call: Call, _ declared: TaskOptions) -> TaskContext {
        var options = declared
        if let granted = call.milliCPUs { options.milliCPUs = granted }
        return TaskContext(
            taskName: call.name, attempt: call.attempt, jobID: peer.welcome.job,
            node: peer.welcome.node, threads: options.threads, blobs: peer)
    }

    private func input(of call: Call) async throws -> TaskInput {
        switch call.input {
        case .inline(let bytes): TaskInput(bytes: bytes, blobs: peer)
        case .blob(let digest): TaskInput(bytes: try await peer.load(digest), blobs: peer)
        }
    }

    private func answer(_ work: () async throws -> [UInt8]) async -> (TaskAnswer, [UInt8]) {
        do {
            let output = try await work()
            guard output.count > TaskCall.inlineMax else { return (.succeeded(blob: nil), output) }
            return (.succeeded(blob: try await peer.put(Data(output)).digest), [])
        } catch is CancellationError {
            return (.cancelled, [])
        } catch {
            return (.failed(message: JobError.message(of: error)), [])
        }
    }
}
