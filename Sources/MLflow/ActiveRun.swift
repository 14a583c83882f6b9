/// A run that is being recorded: keeps what is logged for a moment and sends it in batches.
///
/// Values go out each second, at `flush` and at `end`. While the server is away they wait here, up
/// to `waitingMax`; then logging itself fails. A value the server refuses is reported by the next
/// call.
package actor ActiveRun {
    /// Entries that may wait to be sent.
    package static let waitingMax = 20_000

    package nonisolated let run: Run
    package nonisolated let client: MLflowClient
    nonisolated let effectKey: String?
    private let interval: Duration
    private var waiting = LogBatch()
    /// Entries on their way to the server.
    private var sendingCount = 0
    private var sending: Task<Void, Never>?
    private var ticker: Task<Void, Never>?
    /// What the server refused since the last call.
    private var refusal: MLflowError?
    /// Why the last sending failed, while its entries still wait.
    private var outage: MLflowError?
    private var isEnded = false

    init(_ run: Run, client: MLflowClient, effectKey: String?, interval: Duration) {
        self.run = run
        self.client = client
        self.effectKey = effectKey
        self.interval = interval
    }

    deinit {
        ticker?.cancel()
    }

    package nonisolated var id: String { run.id }
    /// The run's page.
    package nonisolated var link: String { client.links.run(run) }
    package nonisolated var experimentLink: String { client.links.experiment(run.experimentID) }

    // MARK: Logging

    package func log(
        metrics: [String: Double], step: Int64 = 0, modelID: String? = nil
    ) async throws(MLflowError) {
        let time = client.now()
        let values = metrics.sorted { $0.key < $1.key }.map {
            Metric(key: $0.key, value: $0.value, timestamp: time, step: step, modelID: modelID)
        }
        try await log(LogBatch(metrics: values))
    }

    package func log(
        metric key: String, _ value: Double, step: Int64 = 0
    ) async throws(MLflowError) {
        try await log(metrics: [key: value], step: step)
    }

    /// - Throws: `parameterChanged` when one was logged with another value before, now or by the
    ///   next call.
    package func log(parameters: [String: String]) async throws(MLflowError) {
        try await log(LogBatch(parameters: parameters))
    }

    package func log(tags: [String: String]) async throws(MLflowError) {
        try await log(LogBatch(tags: tags))
    }

    /// Keeps the entries for the next sending. An earlier entry that the server refused is reported
    /// here too; these entries are kept all the same.
    package func log(_ batch: LogBatch) async throws(MLflowError) {
        try batch.check()
        if !hasRoom(for: batch) { await sendWaiting() }
        guard !isEnded else {
            throw MLflowError(
                .runEnded, operation: "log to the run", subject: id, message: "the run was ended")
        }
        if let outage, !hasRoom(for: batch) { throw outage }
        for (key, value) in batch.parameters {
            if let old = waiting.parameters[key], old != value {
                throw MLflowError(
                    .parameterChanged, operation: "log the parameter", subject: key,
                    message: "it has the value '\(old)' already; the new one is '\(value)'")
            }
        }
        waiting.metrics += batch.metrics
        waiting.parameters.merge(batch.parameters) { old, _ in old }
        waiting.tags.merge(batch.tags) { _, new in new }
        try throwRefusal()
    }

    private func hasRoom(for batch: LogBatch) -> Bool {
        waiting.count + sendingCount + batch.count <= ActiveRun.waitingMax
    }

    package func log(inputs: [DatasetInput]) async throws(MLflowError) {
        try await client.logInputs(inputs, run: id)
    }

    /// Sends all that waits and returns when the server has it.
    package func flush() async throws(MLflowError) {
        await sendWaiting()
        try throwRefusal()
        if let outage, !waiting.isEmpty { throw outage }
    }

    // MARK: Ending

    /// Sends the rest and sets the run's status. A second call does nothing.
    package func end(_ status: RunStatus = .finished) async throws(MLflowError) {
        guard !isEnded else { return }
        isEnded = true
        ticker?.cancel()
        var failure: MLflowError?
        do {
            try await flush()
        } catch {
            failure = error
        }
        // Also after a refusal: a run must not look alive for ever.
        try await client.updateRun(
            id, status: failure == nil ? status : .failed, endTime: client.now())
        if let failure { throw failure }
    }

    /// Ends a run whose work has failed: that failure is what counts, not one of these calls. Works
    /// in a cancelled task too.
    package func abandon(as status: RunStatus) async {
        await Task { try? await end(status) }.value
    }

    // MARK: Sending

    func startTicking() {
        ticker = Task { [weak self, client, interval] in
            while !Task.isCancelled {
                // An error here is the cancellation, which ends the loop.
                try? await client.pause(interval)
                guard !Task.isCancelled, let self else { return }
                await self.tick()
            }
        }
    }

    /// Sends all that waits now, after what is on its way.
    private func sendWaiting() async {
        while let sending { await sending.value }
        startSending()
        if let sending { await sending.value }
    }

    var isSending: Bool { sending != nil }

    func tick() {
        if sending == nil { startSending() }
    }

    private func startSending() {
        guard sending == nil, !waiting.isEmpty else { return }
        let batch = waiting
        waiting = LogBatch()
        sendingCount = batch.count
        // Not a child of the caller: a cancelled caller must not lose what others logged.
        sending = Task { await send(batch) }
    }

    private func send(_ batch: LogBatch) async {
        do throws(MLflowError) {
            try await client.log(batch, run: id)
            outage = nil
        } catch {
            if error.isTransient {
                putBack(batch)
                outage = error
            } else {
                await sendApart(batch, after: error)
            }
        }
        sendingCount = 0
        sending = nil
    }

    /// The server stores a call wholly or not at all: one refused entry must not take the others
    /// along.
    private func sendApart(_ batch: LogBatch, after error: MLflowError) async {
        refusal = error
        var parts = [LogBatch(metrics: batch.metrics), LogBatch(tags: batch.tags)]
        parts += batch.parameters.map { LogBatch(parameters: [$0.key: $0.value]) }
        for part in parts where !part.isEmpty {
            do throws(MLflowError) {
                try await client.log(part, run: id)
            } catch {
                refusal = error
            }
        }
    }

    /// Older than what waits: metrics come first, newer tags stay.
    private func putBack(_ batch: LogBatch) {
        waiting.metrics = batch.metrics + waiting.metrics
        waiting.parameters.merge(batch.parameters) { _, old in old }
        waiting.tags.merge(batch.tags) { new, _ in new }
    }

    private func throwRefusal() throws(MLflowError) {
        guard let refusal else { return }
        self.refusal = nil
        throw refusal
    }
}
