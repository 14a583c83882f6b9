import Synchronization

/// A latch for one waiter: a wake-up that comes early is kept, many count as one.
final class Wakeup: Sendable {
    private enum State {
        case idle
        case set
        case waiting(CheckedContinuation<Void, Never>)
    }
    private let state = Mutex(State.idle)

    func wake() {
        let waiter: CheckedContinuation<Void, Never>? = state.withLock { state in
            if case .waiting(let waiter) = state {
                state = .idle
                return waiter
            }
            state = .set
            return nil
        }
        waiter?.resume()
    }

    /// Returns at a wake-up, after `limit`, or when the task is cancelled.
    func wait(atMost limit: Duration) async {
        let timer = Task {
            // A cancelled timer must not wake: its wake-up would be kept, and the next wait be
            // none.
            guard (try? await Task.sleep(for: limit)) != nil else { return }
            wake()
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isSet = state.withLock { state in
                    if case .set = state {
                        state = .idle
                        return true
                    }
                    state = .waiting(continuation)
                    return false
                }
                if isSet { continuation.resume() }
            }
        } onCancel: {
            wake()
        }
        timer.cancel()
    }
}
