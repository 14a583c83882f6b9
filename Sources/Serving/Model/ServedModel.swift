import DecisionForests
package import ModelFormats
import Synchronization

/// A model ready to answer: parsed, checked, warm, with the facts its replies name.
///
/// It never changes. Requests hold it while they compute, so a swap neither waits for them nor
/// mixes versions in one reply; the last one to let go frees it.
package final class ServedModel: Sendable {
    package let version: ServableVersion
    /// Bare hex of the file that is served.
    package let sha256: String
    /// What the model takes and answers, as MLflow writes it.
    package let signature: ModelSignature
    let task: TrainedModel.Task
    let schema: FeatureSchema
    private let predictor: Predictor
    /// Nil where every request is computed by itself.
    private let batches: BatchQueue?
    /// What an explainer is made of.
    private let trained: TrainedModel
    /// Made by the first request that asks for it: most models are never explained.
    private let madeExplainer = Mutex<TreeExplainer?>(nil)

    /// Models in memory, for `manta_models_resident`: more than one only while an old one drains.
    static let residentCount = Atomic<Int>(0)

    /// Rows computed before other requests get a turn: about a millisecond of a usual forest.
    static let chunkRowCount = 1_024

    init(
        _ loaded: LoadedModel, version: ServableVersion, batching: BatchSettings? = nil,
        onBatch: @escaping @Sendable (_ rowCount: Int) -> Void = { _ in }
    ) throws(GatewayError) {
        let predictor: Predictor
        do {
            predictor = try loaded.model.predictor()
        } catch {
            throw .badModel(name: version.name, version: version.version, reason: "\(error)")
        }
        self.predictor = predictor
        batches = batching.map { settings in
            BatchQueue(settings, onBatch: onBatch) { try predictor.predict($0) }
        }
        self.version = version
        trained = loaded.model
        task = loaded.model.task
        signature = loaded.signature
        sha256 = loaded.sha256.hex
        schema = FeatureSchema(loaded.signature, encoder: loaded.model.rowEncoder)
        Self.residentCount.add(1, ordering: .relaxed)
    }

    deinit { Self.residentCount.subtract(1, ordering: .relaxed) }

    /// Scores per row: one for each class, or the value alone.
    var outputCount: Int { predictor.outputCount }

    /// What tells each feature's part in a score. Throws `ExplanationError` where the model cannot.
    func explainer() async throws -> TreeExplainer {
        if let made = madeExplainer.withLock({ $0 }) { return made }
        let trained = trained
        let made = try await OffPool.run { () throws(ExplanationError) in
            try trained.explainer()
        }
        madeExplainer.withLock { $0 = made }
        return made
    }

    /// Row after row `outputCount` scores. A row's scores do not depend on the rows beside it.
    func scores(for rows: FeatureMatrix) async throws -> [Float] {
        guard rows.rowCount > Self.chunkRowCount else {
            return try await batches?.scores(for: rows) ?? predictor.predict(rows)
        }
        var scores: [Float] = []
        scores.reserveCapacity(rows.rowCount * outputCount)
        let width = rows.featureCount
        for start in stride(from: 0, to: rows.rowCount, by: Self.chunkRowCount) {
            let end = min(start + Self.chunkRowCount, rows.rowCount)
            let chunk = try FeatureMatrix(
                values: Array(rows.values[start * width..<end * width]), featureCount: width)
            scores += try predictor.predict(chunk)
            try Task.checkCancellation()
            await Task.yield()
        }
        return scores
    }

    /// Answers one made-up row, so that the first request meets warm code and pages.
    func warmUp() throws(GatewayError) {
        do {
            let row = [Float](repeating: 0, count: schema.featureCount)
            let matrix = try FeatureMatrix(values: row, featureCount: schema.featureCount)
            _ = try predictor.predict(matrix)
        } catch {
            throw .badModel(
                name: version.name, version: version.version, reason: "warm-up failed: \(error)")
        }
    }
}
