import DecisionForests
import Synchronization

/// Computes the rows of several requests to one model together and gives each its own scores.
///
/// Rows come here decoded and checked, so a bad one is refused before it has neighbours. Should a
/// batch fail all the same, its requests are computed one by one, and only those fail that fail
/// alone.
final class BatchQueue: Sendable {
    private struct Request {
        let rows: FeatureMatrix
        let continuation: CheckedContinuation<[Float], any Error>
    }

    private struct State {
        var batcher: Batcher<Request>
        var pace: BatchPace?
        var hasTimer = false
    }

    private let state: Mutex<State>
    private let rowsMax: Int
    private let origin = ContinuousClock.now
    private let predict: @Sendable (FeatureMatrix) throws -> [Float]
    private let onBatch: @Sendable (_ rowCount: Int) -> Void

    /// - Parameters:
    ///   - predict: row after row the same number of scores, whatever rows stand beside it.
    ///   - onBatch: told of every batch before it is computed.
    init(
        _ settings: BatchSettings,
        onBatch: @escaping @Sendable (_ rowCount: Int) -> Void = { _ in },
        predict: @escaping @Sendable (FeatureMatrix) throws -> [Float]
    ) {
        rowsMax = settings.maxBatchSize
        state = Mutex(
            State(
                batcher: Batcher(
                    rowsMax: settings.maxBatchSize, wait: .seconds(settings.waitTimeoutInSeconds),
                    concurrentMax: settings.maxConcurrentBatches),
                pace: settings.isAutomatic ? BatchPace(rowsMax: settings.maxBatchSize) : nil))
        self.onBatch = onBatch
        self.predict = predict
    }

    /// The scores of these rows. So many that they would be a batch alone are not kept waiting.
    func scores(for rows: FeatureMatrix) async throws -> [Float] {
        guard rows.rowCount < rowsMax else {
            onBatch(rows.rowCount)
            return try predict(rows)
        }
        return try await withCheckedThrowingContinuation { continuation in
            let request = Request(rows: rows, continuation: continuation)
            change { $0.batcher.add(request, rowCount: rows.rowCount, at: now) }
        }
    }

    private var now: Duration { ContinuousClock.now - origin }

    /// Starts what goes after a change, or the timer for what goes later.
    private func change(_ body: (inout State) -> [Request]?) {
        let (batch, deadline) = state.withLock { state -> ([Request]?, Duration?) in
            if let pace = state.pace { state.batcher.rowsMax = pace.batchSize }
            let batch = body(&state)
            guard !state.hasTimer, let deadline = state.batcher.deadline, deadline > now else {
                return (batch, nil)
            }
            state.hasTimer = true
            return (batch, deadline)
        }
        if let batch { Task { run(batch) } }
        if let deadline { Task { await wake(at: deadline) } }
    }

    private func wake(at deadline: Duration) async {
        // Nobody cancels this task; were it so, the batch would only go early.
        try? await Task.sleep(for: deadline - now)
        change { state in
            state.hasTimer = false
            return state.batcher.next(at: max(now, deadline))
        }
    }

    private func run(_ batch: [Request]) {
        let rowCount = batch.reduce(0) { $0 + $1.rows.rowCount }
        onBatch(rowCount)
        let start = ContinuousClock.now
        answer(batch, rowCount: rowCount)
        let time = ContinuousClock.now - start
        change { state in
            state.pace?.measure(time, rowCount: rowCount)
            if let pace = state.pace { state.batcher.rowsMax = pace.batchSize }
            return state.batcher.finish(at: now)
        }
    }

    private func answer(_ batch: [Request], rowCount: Int) {
        guard batch.count > 1, let scores = try? predict(Self.joined(batch)),
            scores.count % rowCount == 0
        else {
            for request in batch {
                request.continuation.resume(with: Result { try predict(request.rows) })
            }
            return
        }
        let width = scores.count / rowCount
        var start = 0
        for request in batch {
            let end = start + request.rows.rowCount * width
            request.continuation.resume(returning: Array(scores[start..<end]))
            start = end
        }
    }

    private static func joined(_ batch: [Request]) throws -> FeatureMatrix {
        var values: [Float] = []
        values.reserveCapacity(batch.reduce(0) { $0 + $1.rows.values.count })
        for request in batch { values += request.rows.values }
        return try FeatureMatrix(values: values, featureCount: batch[0].rows.featureCount)
    }
}
