import ArgumentParser
import Serving

/// How a gateway gathers requests into batches, in the words of Ray Serve's `@serve.batch`.
struct BatchingOptions: ParsableArguments {
    @Option(help: "auto: compute requests together, in sizes that follow the time a row takes.")
    var batching: String?

    @Option(help: "Compute requests together, up to so many rows.")
    var maxBatchSize: Int?

    @Option(help: "Seconds that the first request of a batch waits for others (0).")
    var batchWaitTimeoutS: Double?

    @Option(help: "Batches of one model that are computed at a time (1).")
    var maxConcurrentBatches: Int?

    /// Nil where nothing is to be gathered.
    func settings() throws -> BatchSettings? {
        guard batching ?? "auto" == "auto" else {
            throw SettingError("--batching takes auto, not '\(batching ?? "")'.")
        }
        guard batching != nil || maxBatchSize != nil else {
            guard batchWaitTimeoutS == nil, maxConcurrentBatches == nil else {
                throw SettingError(
                    "--batch-wait-timeout-s and --max-concurrent-batches are for batches; give "
                        + "--max-batch-size or --batching auto too.")
            }
            return nil
        }
        var settings = batching == nil ? BatchSettings(maxBatchSize: 1) : .automatic
        if let maxBatchSize { settings.maxBatchSize = maxBatchSize }
        if let batchWaitTimeoutS { settings.waitTimeoutInSeconds = batchWaitTimeoutS }
        if let maxConcurrentBatches { settings.maxConcurrentBatches = maxConcurrentBatches }
        return settings
    }
}
