import DecisionForests
import Telemetry

/// The reply to a prediction. To `/predict`: predictions, probabilities for classifiers, and who
/// answered.
enum PredictReply {
    static func make(
        for form: PredictForm, by model: ServedModel, _ request: PredictRequest,
        timing: inout PredictTiming
    ) async throws -> Reply {
        let scores = try await model.scores(for: form.rows)
        timing.end("predict")
        switch request.style {
        case .predict, .explain: break
        case .serve: return ServeReply.success(scores, of: model)
        case .kserve, .mlflow, .mlflowCSV: return predictionsAlone(scores, of: model)
        case .openInference:
            return try InferReply.make(
                scores, of: model, form.wish ?? .init(), requestID: request.requestID)
        }
        var writer = JSONWriter(capacity: 256 + 14 * scores.count + 8 * form.rows.rowCount)
        writer.openObject()
        write(scores, of: model, to: &writer)
        if request.style == .explain {
            try await ExplainReply.write(form.rows, by: model, to: &writer)
        }
        writer.field("model_name", model.version.name)
        writer.field("model_version", model.version.version)
        writer.field("request_id", request.requestID)
        writer.field("timestamp", WallTime.now().iso8601)
        writer.closeObject()
        return Reply(body: writer.bytes)
    }

    private static func predictionsAlone(_ scores: [Float], of model: ServedModel) -> Reply {
        var writer = JSONWriter(capacity: 64 + 14 * scores.count)
        writer.openObject()
        writePredictions(scores, of: model, under: "predictions", to: &writer)
        writer.closeObject()
        return Reply(body: writer.bytes)
    }

    /// `predictions`, and for classifiers `probabilities` in the order of the classes.
    static func write(_ scores: [Float], of model: ServedModel, to writer: inout JSONWriter) {
        writePredictions(scores, of: model, under: "predictions", to: &writer)
        guard case .classification = model.task else { return }
        writer.key("probabilities")
        writer.openArray()
        forEachRow(of: scores, width: model.outputCount) { row in
            writer.openArray()
            for score in row { writer.number(score) }
            writer.closeArray()
        }
        writer.closeArray()
    }

    static func writePredictions(
        _ scores: [Float], of model: ServedModel, under key: String, to writer: inout JSONWriter
    ) {
        writer.key(key)
        writer.openArray()
        switch model.task {
        case .regression: for score in scores { writer.number(score) }
        case .classification(let classes):
            forEachClass(of: scores, width: model.outputCount) { index in
                switch classes[index] {
                case .integer(let label): writer.integer(label)
                case .string(let label): writer.string(label)
                }
            }
        }
        writer.closeArray()
    }

    /// The index of each row's most probable class.
    static func forEachClass(of scores: [Float], width: Int, _ body: (Int) -> Void) {
        forEachRow(of: scores, width: width) { body(mostProbable($0)) }
    }

    private static func forEachRow(
        of scores: [Float], width: Int, _ body: (ArraySlice<Float>) -> Void
    ) {
        for start in stride(from: 0, to: scores.count, by: width) {
            body(scores[start..<start + width])
        }
    }

    /// The greatest score's index, the lowest of equals: the rule of `Predictions.classIndex`.
    private static func mostProbable(_ row: ArraySlice<Float>) -> Int {
        var best = row.startIndex
        for index in row.indices where row[index] > row[best] { best = index }
        return best - row.startIndex
    }
}

/// The replies of `/serve`'s predictions.
enum ServeReply {
    static func success(_ scores: [Float], of model: ServedModel) -> Reply {
        var writer = JSONWriter(capacity: 64 + 14 * scores.count)
        writer.openObject()
        PredictReply.writePredictions(scores, of: model, under: "prediction", to: &writer)
        writer.field("status", "success")
        writer.field("model_name", model.version.name)
        writer.field("model_version", model.version.version)
        writer.closeObject()
        return Reply(body: writer.bytes)
    }

    /// An error with `/serve`'s keys: the same status, the details kept as they were.
    static func restyled(_ reply: Reply) -> Reply {
        guard reply.status >= 400 else { return reply }
        var writer = JSONWriter(capacity: reply.body.count + 64)
        writer.openObject()
        writer.field("status", "error")
        writer.field("error", message(of: reply))
        writer.key("problem")
        writer.raw(reply.body)
        writer.closeObject()
        var copy = Reply(status: reply.status, body: writer.bytes)
        copy.headers = reply.headers
        copy.rejection = reply.rejection
        return copy
    }

    private static func message(of reply: Reply) -> String {
        switch reply.status {
        case 422: "the data does not fit the model"
        case 413: "the request is too large"
        case 503: "no model is loaded, or too many predictions are in progress"
        default: "the prediction failed"
        }
    }
}
