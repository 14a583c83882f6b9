import Foundation
import Testing

@testable import Serving

/// The Open Inference Protocol over REST.
@Suite struct OpenInferenceTests {
    /// `Iris` is a classifier of columns x, y and the optional z; `One` answers 1 and 2 in its
    /// versions.
    static func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try folder.add(TestModels.classifier(), as: "Iris", version: 1)
        try folder.add(TestModels.constant(1), as: "One", version: 1)
        try folder.add(TestModels.constant(2), as: "One", version: 2)
        return folder
    }

    static func with(_ body: (RunningGateway) async throws -> Void) async throws {
        try await RunningGateway.with(try folder(), load: ModelSelector(name: "Iris")) {
            try await body($0)
        }
    }

    static func infer(
        _ gateway: RunningGateway, _ body: String, model: String = "Iris"
    ) async throws -> RawClient.Reply {
        try await gateway.call("POST", "/v2/models/\(model)/infer", body: body)
    }

    static func outputs(_ reply: RawClient.Reply) -> [[String: Any]] {
        reply.json()?["outputs"] as? [[String: Any]] ?? []
    }

    @Test("The server, its models and their versions describe themselves")
    func metadata() async throws {
        try await Self.with { gateway in
            let server = try await gateway.call("GET", "/v2").json()
            #expect(server?["name"] as? String == "manta")
            let extensions = server?["extensions"] as? [String] ?? []
            #expect(extensions.contains("binary_tensor_data"))
            for path in ["/v2/models/Iris", "/fastapi_app/v2/models/Iris/versions/1"] {
                let model = try #require(try await gateway.call("GET", path).json())
                #expect(model["versions"] as? [String] == ["1"])
                let inputs = try #require(model["inputs"] as? [[String: Any]])
                #expect(inputs.compactMap { $0["name"] as? String } == ["x", "y", "z"])
                #expect(inputs[0]["datatype"] as? String == "FP64")
                #expect(inputs[0]["shape"] as? [Int] == [-1, 1])
                let outputs = try #require(model["outputs"] as? [[String: Any]])
                #expect(outputs.compactMap { $0["datatype"] as? String } == ["INT64", "FP32"])
                #expect(outputs[1]["shape"] as? [Int] == [-1, 2])
            }
            let configuration = try await gateway.call("GET", "/v2/models/Iris/config").json()
            #expect((configuration?["input"] as? [[String: Any]])?.count == 3)
            for path in ["/v2/models/Iris/ready", "/v2/models/Iris/versions/1/ready"] {
                let ready = try await gateway.call("GET", path)
                #expect(ready.status == 200 && ready.body.isEmpty)
            }
        }
    }

    @Test("What is not there is 404 with the protocol's own error")
    func notFound() async throws {
        try await Self.with { gateway in
            for (path, text) in [
                ("/v2/models/zz", "Model zz not found"),
                ("/v2/models/One/ready", "Model One not found"),
                ("/v2/models/Iris/versions/9", "Model Iris with version 9 not found"),
                ("/v2/models/a%2F..%2Fb", "Model a/../b not found"), ("/v2/nothing", "Not Found"),
            ] {
                let reply = try await gateway.call("GET", path)
                #expect(reply.status == 404)
                #expect(reply.json()?["error"] as? String == text, "\(reply.text)")
            }
            let wrong = try await gateway.call("GET", "/v2/models/Iris/infer")
            #expect(wrong.status == 405 && wrong.headers["allow"] == "POST")
            #expect(wrong.json()?["error"] is String)
            let body = #"{"inputs": [{"name": "m", "shape": [1, 3], "datatype": "FP32", "#
            let unknown = try await Self.infer(gateway, body + #""data": [1, 2, 3]}]}"#, model: "z")
            #expect(unknown.status == 404 && unknown.json()?["error"] is String)
            let version = try await gateway.call(
                "POST", "/v2/models/Iris/versions/7/infer", body: body + #""data": [1, 2, 3]}]}"#)
            #expect(version.status == 404, "\(version.text)")
        }
    }

    @Test(
        "A matrix is read nested and flat, of any type of numbers, and columns by their names",
        arguments: [
            #"{"name": "m", "shape": [2, 3], "datatype": "FP32", "data": [[0, 1, 2], [1, 1, 2]]}"#,
            #"{"name": "m", "shape": [2, 3], "datatype": "FP64", "data": [0.2, 1, 2, 1, 1, null]}"#,
            #"{"name": "m", "shape": [2, 3], "datatype": "INT64", "data": [0, 1, 2, 1, 1, 2]}"#,
            #"{"name": "m", "shape": [2, 3], "datatype": "BOOL", "data": [0, 1, 0, true, 1, 0]}"#,
            """
            {"name": "z", "shape": [2], "datatype": "FP32", "data": [null, 1]},
            {"name": "y", "shape": [2, 1], "datatype": "FP32", "data": [1, 1]},
            {"name": "x", "shape": [2, 1], "datatype": "FP64", "data": [[0.2], [0.9]]}
            """,
            """
            {"name": "y", "shape": [2, 1], "datatype": "INT8", "data": [1, -1]},
            {"name": "x", "shape": [2, 1], "datatype": "FP64", "data": [0.2, 0.9]}
            """,
        ])
    func forms(_ inputs: String) async throws {
        try await Self.with { gateway in
            let reply = try await Self.infer(
                gateway, #"{"id": "my \"id\"", "inputs": [\#(inputs)]}"#)
            #expect(reply.status == 200, "\(reply.text)")
            #expect(reply.json()?["id"] as? String == #"my "id""#)
            #expect(reply.json()?["model_version"] as? String == "1")
            let outputs = Self.outputs(reply)
            #expect(outputs.map { $0["name"] as? String } == ["predict", "predict_proba"])
            #expect(outputs[0]["data"] as? [Int] == [0, 1])
            #expect(outputs[0]["shape"] as? [Int] == [2, 1])
            #expect(outputs[1]["data"] as? [Double] == [0.75, 0.25, 0.1, 0.9])
            #expect(outputs[1]["shape"] as? [Int] == [2, 2])
        }
    }

    @Test(
        "What does not fit is 400 and says what and where",
        arguments: [
            (#""#, "JSON object"), (#"[]"#, "JSON object"), (#"{"inputs": 1}"#, "list of tensors"),
            (#"{"inputs": []}"#, "at least one"), (#"{"inputs": [1]}"#, "must be an object"),
            (#"{"inputs": [}"#, "not JSON"), (#"{"inputs": [{}]}"#, "no name"),
            (#"{"id": 7, "inputs": []}"#, "id must be a string"),
            (#"{"inputs": [M, "shape": [2, 3], "datatype": "FP99", "data": []}]}"#, "FP99"),
            (#"{"inputs": [M, "datatype": "FP32", "data": []}]}"#, "no shape"),
            (#"{"inputs": [M, "shape": [], "datatype": "FP32", "data": []}]}"#, "[rows]"),
            (#"{"inputs": [M, "shape": [-1, 3], "datatype": "FP32", "data": []}]}"#, "[rows]"),
            (#"{"inputs": [M, "shape": [1.5, 3], "datatype": "FP32", "data": []}]}"#, "[rows]"),
            (#"{"inputs": [M, "shape": [1, 1, 3], "datatype": "FP32", "data": []}]}"#, "[rows]"),
            (#"{"inputs": [M, "shape": [1, 3], "datatype": "FP32"}]}"#, "no data"),
            (
                #"{"inputs": [M, "shape": [1, 3], "datatype": "FP32", "data": [1, 2]}]}"#,
                "2 elements"
            ),
            (
                #"{"inputs": [M, "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3, 4]}]}"#,
                "4 elem"
            ),
            (
                #"{"inputs": [M, "shape": [2, 3], "datatype": "FP32", "data": [[1, 2, 3]]}]}"#,
                "2 rows"
            ),
            (
                #"{"inputs": [M, "shape": [1, 3], "datatype": "FP32", "data": [[1, 2], [3]]}]}"#,
                "2 elements"
            ),
            (
                #"{"inputs": [M, "shape": [1, 3], "datatype": "FP32", "data": [1, "a", 3]}]}"#,
                "FP32"
            ),
            (
                #"{"inputs": [M, "shape": [1, 3], "datatype": "FP32", "data": [1, NaN, 3]}]}"#,
                "FP32"
            ),
            (
                #"{"inputs": [M, "shape": [1, 3], "datatype": "FP32", "data": [1, 1e99, 3]}]}"#,
                "finite"
            ),
            (
                #"{"inputs": [M, "shape": [1, 3], "datatype": "FP32", "data": [null, 1, 3]}]}"#,
                "'x'"
            ),
            (
                #"{"inputs": [M, "shape": [1, 3], "datatype": "UINT8", "data": [1, 256, 3]}]}"#,
                "UINT8"
            ),
            (
                #"{"inputs": [M, "shape": [1, 3], "datatype": "INT32", "data": [1, 1.5, 3]}]}"#,
                "INT32"
            ),
            (
                #"{"inputs": [M, "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}]}"#,
                "3 columns"
            ),
            (
                #"{"inputs": [{"name": "x", "shape": [1], "datatype": "FP32", "data": [1]}]}"#,
                "missing inputs: y"
            ),
            (
                #"{"inputs": [M, "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}], "#
                    + #""outputs": [{"name": "proba"}]}"#, "unknown output"
            ),
            (
                #"{"inputs": [M, "shape": [1, 3], "datatype": "FP32", "parameters": "#
                    + #"{"binary_data_size": 12}}]}"#, "0 bytes are left"
            ),
            (
                #"{"inputs": [M, "shape": [1, 3], "datatype": "FP32", "parameters": "#
                    + #"{"shared_memory_region": "a"}}]}"#, "shared memory"
            ),
        ])
    func misfits(_ body: String, _ text: String) async throws {
        try await Self.with { gateway in
            let body = body.replacingOccurrences(of: "M", with: #"{"name": "m""#)
            let reply = try await Self.infer(gateway, body)
            #expect(reply.status == 400, "\(reply.text)")
            let error = reply.json()?["error"] as? String ?? ""
            #expect(error.contains(text), "\(reply.text)")
        }
    }

    @Test("Shapes beyond the bounds are refused before anything is set aside")
    func huge() async throws {
        try await Self.with { gateway in
            for shape in ["200001, 3", "3, 9223372036854775807", "4611686018427387904, 4"] {
                let reply = try await Self.infer(
                    gateway,
                    #"{"inputs": [{"name": "m", "shape": [\#(shape)], "datatype": "FP32", "#
                        + #""data": []}]}"#)
                #expect(reply.status == 413, "\(reply.text)")
                #expect(reply.json()?["error"] is String)
            }
        }
    }

    @Test("Models are listed, loaded and unloaded by name, and /predict stays as it is")
    func repository() async throws {
        try await Self.with { gateway in
            func index(_ body: String?) async throws -> [String] {
                let reply = try await gateway.call("POST", "/v2/repository/index", body: body)
                let list = try JSONSerialization.jsonObject(with: Data(reply.body))
                return (list as? [[String: String]] ?? []).map {
                    "\($0["name"] ?? "") \($0["state"] ?? "")"
                }
            }
            #expect(try await index(nil) == ["Iris READY", "One UNAVAILABLE"])
            #expect(try await index(#"{"ready": true}"#) == ["Iris READY"])
            let load = "/v2/repository/models/One/load"
            let loaded = try await gateway.call("POST", load)
            #expect(loaded.status == 200 && loaded.body.isEmpty, "\(loaded.text)")
            let version = try await gateway.call("GET", "/v2/models/One").json()?["versions"]
            #expect(version as? [String] == ["2"])
            let one = try await gateway.call(
                "POST", load, body: #"{"parameters": {"version": "1"}}"#)
            #expect(one.status == 200, "\(one.text)")
            let body = #"{"inputs": [{"name": "m", "shape": [1, 2], "datatype": "FP32", "#
            let infer = try await Self.infer(gateway, body + #""data": [1, 2]}]}"#, model: "One")
            #expect(Self.outputs(infer).first?["data"] as? [Double] == [1], "\(infer.text)")
            let predict = try await gateway.predict(#"{"features": [[0.2, 1, 2]]}"#)
            #expect(predict.text.contains(#""model_name":"Iris""#))
            #expect(try await index(#"{"ready": true}"#) == ["Iris READY", "One READY"])
            let unload = "/v2/repository/models/One/unload"
            #expect(try await gateway.call("POST", unload).status == 200)
            #expect(try await gateway.call("POST", unload).status == 404)
            let gone = try await Self.infer(gateway, body + #""data": [1, 2]}]}"#, model: "One")
            #expect(gone.status == 404 && gone.json()?["error"] is String)
        }
    }

    @Test("Loads that cannot be done are errors in the protocol's shape; other sites cannot load")
    func refusedLoads() async throws {
        try await Self.with { gateway in
            for (path, body, status) in [
                ("Two", nil, 404), ("One", #"{"parameters": {"version": 9}}"#, 404),
                ("One", #"{"parameters": {"version": "x"}}"#, 400), ("One", "[]", 400),
                ("One", #"{"parameters": {"config": "{}"}}"#, 400),
            ] as [(String, String?, Int)] {
                let reply = try await gateway.call(
                    "POST", "/v2/repository/models/\(path)/load", body: body)
                #expect(reply.status == status, "\(reply.text)")
                #expect(reply.json()?["error"] is String, "\(reply.text)")
            }
            let foreign = try await gateway.call(
                "POST", "/v2/repository/models/One/load", headers: ["Origin": "http://evil.test"])
            #expect(foreign.status == 403 && foreign.json()?["error"] is String)
        }
    }

    @Test("Statistics count rows, requests and failures of each model")
    func statistics() async throws {
        try await Self.with { gateway in
            let body = #"{"inputs": [{"name": "m", "shape": [2, 3], "datatype": "FP32", "data": "#
            for _ in 0..<3 {
                _ = try await Self.infer(gateway, body + "[1, 2, 3, 4, 5, 6]}]}")
            }
            _ = try await Self.infer(gateway, body + "[1]}]}")
            for path in ["/v2/models/stats", "/v2/models/Iris/stats"] {
                let reply = try await gateway.call("GET", path)
                let list = reply.json()?["model_stats"] as? [[String: Any]]
                let model = try #require(list?.first)
                #expect(model["name"] as? String == "Iris")
                #expect(model["inference_count"] as? Int == 6)
                #expect(model["execution_count"] as? Int == 3)
                let figures = try #require(model["inference_stats"] as? [String: [String: Int]])
                #expect(figures["success"]?["count"] == 3 && figures["fail"]?["count"] == 1)
                #expect((figures["success"]?["ns"] ?? 0) > 0)
            }
        }
    }
}
