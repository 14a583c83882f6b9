import Foundation
import JobChannel
import Synchronization

/// The executor's life: runs what its worker assigns, one task at a time, until the channel ends.
final class Executor: Sendable {
    private let peer: ChannelPeer
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
            start(assignment, call)
        case .cancel(let assignment):
            let task = running.withLock { $0?.assignment == assignment ? $0?.task : nil }
            task?.cancel()
        case .shutdown: throw ShutdownRequested()
        // A newer worker may say more than this executor understands.
        default: break
        }
    }

    private func start(_ assignment: UInt64, _ call: Call) {
        running.withLock { running in
            let previous = running?.task
            let task = Task {
                await previous?.value
                await run(assignment, call)
            }
            running = (assignment, task)
        }
    }

    private func run(_ assignment: UInt64, _ call: Call) async {
        let (answer, payload) = await answer(to: call)
        // What the task printed reaches the worker before its answer does.
        StandardStreams.flush()
        // When this fails the channel is gone, and so is this process in a moment.
        try? await peer.send(.answered(assignment: assignment, answer), payload: payload)
    }

    private func answer(to call: Call) async -> (TaskAnswer, [UInt8]) {
        do {
            let entry = try TaskRegistry.shared.withLock { try $0.entry(named: call.name) }
            var options = entry.options
            if let granted = call.milliCPUs { options.milliCPUs = granted }
            let context = TaskContext(
                taskName: call.name, attempt: call.attempt, jobID: peer.welcome.job,
                node: peer.welcome.node, threads: options.threads, blobs: peer)
            let bytes =
                switch call.input {
                case .inline(let bytes): bytes
                case .blob(let digest): try await peer.load(digest)
                }
            let output = try await entry.handler(TaskInput(bytes: bytes, blobs: peer), context)
            guard output.count > TaskCall.inlineMax else { return (.succeeded(blob: nil), output) }
            return (.succeeded(blob: try await peer.put(Data(output)).digest), [])
        } catch is CancellationError {
            return (.cancelled, [])
        } catch {
            return (.failed(message: JobError.message(of: error)), [])
        }
    }
}
