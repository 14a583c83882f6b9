import Foundation
import Testing

@testable import Serving

/// Several models by name in one gateway.
@Suite struct SeveralModelsTests {
    static func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for (index, name) in ["A", "B", "C"].enumerated() {
            try folder.add(TestModels.constant(Float(index + 1)), as: name, version: 1)
        }
        return folder
    }

    static func serve(_ gateway: RunningGateway, _ body: String) async throws -> RawClient.Reply {
        try await gateway.call("POST", "/serve", body: body)
    }

    static func prediction(_ gateway: RunningGateway, of name: String) async throws -> String {
        try await serve(gateway, #"{"model_name": "\#(name)", "data": [1, 2]}"#).text
    }

    @Test("Models loaded one after another all answer by name; the last one without a name")
    func byName() async throws {
        try await RunningGateway.with(try Self.folder(), load: ModelSelector(name: "A")) {
            gateway in
            let load = try await gateway.call("POST", "/model/load", body: #"{"name": "B"}"#)
            #expect(load.status == 200, "\(load.text)")
            #expect(try await Self.prediction(gateway, of: "A").contains("[1.0]"))
            #expect(try await Self.prediction(gateway, of: "B").contains("[2.0]"))
            let plain = try await gateway.predict(#"{"features": [[1, 2]]}"#)
            #expect(plain.text.contains(#""predictions":[2.0]"#))
            let absent = try await Self.serve(gateway, #"{"model_name": "C", "data": [1, 2]}"#)
            #expect(absent.status == 404 && absent.text.contains("loaded: 'A', 'B'"))
            let metrics = try await gateway.call("GET", "/metrics").text
            #expect(metrics.contains(#"manta_model_info{name="A",version="1""#))
            #expect(metrics.contains(#"manta_model_info{name="B",version="1""#))
        }
    }

    @Test("Unloading a model by name leaves the others; unloading the current one empties /predict")
    func unload() async throws {
        try await RunningGateway.with(try Self.folder(), load: ModelSelector(name: "A")) {
            gateway in
            _ = try await gateway.call("POST", "/model/load", body: #"{"name": "B"}"#)
            let unload = try await Self.serve(gateway, #"{"model_name": "A", "action": "unload"}"#)
            #expect(unload.status == 200 && unload.text.contains(#""model_name":"A""#))
            let again = try await Self.serve(gateway, #"{"model_name": "A", "action": "unload"}"#)
            #expect(again.status == 404)
            #expect(try await Self.prediction(gateway, of: "B").contains("[2.0]"))
            _ = try await gateway.call("POST", "/model/load", body: #"{"name": "C"}"#)
            _ = try await Self.serve(gateway, #"{"action": "unload"}"#)
            #expect(try await gateway.predict(#"{"features": [[1, 2]]}"#).status == 503)
            #expect(try await gateway.call("GET", "/readyz").status == 503)
            #expect(try await Self.prediction(gateway, of: "B").contains("[2.0]"))
            let status = try await Self.serve(gateway, #"{"model_name": "C", "action": "status"}"#)
            #expect(status.text.contains(#""model_loaded":false"#))
        }
    }

    @Test("Beyond the budget the least recently used goes, a pinned one never")
    func eviction() async throws {
        try await RunningGateway.with(try Self.folder(), load: ModelSelector(name: "A")) {
            $0.limits.modelCount = 2
        } _: { gateway in
            let pin = try await Self.serve(gateway, #"{"model_name": "A", "action": "pin"}"#)
            #expect(pin.status == 200, "\(pin.text)")
            _ = try await gateway.call("POST", "/model/load", body: #"{"name": "B"}"#)
            _ = try await gateway.call("POST", "/model/load", body: #"{"name": "C"}"#)
            #expect(try await Self.prediction(gateway, of: "A").contains("[1.0]"))
            #expect(try await Self.prediction(gateway, of: "C").contains("[3.0]"))
            let gone = try await Self.serve(gateway, #"{"model_name": "B", "data": [1, 2]}"#)
            #expect(gone.status == 404)
            _ = try await Self.serve(gateway, #"{"model_name": "C", "action": "pin"}"#)
            let full = try await gateway.call("POST", "/model/load", body: #"{"name": "B"}"#)
            #expect(full.status == 507 && full.text.contains("pinned"), "\(full.text)")
            let metrics = try await gateway.call("GET", "/metrics").text
            #expect(metrics.contains("manta_model_evictions_total 1"))
        }
    }

    @Test("A restarted gateway serves all of its models again, each as it was pinned")
    func restart() async throws {
        let folder = try Self.folder()
        let state = try TemporaryFolder()
        try await RunningGateway.with(folder, load: ModelSelector(name: "A")) {
            $0.stateDirectory = state.path
        } _: { gateway in
            _ = try await Self.serve(gateway, #"{"model_name": "A", "action": "pin"}"#)
            _ = try await gateway.call("POST", "/model/load", body: #"{"name": "B"}"#)
        }
        for name in ["A", "B"] {
            try FileManager.default.removeItem(atPath: "\(folder.path)/\(name)")
        }
        try await RunningGateway.with(folder, load: nil) {
            $0.stateDirectory = state.path
            $0.limits.modelCount = 2
        } _: { gateway in
            try await LoadTests.waitUntilReady(gateway)
            let plain = try await gateway.predict(#"{"features": [[1, 2]]}"#)
            #expect(plain.text.contains(#""model_name":"B""#))
            let models = gateway.gateway.models
            for _ in 0..<500 where models.listing(of: "A")?.isPinned != true {
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(try await Self.prediction(gateway, of: "B").contains("[2.0]"))
            _ = try await gateway.call("POST", "/model/load", body: #"{"name": "C"}"#)
            #expect(try await Self.prediction(gateway, of: "A").contains("[1.0]"))
        }
    }
}
