import Logging
import Synchronization

/// Counts refused requests: a head that is guessed at says so in its log once a second, and answers
/// the rest of the second's refusals with "later".
final class RefusalMeter: Sendable {
    static let refusalsMax = 100  // in a second; a person with a wrong token makes a few

    private struct Window {
        var start = ContinuousClock.now - .seconds(60)
        var count = 0
    }
    private let window = Mutex(Window())

    /// Whether this refusal is one too many.
    func count(_ path: String, _ reason: String, logger: Logger) -> Bool {
        let (count, isFirst, before) = window.withLock { window in
            let before = window.count
            let isFirst = ContinuousClock.now - window.start > .seconds(1)
            if isFirst { window = Window(start: .now) }
            window.count += 1
            return (window.count, isFirst, before)
        }
        if isFirst {
            logger.warning(
                "request refused",
                metadata: [
                    "path": "\(path.prefix(200))", "reason": "\(reason)",
                    "refusedBefore": "\(before)",
                ])
        }
        return count > RefusalMeter.refusalsMax
    }
}
