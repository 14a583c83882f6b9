import DecisionForests
import Foundation
import Testing

@testable import Serving

@Suite struct GatewayTests {
    @Test("A loaded classifier answers rows with labels, probabilities and its version")
    func predict() async throws {
        let folder = try TemporaryFolder()
        try folder.add(TestModels.classifier(), as: "Iris", version: 1)
        try await RunningGateway.with(folder) { gateway in
            let reply = try await gateway.predict(
                #"{"features": [[0.2, 1, 2], [0.9, 1, null]]}"#,
                headers: ["X-Request-ID": "mine-1"])
            #expect(reply.status == 200, "\(reply.text)")
            #expect(reply.headers["x-request-id"] == "mine-1")
            #expect(
                reply.text.hasPrefix(
                    #"{"predictions":[0,1],"probabilities":[[0.75,0.25],[0.1,0.9]],"#
                        + #""model_name":"Iris","model_version":"1","request_id":"mine-1","#
                        + #""timestamp":"20"#), "\(reply.text)")
            let prefixed = try await gateway.call(
                "POST", "/fastapi_app/predict", body: #"{"features": [[0.2, 1, 2]]}"#)
            #expect(prefixed.status == 200)
        }
    }

    @Test("Loading answers FastAPI's keys, the digest, the signature and the version before")
    func load() async throws {
        let folder = try TemporaryFolder()
        try folder.add(TestModels.classifier(), as: "Iris", version: 1)
        try folder.add(TestModels.classifier(), as: "Iris", version: 2)
        try await RunningGateway.with(folder, load: nil) { gateway in
            let first = try await gateway.call(
                "POST", "/model/load", body: #"{"name": "Iris", "version": 1}"#)
            #expect(first.status == 200, "\(first.text)")
            let second = try #require(try await gateway.call("POST", "/model/load").json())
            #expect(second["model_loaded"] as? Bool == true)
            let info = try #require(second["model_info"] as? [String: Any])
            #expect(info["name"] as? String == "Iris" && info["version"] as? String == "2")
            #expect(info["stage"] as? String == "None")
            #expect(info["description"] as? String == "No description available")
            #expect(second["previous_version"] as? String == "1")
            #expect((second["sha256"] as? String)?.count == 64)
            #expect(second["load_ms"] is Double || second["load_ms"] is Int)
            let signature = try #require(second["signature"] as? [String: Any])
            #expect((signature["inputs"] as? [[String: Any]])?.count == 3)
        }
    }

    @Test("Before a load, predicting answers 503 with the line that loads a model")
    func notLoaded() async throws {
        let folder = try TemporaryFolder()
        try folder.add(TestModels.constant(1), as: "One", version: 1)
        try await RunningGateway.with(folder, load: nil) { gateway in
            let reply = try await gateway.call(
                "POST", "/fastapi_app/predict", body: #"{"features": [[1, 2]]}"#,
                headers: ["Host": "localhost:\(gateway.port)"])
            #expect(reply.status == 503)
            #expect(reply.headers["content-type"] == "application/problem+json")
            #expect(reply.headers["retry-after"] != nil)
            let line = "curl -X POST http://localhost:\(gateway.port)/fastapi_app/model/load"
            #expect(reply.json()?["hint"] as? String == line)
            #expect((reply.json()?["detail"] as? String)?.contains(line) == true)
            let health = try await gateway.call("GET", "/health")
            #expect(health.status == 503)
            #expect(try await gateway.call("GET", "/livez").status == 200)
            _ = try await gateway.call("POST", "/model/load")
            #expect(try await gateway.call("GET", "/health").status == 200)
            #expect(try await gateway.call("GET", "/readyz").status == 200)
            let ping = try await gateway.call("GET", "/ping")
            #expect(ping.status == 200 && ping.text == "\n")
        }
    }
}
