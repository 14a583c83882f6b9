import Synchronization

@testable import Jobs

/// Collects signals, so that a test can wait for one with a deadline.
final class SignalEar: Sendable {
    private let heard = Mutex<Set<StoreSignal>>([])
    private let task = Mutex<Task<Void, Never>?>(nil)

    init(_ signals: AsyncStream<StoreSignal>) {
        let listener = Task { [weak self] in
            for await signal in signals {
                self?.heard.withLock { _ = $0.insert(signal) }
            }
        }
        task.withLock { $0 = listener }
    }

    /// Does something and waits until its signal was heard. With nil: just does it, again and again
    /// until anything was heard or a moment passed (a subscription needs a moment to stand).
    ///
    /// - Parameter countsEarlier: whether what was heard before the action counts too.
    func hears(
        _ signal: StoreSignal?, countsEarlier: Bool = false, after action: () async throws -> Void
    ) async throws {
        if !countsEarlier { heard.withLock { $0 = [] } }
        try await action()
        let deadline = ContinuousClock.now + (signal == nil ? .milliseconds(200) : .seconds(5))
        while ContinuousClock.now < deadline {
            let isHeard = heard.withLock { heard in
                signal.map { heard.contains($0) } ?? heard.contains(.anything)
            }
            if isHeard { return }
            try await Task.sleep(for: .milliseconds(2))
        }
        if let signal {
            throw ContractFailure(
                description: "\(signal) is not heard, but \(heard.withLock { $0 })")
        }
    }

    func close() { task.withLock { $0?.cancel() } }
}
