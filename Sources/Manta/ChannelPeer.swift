import DecisionForests
import Foundation
import JobChannel
import Synchronization

/// A driver's or an executor's side of the channel: asks the worker and waits for its answers.
///
/// `listen` must run all the time; it hands every answer to the call that waits for it and
/// everything else to the owner.
final class ChannelPeer: BlobAccess {
    private struct State {
        var nextRequest: UInt64 = 1
        var waiting: [UInt64: CheckedContinuation<ChannelMessage, any Error>] = [:]
        var end: JobError?
        /// Digests the worker said it has.
        var stored: Set<String> = []
    }

    let welcome: Welcome
    private let connection: ChannelConnection
    private let state = Mutex(State())

    init(_ client: ChannelClient) {
        welcome = client.welcome
        connection = client.connection
    }

    func whenWorkerGone(_ action: @escaping @Sendable () -> Void) {
        connection.whenPeerGone(action)
    }

    func send(_ header: ChannelMessage.Header, payload: [UInt8] = []) async throws {
        do {
            try await connection.sendInTurn(ChannelMessage(header, payload: payload))
        } catch ChannelError.closed {
            throw JobError.workerLost(reason: "the channel is closed")
        }
    }

    /// All that was sent is on its way, then the channel closes.
    func close() async {
        await connection.flush()
        connection.close()
    }

    /// Reads until the channel ends, then fails every call that still waits.
    func listen(_ onMessage: (ChannelMessage) async throws -> Void) async throws {
        do {
            for try await message in connection.messages {
                if !deliver(message) { try await onMessage(message) }
            }
            failAll(.workerLost(reason: "the channel ended"))
        } catch {
            failAll(.workerLost(reason: JobError.message(of: error)))
            throw error
        }
    }

    // MARK: Questions and answers

    /// Sends the message that `makeHeader` makes of a new request number and waits for its answer.
    /// When the caller is cancelled, `abandon` is sent and `CancellationError` thrown.
    func ask(
        payload: [UInt8] = [], isAbandonable: Bool = false,
        _ makeHeader: @Sendable (UInt64) -> ChannelMessage.Header
    ) async throws -> ChannelMessage {
        let request = state.withLock { state in
            defer { state.nextRequest += 1 }
            return state.nextRequest
        }
        try Task.checkCancellation()
        let header = makeHeader(request)
        await connectionHasRoom()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                begin(request, ChannelMessage(header, payload: payload), continuation)
            }
        } onCancel: {
            guard let waiter = takeWaiter(request) else { return }
            if isAbandonable {
                // A closed channel has nothing left to give up.
                try? connection.send(ChannelMessage(.abandon(request: request)))
            }
            waiter.resume(throwing: CancellationError())
        }
    }

    private func connectionHasRoom() async { await connection.waitForRoom() }

    private func begin(
        _ request: UInt64, _ message: ChannelMessage,
        _ continuation: CheckedContinuation<ChannelMessage, any Error>
    ) {
        let refusal = state.withLock { state -> (any Error)? in
            if let end = state.end { return end }
            if Task.isCancelled { return CancellationError() }
            state.waiting[request] = continuation
            return nil
        }
        if let refusal { return continuation.resume(throwing: refusal) }
        do {
            try connection.send(message)
        } catch {
            takeWaiter(request)?.resume(
                throwing: error == .closed
                    ? JobError.workerLost(reason: "the channel is closed") : error)
        }
    }

    @discardableResult
    private func takeWaiter(
        _ request: UInt64
    ) -> CheckedContinuation<ChannelMessage, any Error>? {
        state.withLock { $0.waiting.removeValue(forKey: request) }
    }

    private func deliver(_ message: ChannelMessage) -> Bool {
        switch message.header {
        case .completed(let request, _), .blobReady(let request, _), .refused(let request, _):
            // An answer nobody waits for was abandoned in the meantime.
            takeWaiter(request)?.resume(returning: message)
            return true
        default: return false
        }
    }

    private func failAll(_ error: JobError) {
        let waiting = state.withLock { state in
            state.end = error
            defer { state.waiting = [:] }
            return state.waiting
        }
        for waiter in waiting.values { waiter.resume(throwing: error) }
    }

    // MARK: Blobs

    func store(_ bytes: Data, digest: String) async throws {
        if state.withLock({ $0.stored.contains(digest) }) { return }
        let path = welcome.scratchDirectory + "/" + UUID().uuidString
        do {
            try bytes.write(to: URL(fileURLWithPath: path))
        } catch {
            throw JobError.blobRefused(digest: digest, reason: "\(error)")
        }
        // The worker takes the file; what it did not take must not stay.
        defer { unlink(path) }
        let answer = try await ask { .blobOffered(request: $0, digest: digest, path: path) }
        if case .refused(_, let reason) = answer.header {
            throw JobError.blobRefused(digest: digest, reason: reason)
        }
        state.withLock { _ = $0.stored.insert(digest) }
    }

    func load(_ digest: String) async throws -> Data {
        let path = try await path(of: digest)
        do {
            return try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
        } catch {
            throw JobError.blobRefused(digest: digest, reason: "\(error)")
        }
    }

    func storage(of digest: String) async throws -> ByteStorage {
        let path = try await path(of: digest)
        do {
            return try ByteStorage(mappingFileAt: path)
        } catch {
            throw JobError.blobRefused(digest: digest, reason: "\(error)")
        }
    }

    private func path(of digest: String) async throws -> String {
        let answer = try await ask { .blobWanted(request: $0, digest: digest) }
        switch answer.header {
        case .blobReady(_, let path): return path
        case .refused(_, let reason): throw JobError.blobRefused(digest: digest, reason: reason)
        default: throw JobError.blobRefused(digest: digest, reason: "an answer of another kind")
        }
    }
}
