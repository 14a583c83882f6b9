/// Which failures are tried again and how long to wait before: a pure value, no clock, no I/O.
///
/// The delay before attempt n+1 is `delayFirst` · `delayFactor`^(n-1), at most `delayMax`, plus up
/// to `jitterMax`; a server that names a later time with Retry-After is believed up to
/// `retryAfterMax`.
package struct HTTPRetryPolicy: Sendable, Hashable {
    /// All attempts counted, the first one included.
    package var attemptsMax: Int
    /// Statuses that say "later" rather than "no".
    package var statuses: Set<Int>
    /// Whether a transfer that may have reached the server is repeated. False for requests that
    /// must have their effect once.
    package var repeatsAmbiguous: Bool
    package var delayFirst = Duration.milliseconds(250)
    package var delayFactor = 2.0
    package var delayMax = Duration.seconds(20)
    package var jitterMax = Duration.milliseconds(250)
    package var retryAfterMax = Duration.seconds(60)

    /// For requests a server may see twice.
    package static let repeatable = HTTPRetryPolicy(
        attemptsMax: 6, statuses: [408, 429, 500, 502, 503, 504], repeatsAmbiguous: true)
    /// For requests whose effect must come once: only failures before the server acted.
    package static let unprocessedOnly = HTTPRetryPolicy(
        attemptsMax: 6, statuses: [408, 429], repeatsAmbiguous: false)
    package static let never = HTTPRetryPolicy(
        attemptsMax: 1, statuses: [], repeatsAmbiguous: false)

    package init(attemptsMax: Int, statuses: Set<Int>, repeatsAmbiguous: Bool) {
        self.attemptsMax = attemptsMax
        self.statuses = statuses
        self.repeatsAmbiguous = repeatsAmbiguous
    }

    /// How long to wait after attempt number `attempt` (from 1) ended so, or `nil` to let it stand.
    ///
    /// - Parameter chance: in 0..<1, spreads the clients that failed together.
    package func delay(
        afterAttempt attempt: Int, endingWith outcome: Result<HTTPResponse, HTTPClientError>,
        chance: Double
    ) -> Duration? {
        guard attempt < attemptsMax else { return nil }
        switch outcome {
        case .failure(let error):
            guard error.isTransient, repeatsAmbiguous || error.isSurelyUnprocessed else {
                return nil
            }
            return grownDelay(afterAttempt: attempt, chance: chance)
        case .success(let response):
            guard statuses.contains(response.status) else { return nil }
            let own = grownDelay(afterAttempt: attempt, chance: chance)
            guard let asked = HTTPRetryPolicy.retryAfter(response.headers) else { return own }
            return max(own, min(asked, retryAfterMax))
        }
    }

    private func grownDelay(afterAttempt attempt: Int, chance: Double) -> Duration {
        var delay = delayFirst
        for _ in 1..<max(1, attempt) where delay < delayMax {
            delay = delay * delayFactor
        }
        return min(delay, delayMax) + jitterMax * min(max(chance, 0), 1)
    }

    /// Retry-After in seconds. A date is not read: it would depend on two clocks agreeing.
    private static func retryAfter(_ headers: HTTPHeaders) -> Duration? {
        guard let text = headers["Retry-After"], let seconds = Int(text), seconds >= 0 else {
            return nil
        }
        return .seconds(min(seconds, 86_400))
    }
}
