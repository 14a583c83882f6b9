import DecisionForests
import NIOCore

/// What a request's body turned out to hold: the rows, and what its protocol says of the reply.
struct PredictForm {
    let rows: FeatureMatrix
    /// For the Open Inference Protocol alone.
    var wish: InferRequest.Wish?

    /// Reads a body in the form that its route's protocol gives it.
    static func read(
        _ body: UnsafeRawBufferPointer, of request: PredictRequest, for model: ServedModel,
        limits: GatewayConfiguration.Limits
    ) throws(FeatureDecoder.Failure) -> PredictForm {
        func decode(
            _ forms: FeatureDecoder.Forms, takesFlatRow: Bool = false
        ) throws(FeatureDecoder.Failure) -> PredictForm {
            PredictForm(
                rows: try FeatureDecoder.decode(
                    body, schema: model.schema, limits: limits, takesFlatRow: takesFlatRow,
                    forms: forms))
        }
        switch request.style {
        case .predict, .explain: return try decode(.all)
        case .serve: return try decode(.all, takesFlatRow: true)
        case .kserve: return try decode(.kserve)
        case .mlflow: return try decode(.mlflow)
        case .mlflowCSV:
            return PredictForm(
                rows: try CSVFeatures.decode(body, schema: model.schema, limits: limits))
        case .openInference: return try infer(body, request, for: model, limits: limits)
        }
    }

    private static func infer(
        _ body: UnsafeRawBufferPointer, _ request: PredictRequest, for model: ServedModel,
        limits: GatewayConfiguration.Limits
    ) throws(FeatureDecoder.Failure) -> PredictForm {
        let wish: InferRequest.Wish
        let rows: FeatureMatrix
        do {
            let infer = try InferRequest(body, jsonSize: request.jsonSize, limits: limits)
            wish = infer.wish
            rows = try TensorReader.rows(
                of: infer, in: body, schema: model.schema, limits: limits)
        } catch {
            throw error.isTooLarge ? .tooLarge(error.text) : .unreadable(error.text)
        }
        try InferReply.check(wish, task: model.task)
        return PredictForm(rows: rows, wish: wish)
    }
}
