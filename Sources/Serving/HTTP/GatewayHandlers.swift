import Logging
import NIOCore
import Telemetry

/// What each route does once its request has been let in: plain values in, a `Reply` out.
struct GatewayHandlers: Sendable {
    let configuration: GatewayConfiguration
    let state: GatewayState
    let models: ModelShelf
    let loader: ModelLoader
    let source: any ModelSource
    let registry: MetricRegistry
    let rules: AccessRules
    /// Nil where the model server is in this process.
    let fleet: ReplicaFleet?

    /// A request let in: its head, the prefix its path had, and its body unpacked.
    struct Call: Sendable {
        let head: CallHead
        let prefix: String
        /// The model and version that the path names.
        var names = RoutePattern.Names()
        let body: ByteBuffer

        /// The address a client would use for `path`.
        func url(_ path: String, defaultHost: String) -> String {
            head.publicBase(defaultHost: defaultHost) + prefix + path
        }
    }

    func answer(_ route: Route, _ call: Call) async -> Reply {
        switch route {
        case .predict: await predict(call)
        case .modelLoad: await load(call)
        case .serve: await serve(call)
        case .health, .readyz, .ping: readiness(route)
        case .ready, .startupz: serverReadiness
        case .livez, .healthz, .dashHealthz, .live: Reply(body: Array(#"{"status":"ok"}"#.utf8))
        case .metrics: Reply(contentType: MetricRegistry.contentType, text: registry.exposition())
        case .openAPI: openAPI(call)
        case .docs: DocsPage.page
        case .docsScript: DocsPage.script
        case .inferServer, .inferStatistics, .inferModel, .inferVersionModel, .inferReady,
            .inferVersionReady, .infer, .inferVersion, .inferConfiguration,
            .inferVersionConfiguration, .inferModelStatistics, .inferVersionStatistics:
            await openInference(route, call)
        case .repositoryIndex, .repositoryLoad, .repositoryUnload: await repository(route, call)
        case .kserveModels, .kserveModel, .kservePredict, .invocations, .mlflowVersion:
            await scoring(route, call)
        }
    }

    private func predict(_ call: Call) async -> Reply {
        var request = PredictRequest(
            body: call.body, requestID: call.head.requestID, loadCommand: loadCommand(call))
        switch call.head.queryValue("explain") {
        case nil: break
        case "shap": request.style = .explain
        case .some(let text):
            var problems = ProblemList()
            problems.add(
                "literal_error", at: ["query", "explain"], "Input should be 'shap'",
                input: .text(text))
            return .validation(problems.finish())
        }
        return await models.predict(request)
    }

    /// The line that loads a model, with the address this client used.
    func loadCommand(_ call: Call) -> String {
        let url = call.url("/model/load", defaultHost: defaultHost)
        let token = configuration.needsToken ? " -H \"Authorization: Bearer $MANTA_TOKEN\"" : ""
        return "curl -X POST \(url)\(token)"
    }

    private var defaultHost: String { "localhost:\(configuration.port)" }

    private func load(_ call: Call) async -> Reply {
        let decoded = call.body.withUnsafeReadableBytes {
            LoadBody.decode($0, depthMax: configuration.limits.jsonDepth)
        }
        switch decoded {
        case .failure(let failure): return LoadReply.refusal(failure, call.head.requestID)
        case .success(let selector):
            do throws(GatewayError) {
                let report = try await loader.load(selector)
                return LoadReply.success(report, trackingURI: source.displayURI)
            } catch {
                return LoadReply.error(error, call, loadCommand: loadCommand(call))
            }
        }
    }

    /// Ready means: the model is loaded and nobody has asked the process to stop.
    private func readiness(_ route: Route) -> Reply {
        let version = models.servedVersion
        let isReady = version != nil && !state.isDraining
        let status = isReady ? 200 : 503
        if route == .ping { return Reply(status: status, contentType: Reply.json, text: "\n") }
        var writer = JSONWriter(capacity: 256)
        writer.openObject()
        let word = isReady ? "ok" : state.isDraining ? "draining" : "no model loaded"
        writer.field("status", word)
        writer.key("model_loaded")
        writer.boolean(version != nil)
        writer.field("model_name", optional: version?.name)
        writer.field("model_version", optional: version?.version)
        if let status = fleet?.status { Self.write(status, to: &writer) }
        writer.field("timestamp", WallTime.now().iso8601)
        writer.closeObject()
        return Reply(status: status, body: writer.bytes)
    }

    private static func write(_ status: ReplicaStatus, to writer: inout JSONWriter) {
        writer.key("replicas")
        writer.openObject()
        let counts = [
            ("target", status.target), ("ready", status.ready), ("starting", status.starting),
            ("draining", status.draining), ("ongoing", status.ongoing),
            ("queued", status.queued), ("replaced", status.replaced),
        ]
        for (name, count) in counts {
            writer.key(name)
            writer.integer(count)
        }
        writer.field("reason", optional: status.reason)
        writer.key("pids")
        writer.openArray()
        for pid in status.pids { writer.integer(Int(pid)) }
        writer.closeArray()
        writer.closeObject()
    }

    /// The server's own readiness, whatever model is loaded.
    private var serverReadiness: Reply {
        let word = state.isDraining ? "draining" : "ok"
        return Reply(
            status: state.isDraining ? 503 : 200, body: Array(#"{"status":"\#(word)"}"#.utf8))
    }

    private func openAPI(_ call: Call) -> Reply {
        let server = call.head.plainForwardedPrefix + call.prefix
        return Reply(
            body: OpenAPIDocument.json(
                version: configuration.version, server: server.isEmpty ? "/" : server,
                needsToken: configuration.needsToken))
    }
}
