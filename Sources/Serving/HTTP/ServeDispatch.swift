import NIOCore

/// `POST /serve`: one route for loading, status and predictions, as small Ray Serve apps have it.
///
/// `{"model_name", "action": "load" | "reload" | "unload" | "status" | "pin" | "unpin",
/// "model_version"}` or `{"model_name", "data": {name: value} | [value, …]}`. Without a name the
/// current model is meant.
extension GatewayHandlers {
    func serve(_ call: Call) async -> Reply {
        let fields = call.body.withUnsafeReadableBytes {
            ServeFields($0, depthMax: configuration.limits.jsonDepth)
        }
        guard let fields else {
            return Self.serveError(400, "the body must be a JSON object")
        }
        if let action = fields.action {
            return await perform(action, fields, call)
        }
        guard fields.hasData else {
            return Self.serveError(422, "give action or data")
        }
        if let name = fields.modelName, let refusal = absence(of: name) { return refusal }
        var request = PredictRequest(
            body: call.body, requestID: call.head.requestID, loadCommand: loadCommand(call))
        request.style = .serve
        request.model = models.names.isEmpty ? nil : fields.modelName
        return await models.predict(request)
    }

    /// 404 with what is loaded, where something is and nothing has this name.
    private func absence(of name: String) -> Reply? {
        let names = models.names
        guard !names.isEmpty, !names.contains(name) else { return nil }
        let loaded = names.prefix(20).map { "'\($0)'" }.joined(separator: ", ")
        return Self.serveError(
            404, "model '\(Echo.cut(name, to: 256))' is not loaded here; loaded: \(loaded)")
    }

    private func perform(_ action: String, _ fields: ServeFields, _ call: Call) async -> Reply {
        if action != "status", let refusal = rules.refusal(of: call.head.caller, isChanging: true) {
            let problem = GatewayResponder.problem(for: refusal)
            return Self.serveError(problem.status, problem.detail)
        }
        switch action {
        case "load", "reload":
            let selector = ModelSelector(name: fields.modelName, version: fields.modelVersion)
            do throws(GatewayError) {
                let report = try await loader.load(selector)
                return Self.serveSuccess(report.version, action: action, isLoaded: true)
            } catch {
                let problem = LoadReply.problem(for: error, loadCommand: loadCommand(call))
                return Self.serveError(problem.status, problem.detail)
            }
        case "unload", "pin", "unpin": return await change(fields.modelName, by: action)
        case "status":
            let version = servedVersion(named: fields.modelName)
            return Self.serveSuccess(version, action: action, isLoaded: version != nil)
        default:
            return Self.serveError(
                422,
                "unknown action '\(Echo.cut(action, to: 64))': load, reload, unload, status, pin "
                    + "or unpin")
        }
    }

    private func servedVersion(named name: String?) -> ServableVersion? {
        guard let name else { return models.servedVersion }
        return models.listing(of: name).flatMap { $0.isReady ? $0.version : nil }
    }

    /// Unloads, pins or unpins a model in memory.
    private func change(_ wanted: String?, by action: String) async -> Reply {
        if let wanted, let refusal = absence(of: wanted) { return refusal }
        do throws(GatewayError) {
            if action == "unload" {
                let version = try await loader.unload(models.names.isEmpty ? nil : wanted)
                return Self.serveSuccess(version, action: action, isLoaded: false)
            }
            let name = wanted ?? models.servedVersion?.name ?? ""
            guard try await loader.pin(name, action == "pin") else {
                return Self.serveError(404, "no model is loaded")
            }
            return Self.serveSuccess(
                models.listing(of: name)?.version, action: action, isLoaded: true)
        } catch {
            return Self.serveError(503, "\(error)")
        }
    }

    private static func serveSuccess(
        _ version: ServableVersion?, action: String, isLoaded: Bool
    ) -> Reply {
        var writer = JSONWriter(capacity: 256)
        writer.openObject()
        writer.field("status", "success")
        writer.field("model_name", optional: version?.name)
        writer.field("model_version", optional: version?.version)
        writer.field("action", action)
        writer.key("model_loaded")
        writer.boolean(isLoaded)
        writer.closeObject()
        return Reply(body: writer.bytes)
    }

    static func serveError(_ status: Int, _ text: String) -> Reply {
        var writer = JSONWriter(capacity: 256)
        writer.openObject()
        writer.field("status", "error")
        writer.field("error", Echo.cut(text, to: 8 << 10))
        writer.closeObject()
        return Reply(status: status, body: writer.bytes)
    }
}

/// The fields of a `/serve` body that decide where it goes.
private struct ServeFields {
    var modelName: String?
    var action: String?
    var modelVersion: String?
    var hasData = false

    /// Nil where the bytes are not one JSON object.
    init?(_ body: UnsafeRawBufferPointer, depthMax: Int) {
        var scanner = JSONScanner(body.assumingMemoryBound(to: UInt8.self), depthMax: depthMax)
        guard scanner.isUTF8 else { return nil }
        scanner.skipSpace()
        guard scanner.kind == .object else { return nil }
        var fields: [String: Range<Int>] = [:]
        let reader = scanner
        do {
            try scanner.walkObject(depth: 1) { key, value in
                guard key.count <= 16 else { return }
                fields[reader.text(in: key)] = value
            }
        } catch {
            return nil
        }
        func text(_ key: String) -> String? {
            guard let range = fields[key] else { return nil }
            var reader = scanner
            reader.position = range.lowerBound
            switch reader.kind {
            case .string: return scanner.text(in: range)
            case .number: return String(decoding: scanner.bytes[range].prefix(32), as: UTF8.self)
            default: return nil
            }
        }
        modelName = text("model_name")
        action = text("action")
        modelVersion = text("model_version")
        hasData = fields["data"] != nil
    }
}
