import Synchronization

/// A bounded queue from one plain thread to one asynchronous reader.
///
/// The thread asks `hasRoom` before it reads more from its socket, so a slow reader slows the peer
/// down and memory stays bounded; the reader suspends and never blocks a thread.
final class Mailbox: Sendable {
    /// Bounds of what waits unread. One frame may go over the second one.
    static let messagesMax = 256
    static let bytesMax = 8 << 20

    private struct State {
        var messages: [ChannelMessage] = []
        var bytes = 0
        var end: Result<Void, ChannelError>?
        var reader: CheckedContinuation<ChannelMessage?, any Error>?
    }

    private let state = Mutex(State())
    /// Called when a full mailbox has room again.
    private let onRoom: @Sendable () -> Void

    init(onRoom: @escaping @Sendable () -> Void) {
        self.onRoom = onRoom
    }

    var hasRoom: Bool {
        state.withLock { Self.hasRoom($0) }
    }

    private static func hasRoom(_ state: State) -> Bool {
        state.messages.count < messagesMax && state.bytes < bytesMax
    }

    func put(_ message: ChannelMessage) {
        let reader = state.withLock { state -> CheckedContinuation<ChannelMessage?, any Error>? in
            guard state.end == nil else { return nil }
            if let reader = state.reader.take() { return reader }
            state.messages.append(message)
            state.bytes += message.payload.count
            return nil
        }
        reader?.resume(returning: message)
    }

    /// No more messages come. What was put before is still read; the first end counts.
    func finish(_ error: ChannelError? = nil) {
        let reader = state.withLock { state -> CheckedContinuation<ChannelMessage?, any Error>? in
            guard state.end == nil else { return nil }
            state.end = error.map { .failure($0) } ?? .success(())
            return state.reader.take()
        }
        if let error { reader?.resume(throwing: error) } else { reader?.resume(returning: nil) }
    }

    /// The next message; nil at the end, or when the reader's task is cancelled.
    ///
    /// One reader at a time.
    func next() async throws -> ChannelMessage? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let (answer, madeRoom) = take(for: continuation)
                if let answer { continuation.resume(with: answer) }
                if madeRoom { onRoom() }
            }
        } onCancel: {
            state.withLock { $0.reader.take() }?.resume(returning: nil)
        }
    }

    private func take(
        for continuation: CheckedContinuation<ChannelMessage?, any Error>
    ) -> (answer: Result<ChannelMessage?, any Error>?, madeRoom: Bool) {
        state.withLock { state in
            if !state.messages.isEmpty {
                let wasFull = !Self.hasRoom(state)
                let message = state.messages.removeFirst()
                state.bytes -= message.payload.count
                return (.success(message), wasFull && Self.hasRoom(state))
            }
            switch state.end {
            case .failure(let error)?: return (.failure(error), false)
            case .success?: return (.success(nil), false)
            case nil: break
            }
            if Task.isCancelled { return (.success(nil), false) }
            precondition(state.reader == nil, "a channel's messages have one reader at a time")
            state.reader = continuation
            return (nil, false)
        }
    }
}
