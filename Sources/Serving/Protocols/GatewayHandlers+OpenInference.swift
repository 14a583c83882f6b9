import NIOCore

/// The Open Inference Protocol over REST, with the extensions for binary tensors, the model
/// repository and statistics, as Triton's clients use them.
extension GatewayHandlers {
    func openInference(_ route: Route, _ call: Call) async -> Reply {
        switch route {
        case .inferServer: return serverMetadata
        case .infer, .inferVersion: return await infer(call)
        case .inferStatistics: return statistics(models.listings)
        default: break
        }
        switch listing(call) {
        case .failure(let absence): return absence.reply
        case .success(let listing): return describe(listing, route)
        }
    }

    /// A model or version that is not in memory.
    private struct Absence: Error {
        let reply: Reply
    }

    private func listing(_ call: Call) -> Result<ModelShelf.Listing, Absence> {
        let name = call.names.model ?? ""
        let shown = Echo.cut(name, to: 256)
        guard let listing = models.listing(of: name) else {
            return .failure(.init(reply: Self.protocolError(404, "Model \(shown) not found")))
        }
        if let version = call.names.version, version != listing.version.version {
            let text = "Model \(shown) with version \(Echo.cut(version, to: 64)) not found"
            return .failure(.init(reply: Self.protocolError(404, text)))
        }
        return .success(listing)
    }

    private func describe(_ listing: ModelShelf.Listing, _ route: Route) -> Reply {
        switch route {
        case .inferReady, .inferVersionReady:
            let isReady = listing.isReady && !state.isDraining
            return isReady
                ? Reply(body: [])
                : Self.protocolError(503, "Model \(listing.version.name) is not ready")
        case .inferModelStatistics, .inferVersionStatistics: return statistics([listing])
        default: break
        }
        guard let metadata = ModelMetadata(signatureJSON: listing.installed.signatureJSON) else {
            return Self.protocolError(500, "the model's signature cannot be read")
        }
        var writer = JSONWriter(capacity: 4_096)
        if route == .inferConfiguration || route == .inferVersionConfiguration {
            metadata.writeConfiguration(listing, to: &writer)
        } else {
            metadata.write(listing, to: &writer)
        }
        return Reply(body: writer.bytes)
    }

    private func infer(_ call: Call) async -> Reply {
        var request = PredictRequest(
            body: call.body, requestID: call.head.requestID, loadCommand: loadCommand(call))
        request.style = .openInference
        request.model = call.names.model
        request.version = call.names.version
        if let text = call.head.inferenceHeaderLength {
            guard let size = Int(text), size >= 0 else {
                return Self.protocolError(
                    400, "Inference-Header-Content-Length must be a number of bytes")
            }
            request.jsonSize = size
        }
        return await models.predict(request)
    }

    private var serverMetadata: Reply {
        var writer = JSONWriter(capacity: 256)
        writer.openObject()
        writer.field("name", "manta")
        writer.field("version", configuration.version)
        writer.key("extensions")
        writer.openArray()
        for name in [
            "binary_tensor_data", "model_repository", "model_configuration", "statistics",
        ] {
            writer.string(name)
        }
        writer.closeArray()
        writer.closeObject()
        return Reply(body: writer.bytes)
    }

    /// Triton's statistics, with the figures that are measured here.
    private func statistics(_ listings: [ModelShelf.Listing]) -> Reply {
        var writer = JSONWriter(capacity: 512 * (listings.count + 1))
        writer.openObject()
        writer.key("model_stats")
        writer.openArray()
        for listing in listings {
            let figures = listing.statistics
            writer.openObject()
            writer.field("name", listing.version.name)
            writer.field("version", listing.version.version)
            for (key, count) in [
                ("last_inference", figures.lastInference), ("inference_count", figures.rowCount),
                ("execution_count", figures.successCount),
            ] {
                writer.key(key)
                writer.integer(count)
            }
            writer.key("inference_stats")
            writer.openObject()
            for (key, count, time) in [
                ("success", figures.successCount, figures.successTime),
                ("fail", figures.failureCount, figures.failureTime),
            ] {
                writer.key(key)
                writer.raw(#"{"count":\#(count),"ns":\#(time)}"#.utf8)
            }
            writer.closeObject()
            writer.closeObject()
        }
        writer.closeArray()
        writer.closeObject()
        return Reply(body: writer.bytes)
    }

    /// `{"error": "…"}`, which both of KServe's protocols have.
    static func protocolError(_ status: Int, _ text: String) -> Reply {
        var writer = JSONWriter(capacity: 256)
        writer.openObject()
        writer.field("error", Echo.cut(text, to: 8 << 10))
        writer.closeObject()
        return Reply(status: status, body: writer.bytes)
    }
}
