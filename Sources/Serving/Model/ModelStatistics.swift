import Synchronization

/// What one model has answered since it was loaded under its name, in the Open Inference
/// Protocol's terms. Swaps of its version do not begin it anew.
final class ModelStatistics: Sendable {
    private let successes = Atomic<Int>(0)
    private let successTime = Atomic<Int>(0)
    private let failures = Atomic<Int>(0)
    private let failureTime = Atomic<Int>(0)
    private let rows = Atomic<Int>(0)
    private let lastInference = Atomic<Int>(0)

    /// The figures of one moment. Times are sums in nanoseconds.
    struct Figures: Equatable {
        var successCount = 0
        var successTime = 0
        var failureCount = 0
        var failureTime = 0
        /// Rows of successful requests.
        var rowCount = 0
        /// Milliseconds since 1970; 0 before the first.
        var lastInference = 0
    }

    var figures: Figures {
        Figures(
            successCount: successes.load(ordering: .relaxed),
            successTime: successTime.load(ordering: .relaxed),
            failureCount: failures.load(ordering: .relaxed),
            failureTime: failureTime.load(ordering: .relaxed),
            rowCount: rows.load(ordering: .relaxed),
            lastInference: lastInference.load(ordering: .relaxed))
    }

    /// Counts one answered request.
    func count(_ reply: Reply, duration: Duration, at milliseconds: Int) {
        let time = Int(clamping: Int64(duration / .nanoseconds(1)))
        if reply.status < 400 {
            successes.add(1, ordering: .relaxed)
            successTime.add(time, ordering: .relaxed)
            rows.add(reply.rowCount, ordering: .relaxed)
        } else {
            failures.add(1, ordering: .relaxed)
            failureTime.add(time, ordering: .relaxed)
        }
        lastInference.store(milliseconds, ordering: .relaxed)
    }
}
