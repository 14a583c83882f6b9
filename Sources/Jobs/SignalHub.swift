import Synchronization

/// Hands a store's signals to everyone in this process who waits for them.
///
/// Each stream keeps a set of what it has not seen yet: a signal that is already pending costs
/// nothing, and a reader that falls behind is told `.anything` once.
package final class SignalHub: Sendable {
    private struct Subscription {
        weak var mailbox: SignalMailbox?
    }
    private let subscriptions = Mutex<[Subscription]>([])

    package init() {}

    package func publish(_ signal: StoreSignal) {
        for mailbox in mailboxes() { mailbox.post(signal) }
    }

    /// A stream that lives as long as its reader keeps it.
    package func signals() -> AsyncStream<StoreSignal> {
        let mailbox = SignalMailbox()
        subscriptions.withLock { $0.append(Subscription(mailbox: mailbox)) }
        return AsyncStream(unfolding: { await mailbox.next() }, onCancel: { mailbox.finish() })
    }

    /// Ends all streams.
    package func finish() {
        for mailbox in mailboxes() { mailbox.finish() }
    }

    private func mailboxes() -> [SignalMailbox] {
        subscriptions.withLock { list in
            list.removeAll { $0.mailbox == nil }
            return list.compactMap(\.mailbox)
        }
    }
}

/// The pending signals of one reader.
private final class SignalMailbox: Sendable {
    /// Past this many different signals, a reader does better to look at everything.
    static let pendingMax = 256

    private struct State {
        var pending: [StoreSignal] = []
        var known: Set<StoreSignal> = []
        var waiter: CheckedContinuation<StoreSignal?, Never>?
        var isFinished = false

        mutating func takeFirst() -> StoreSignal? {
            guard !pending.isEmpty else { return nil }
            let signal = pending.removeFirst()
            known.remove(signal)
            return signal
        }
    }
    private let state = Mutex(State())

    func post(_ signal: StoreSignal) {
        let waiter: CheckedContinuation<StoreSignal?, Never>? = state.withLock { state in
            guard !state.isFinished else { return nil }
            if let waiter = state.waiter {
                state.waiter = nil
                return waiter
            }
            guard !state.known.contains(.anything), !state.known.contains(signal) else {
                return nil
            }
            if state.pending.count >= SignalMailbox.pendingMax {
                state.pending = [.anything]
                state.known = [.anything]
            } else {
                state.pending.append(signal)
                state.known.insert(signal)
            }
            return nil
        }
        waiter?.resume(returning: signal)
    }

    func next() async -> StoreSignal? {
        await withCheckedContinuation { continuation in
            let answer: StoreSignal?? = state.withLock { state in
                if let signal = state.takeFirst() { return .some(signal) }
                if state.isFinished { return .some(nil) }
                state.waiter = continuation
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }

    func finish() {
        let waiter = state.withLock { state in
            state.isFinished = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: nil)
    }
}
