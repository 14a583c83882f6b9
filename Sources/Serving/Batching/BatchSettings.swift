/// How requests are gathered into batches, in Ray Serve's words (`@serve.batch`).
package struct BatchSettings: Codable, Sendable, Hashable {
    /// Rows of a batch. A request with as many or more goes by itself.
    package var maxBatchSize: Int
    /// How long the first request of a batch waits for others. With 0 a request goes at once where
    /// nothing is computed, and those that come meanwhile go together next.
    package var waitTimeoutInSeconds = 0.0
    /// Batches of one model that are computed at a time.
    package var maxConcurrentBatches = 1
    /// The size follows from the time a row takes, below `maxBatchSize`.
    package var isAutomatic = false

    package init(maxBatchSize: Int) { self.maxBatchSize = maxBatchSize }

    /// Sizes from measured times, nobody waits while nothing is computed.
    package static var automatic: BatchSettings {
        var settings = BatchSettings(maxBatchSize: 1_024)  // as many as are computed in one piece
        settings.isAutomatic = true
        return settings
    }

    /// Refuses what cannot be kept, naming the setting.
    package func validated() throws(GatewayError) -> Self {
        guard (1...1_000_000).contains(maxBatchSize) else {
            throw .configuration("max_batch_size is \(maxBatchSize); it must be in 1...1000000")
        }
        guard (0...10).contains(waitTimeoutInSeconds) else {
            throw .configuration(
                "batch_wait_timeout_s is \(waitTimeoutInSeconds); it must be in 0...10")
        }
        guard (1...1_000).contains(maxConcurrentBatches) else {
            throw .configuration(
                "max_concurrent_batches is \(maxConcurrentBatches); it must be in 1...1000")
        }
        return self
    }
}
