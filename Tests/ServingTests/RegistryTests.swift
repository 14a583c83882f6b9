import Foundation
import MLflow
import TestSupport
import Testing

@testable import Serving

/// Loads from a real MLflow server, over REST.
@Suite struct RegistryTests {
    static let row = #"{"features": [[1, 2]]}"#

    /// Logs a constant model in a run of its own and registers it; answers the run's id.
    static func register(
        _ value: Float, as name: String, alias: String? = nil, on client: MLflowClient
    ) async throws -> String {
        let folder = try TemporaryFolder()
        try TestModels.write(TestModels.constant(value), to: folder.path)
        var options = RunRecorder.Options()
        options.experiment = MLflowServer.unique("serving")
        return try await RunRecorder(client).run(options) { run in
            let model = try await run.logModel(NewLoggedModel(name: "model")) { _ in folder.path }
            _ = try await run.register(model, as: name, aliases: alias.map { [$0] } ?? [])
            return run.id
        }
    }

    static func predicted(_ gateway: RunningGateway) async throws -> String {
        try await gateway.predict(row).text
    }

    @Test("Versions, aliases and runs of a registered model are found, loaded and answered")
    func selectors() async throws {
        let server = try await MLflowServer.shared()
        let configuration = try MLflowConfiguration(trackingURI: server.url)
        let client = MLflowClient(configuration)
        let name = MLflowServer.unique("it's a modèl")
        let firstRun = try await Self.register(1, as: name, alias: "champion", on: client)
        _ = try await Self.register(2, as: name, on: client)
        let gateway = try await RunningGateway(source: RegistryModelSource(configuration))
        func load(_ fields: [String: Any]) async throws -> RawClient.Reply {
            let body = try JSONSerialization.data(
                withJSONObject: fields.merging(["name": name]) { own, _ in own })
            return try await gateway.call(
                "POST", "/model/load", body: String(decoding: body, as: UTF8.self))
        }
        let latest = try await load([:])
        #expect(latest.status == 200, "\(latest.text)")
        #expect(try await Self.predicted(gateway).contains("[2.0]"))
        let info = try #require(latest.json()?["model_info"] as? [String: Any])
        #expect(info["stage"] as? String == "None")
        #expect((info["creation_timestamp"] as? Int ?? 0) > 1_700_000_000_000)
        #expect(latest.json()?["mlflow_uri"] as? String == server.url)
        _ = try await load(["version": 1])
        #expect(try await Self.predicted(gateway).contains("[1.0]"))
        _ = try await load(["version": "2"])
        #expect(try await Self.predicted(gateway).contains("[2.0]"))
        _ = try await load(["alias": "champion"])
        #expect(try await Self.predicted(gateway).contains("[1.0]"))
        _ = try await load([:])
        let byRun = try await load(["run_id": firstRun])
        #expect(byRun.status == 200, "\(byRun.text)")
        #expect(try await Self.predicted(gateway).contains("[1.0]"))
        let missing = try await load(["version": 3])
        #expect(missing.status == 404 && missing.text.contains("existing: 2, 1"))
        let noAlias = try await load(["alias": "other"])
        #expect(noAlias.status == 404, "\(noAlias.text)")
        let noRun = try await load(["run_id": "0123456789abcdef0123456789abcdef"])
        #expect(noRun.status == 404)
        let noName = try await load(["name": name + "x"])
        #expect(noName.status == 404 && noName.json()?["detail"] as? String != nil)
        #expect((noName.json()?["detail"] as? String)?.contains("nearest: \(name)") == true)
        try await gateway.stop()
    }

    @Test("A registry that cannot be reached is a 502 that names it; the old model goes on")
    func unreachable() async throws {
        let folder = try TemporaryFolder()
        try folder.add(TestModels.constant(1), as: "Iris", version: 1)
        let state = try TemporaryFolder()
        try await RunningGateway.with(folder) {
            $0.stateDirectory = state.path
        } _: { _ in
        }
        var configuration = try MLflowConfiguration(trackingURI: "http://127.0.0.1:9")
        configuration.retriesMax = 0
        let gateway = try await RunningGateway(source: RegistryModelSource(configuration)) {
            $0.stateDirectory = state.path
        }
        try await LoadTests.waitUntilReady(gateway)
        let reply = try await gateway.call("POST", "/model/load")
        #expect(reply.status == 502, "\(reply.text)")
        #expect(reply.text.contains("MLflow") && reply.headers["retry-after"] != nil)
        #expect(try await Self.predicted(gateway).contains("[1.0]"))
        try await gateway.stop()
    }

    @Test("A registry that answers nonsense is a 502, not a crash")
    func nonsense() async throws {
        let server = try TestHTTPServer { _ in .answer(200, "<html>") }
        defer { server.stop() }
        var configuration = try MLflowConfiguration(trackingURI: server.url)
        configuration.retriesMax = 0
        let gateway = try await RunningGateway(source: RegistryModelSource(configuration))
        let reply = try await gateway.call("POST", "/model/load", body: #"{"name": "Iris"}"#)
        #expect(reply.status == 502, "\(reply.text)")
        try await gateway.stop()
    }
}
