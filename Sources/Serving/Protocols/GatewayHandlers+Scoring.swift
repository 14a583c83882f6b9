/// KServe's first protocol and MLflow's scoring server.
extension GatewayHandlers {
    /// The version of MLflow whose scoring server's manners these are; its clients ask for it.
    private static let mlflowVersion = "3.17.2"

    func scoring(_ route: Route, _ call: Call) async -> Reply {
        switch route {
        case .kserveModels: return kserveModels
        case .kserveModel: return kserveModel(call.names.model ?? "")
        case .kservePredict:
            return await score(call, .kserve, model: call.names.model)
        case .mlflowVersion:
            return Reply(contentType: "text/plain; charset=utf-8", text: Self.mlflowVersion)
        default: return await score(call, call.head.isCSV ? .mlflowCSV : .mlflow, model: nil)
        }
    }

    private func score(
        _ call: Call, _ style: PredictRequest.Style, model: String?
    ) async -> Reply {
        var request = PredictRequest(
            body: call.body, requestID: call.head.requestID, loadCommand: loadCommand(call))
        request.style = style
        request.model = model
        return await models.predict(request)
    }

    private var kserveModels: Reply {
        var writer = JSONWriter(capacity: 256)
        writer.openObject()
        writer.key("models")
        writer.openArray()
        for name in models.names { writer.string(name) }
        writer.closeArray()
        writer.closeObject()
        return Reply(body: writer.bytes)
    }

    private func kserveModel(_ name: String) -> Reply {
        guard let listing = models.listing(of: name) else {
            return Self.protocolError(
                404, "Model with name \(Echo.cut(name, to: 256)) does not exist.")
        }
        guard listing.isReady, !state.isDraining else {
            return Self.protocolError(503, "Model with name \(listing.version.name) is not ready.")
        }
        var writer = JSONWriter(capacity: 128)
        writer.openObject()
        writer.field("name", name)
        writer.key("ready")
        writer.boolean(true)
        writer.closeObject()
        return Reply(body: writer.bytes)
    }
}
