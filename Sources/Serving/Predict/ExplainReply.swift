import DecisionForests

/// What `?explain=shap` adds to `/predict`'s reply: each feature's contribution to each raw score.
///
/// For each row and output the expected value and the contributions sum to the raw score, the value
/// before the transform that makes shares of it (`TreeExplainer`).
enum ExplainReply {
    /// Contributions of one request: a quarter of a second's work and 20 MB of reply at most.
    static let valueCountMax = 1 << 20
    /// Rows explained before other requests get a turn.
    private static let chunkRowCount = 16

    /// Appends `explanation` to the open object. Throws a `Problem` for a model that cannot be
    /// explained, and for more contributions than one reply holds.
    static func write(
        _ rows: FeatureMatrix, by model: ServedModel, to writer: inout JSONWriter
    ) async throws {
        let explainer = try await explainer(of: model)
        let width = explainer.outputCount * explainer.featureCount
        guard rows.rowCount <= valueCountMax / max(1, width) else {
            throw Problem(
                status: 413, code: "too-many-rows", title: "The request is too large",
                detail: "at most \(valueCountMax / max(1, width)) rows of this model are explained "
                    + "at a time")
        }
        writer.key("explanation")
        writer.openObject()
        writer.field("method", "shap")
        writer.key("features")
        writer.openArray()
        for name in model.schema.names { writer.string(name) }
        writer.closeArray()
        writer.key("expected_values")
        writer.openArray()
        for value in explainer.expectedValues { writer.number(value) }
        writer.closeArray()
        writer.key("contributions")
        writer.openArray()
        for start in stride(from: 0, to: rows.rowCount, by: chunkRowCount) {
            let end = min(start + chunkRowCount, rows.rowCount)
            let chunk = try FeatureMatrix(
                values: Array(rows.values[start * rows.featureCount..<end * rows.featureCount]),
                featureCount: rows.featureCount)
            write(try explainer.contributions(of: chunk), to: &writer)
            try Task.checkCancellation()
            await Task.yield()
        }
        writer.closeArray()
        writer.closeObject()
    }

    private static func explainer(of model: ServedModel) async throws -> TreeExplainer {
        do {
            return try await model.explainer()
        } catch let error as ExplanationError {
            throw Problem(
                status: 422, code: "not-explainable", title: "The model cannot be explained",
                detail: "\(error)")
        }
    }

    /// A list of features for each output of each row.
    private static func write(_ values: ShapValues, to writer: inout JSONWriter) {
        for row in 0..<values.rowCount {
            writer.openArray()
            for output in 0..<values.outputCount {
                writer.openArray()
                for value in values.contributions(ofRow: row, output: output) {
                    writer.number(value)
                }
                writer.closeArray()
            }
            writer.closeArray()
        }
    }
}
