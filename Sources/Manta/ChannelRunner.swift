import DecisionForests
import Foundation
import JobChannel
import Synchronization

/// Hands a driver's calls to its worker, which finds executors for them all over the cluster.
final class ChannelRunner: TaskRunner {
    private let peer: ChannelPeer
    private let slotCount: Mutex<Int>
    private let onShutdown: @Sendable () -> Void

    /// - Parameter onShutdown: called when the worker asks the driver to end.
    init(_ client: ChannelClient, onShutdown: @escaping @Sendable () -> Void) {
        peer = ChannelPeer(client)
        slotCount = Mutex(client.welcome.slots)
        self.onShutdown = onShutdown
    }

    var jobID: String { peer.welcome.job }
    var ownThreads: Int? { nil }
    var slots: Int { max(1, slotCount.withLock { $0 }) }

    /// Runs for as long as the channel stands.
    func listen() async throws {
        try await peer.listen { message in
            switch message.header {
            case .slots(let count): slotCount.withLock { $0 = count }
            case .shutdown: onShutdown()
            // A newer worker may say more than this driver understands.
            default: break
            }
        }
    }

    func whenWorkerGone(_ action: @escaping @Sendable () -> Void) {
        peer.whenWorkerGone(action)
    }

    func close() async { await peer.close() }

    func run(_ call: TaskCall) async throws -> Data {
        var request = TaskRequest(call)
        request.actor = call.actor
        var payload = call.input
        if payload.count > TaskCall.inlineMax {
            request.inputBlob = try await peer.put(Data(payload)).digest
            payload = []
        }
        let answer = try await peer.ask(payload: payload, isAbandonable: true) { [request] in
            .enqueue(request: $0, request)
        }
        switch answer.header {
        case .completed(_, let outcome):
            return try await result(of: outcome, payload: answer.payload, task: call.name)
        case .refused(_, let reason): throw JobError.taskLost(task: call.name, message: reason)
        default:
            throw JobError.taskLost(task: call.name, message: "an answer of another kind")
        }
    }

    private func result(
        of outcome: TaskAnswer, payload: [UInt8], task: String
    ) async throws -> Data {
        switch outcome {
        case .succeeded(let blob?): return try await peer.load(blob)
        case .succeeded(nil): return Data(payload)
        case .failed(let message): throw JobError.taskFailed(task: task, message: message)
        case .lost(let message): throw JobError.taskLost(task: task, message: message)
        case .cancelled: throw JobError.taskCancelled(task: task)
        }
    }

    func store(_ bytes: Data, digest: String) async throws {
        try await peer.store(bytes, digest: digest)
    }

    func load(_ digest: String) async throws -> Data { try await peer.load(digest) }

    func storage(of digest: String) async throws -> ByteStorage {
        try await peer.storage(of: digest)
    }

    func keep(result: Data) async throws { try await peer.send(.result, payload: Array(result)) }
}

extension TaskRequest {
    /// What nobody set is left out: nearly all calls are plain.
    fileprivate init(_ call: TaskCall) {
        let options = call.options
        self.init(
            name: call.name, occurrence: call.occurrence, milliCPUs: options.milliCPUs,
            milliCPUsMax: options.milliCPUsMax, memoryInBytes: options.memoryInBytes,
            attemptsMax: options.attemptsMax, retriesErrors: options.retriesErrors)
        gpus = options.gpus == 0 ? nil : options.gpus
        customResources = options.resources.isEmpty ? nil : options.resources
        retryDelay = options.retryDelay
        limits = options.limits == TimeLimits() ? nil : options.limits
        priority = options.priority == 0 ? nil : options.priority
    }
}
