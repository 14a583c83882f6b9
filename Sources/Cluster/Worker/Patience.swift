import Jobs

/// What running work does while the store is away: it asks again, so that an outage costs time
/// only.
enum Patience {
    /// After so long the call fails as it would have at first.
    static let limit = Duration.seconds(120)

    /// Repeats `body`, which must be safe to repeat, while it says that the store is unavailable.
    static func whileStoreIsAway<Value>(
        for limit: Duration = Patience.limit, isolation: isolated (any Actor)? = #isolation,
        _ body: () async throws -> sending Value
    ) async throws -> sending Value {
        var pause = Duration.milliseconds(100)
        var deadline: ContinuousClock.Instant?
        while true {
            do {
                return try await body()
            } catch  where isAbsence(error) {
                let end = deadline ?? .now + limit
                deadline = end
                guard ContinuousClock.now < end else { throw error }
                // Spread, so that a whole cluster does not come back in one moment.
                try await Task.sleep(for: pause * Double.random(in: 0.5...1))
                pause = min(.seconds(2), pause * 2)
            }
        }
    }

    private static func isAbsence(_ error: any Error) -> Bool {
        switch error {
        case JobStoreError.unavailable, BlobStoreError.unavailable: true
        default: false
        }
    }
}
