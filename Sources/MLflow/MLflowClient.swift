internal import Foundation
package import HTTPClient

/// Speaks to an MLflow server over REST: experiments, runs, artifacts, logged models, the registry.
///
/// Every call has a bound in time, size and attempts. Calls that a server may see twice are
/// repeated; creates go by their effect key instead (`createOnce`).
package struct MLflowClient: Sendable {
    package let configuration: MLflowConfiguration
    let tracking: ServerChannel
    let registry: ServerChannel
    let http: HTTPClient
    let clock: any Clock<Duration>
    /// Milliseconds since 1970.
    let now: @Sendable () -> Int64
    let creations = KeyedLock()

    /// - Parameters:
    ///   - http: shared with others, or `nil` for one with the configuration's TLS settings.
    ///   - clock: measures waits between attempts.
    package init(
        _ configuration: MLflowConfiguration, http: HTTPClient? = nil,
        clock: any Clock<Duration> = ContinuousClock(),
        now: @escaping @Sendable () -> Int64 = MLflowClient.currentTime
    ) {
        let http = http ?? HTTPClient(configuration.httpConfiguration, clock: clock)
        self.configuration = configuration
        self.http = http
        self.clock = clock
        self.now = now
        tracking = ServerChannel(
            base: configuration.trackingURI, configuration: configuration, http: http)
        registry = ServerChannel(
            base: configuration.registryURI, configuration: configuration, http: http)
    }

    @Sendable package static func currentTime() -> Int64 {
        Int64(Date().timeIntervalSince1970 * 1000)
    }

    /// Pages through a search until `limit` values are there or the server has no more.
    ///
    /// - Parameter page: asks for at most `count` values from `token` on.
    func collect<Value: Sendable>(
        limit: Int, pageSize: Int,
        page: (_ count: Int, _ token: String?) async throws(MLflowError) -> Page<Value>
    ) async throws(MLflowError) -> [Value] {
        var values: [Value] = []
        var token: String?
        // A server that hands out tokens for ever ends here.
        for _ in 0..<MLflowClient.pageCountMax where values.count < limit {
            let next = try await page(min(pageSize, limit - values.count), token)
            values += next.values.prefix(limit - values.count)
            guard let following = next.token, !following.isEmpty, following != token else { break }
            token = following
        }
        return values
    }

    static let pageCountMax = 200

    struct Page<Value: Sendable>: Sendable {
        var values: [Value]
        var token: String?
    }

    /// Makes something at most once per effect key, also when an answer was lost on the way.
    ///
    /// - Parameters:
    ///   - lookUp: what the key has made, oldest first; empty when nothing.
    ///   - discard: removes a later one, made by a create that had seemed lost.
    func createOnce<Value: Sendable>(
        _ effect: EffectKey?, kind: String,
        lookUp: @Sendable (EffectKey) async throws(MLflowError) -> [Value],
        create: @Sendable () async throws(MLflowError) -> Value,
        discard: @Sendable (Value) async throws(MLflowError) -> Void
    ) async throws(MLflowError) -> Value {
        guard let effect else { return try await create() }
        return try await creations.withLock(kind + "/" + effect.text) {
            () async throws(MLflowError) -> Value in
            if let found = try await lookUp(effect).first { return found }
            var attempt = 1
            while true {
                do throws(MLflowError) {
                    let made = try await create()
                    guard attempt > 1 else { return made }
                    let all = try await lookUp(effect)
                    for later in all.dropFirst() { try await discard(later) }
                    return all.first ?? made
                } catch {
                    guard error.isAmbiguous, attempt < 3, error.kind != .cancelled else {
                        throw error
                    }
                    try await pause(.seconds(attempt))
                    if let found = try await lookUp(effect).first { return found }
                    attempt += 1
                }
            }
        }
    }

    func pause(_ duration: Duration) async throws(MLflowError) {
        do {
            try await clock.sleep(for: duration)
        } catch {
            throw MLflowError(
                .cancelled, operation: "wait", subject: "MLflow", message: "the task was cancelled")
        }
    }

    func invalid(_ operation: String, _ subject: String, _ message: String) -> MLflowError {
        MLflowError(.invalidValue, operation: operation, subject: subject, message: message)
    }
}
