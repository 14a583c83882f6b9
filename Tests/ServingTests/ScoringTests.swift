import Foundation
import Testing

@testable import Serving

/// KServe's first protocol and MLflow's scoring server.
@Suite struct ScoringTests {
    static func with(
        load: ModelSelector? = ModelSelector(), _ body: (RunningGateway) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        try folder.add(TestModels.classifier(), as: "Iris", version: 1)
        try await RunningGateway.with(folder, load: load) { try await body($0) }
    }

    @Test("KServe's routes list models, tell that they are ready, and predict")
    func kserve() async throws {
        try await Self.with { gateway in
            let list = try await gateway.call("GET", "/v1/models")
            #expect(list.text == #"{"models":["Iris"]}"#)
            let model = try await gateway.call("GET", "/v1/models/Iris")
            #expect(model.text == #"{"name":"Iris","ready":true}"#)
            for body in [
                #"{"instances": [[0.2, 1, 2], [0.9, 1, null]]}"#,
                #"{"instances": [{"x": 0.2, "y": 1}, {"y": 1, "x": 0.9}]}"#,
                #"{"inputs": {"x": [0.2, 0.9], "y": [1, 1]}}"#,
            ] {
                let reply = try await gateway.call("POST", "/v1/models/Iris:predict", body: body)
                #expect(reply.status == 200 && reply.text == #"{"predictions":[0,1]}"#)
            }
        }
    }

    @Test(
        "KServe's errors are {\"error\"}",
        arguments: [
            ("GET", "/v1/models/zz", nil, 404), ("GET", "/v1/other", nil, 404),
            ("POST", "/v1/models/zz:predict", #"{"instances": [[1, 2, 3]]}"#, 404),
            ("POST", "/v1/models/Iris:predict", #"{"instances": [[1, 2]]}"#, 400),
            ("POST", "/v1/models/Iris:predict", #"{"features": [[1, 2, 3]]}"#, 400),
            ("POST", "/v1/models/Iris:predict", #"{"#, 400),
            ("GET", "/v1/models/Iris:predict", nil, 405),
        ] as [(String, String, String?, Int)])
    func kserveErrors(
        _ method: String, _ path: String, _ body: String?, _ status: Int
    ) async throws {
        try await Self.with { gateway in
            let reply = try await gateway.call(method, path, body: body)
            #expect(reply.status == status, "\(reply.text)")
            #expect(reply.json()?["error"] is String, "\(reply.text)")
        }
    }

    @Test(
        "MLflow's forms give predictions alone",
        arguments: [
            #"{"dataframe_split": {"columns": ["y", "x"], "data": [[1, 0.2], [1, 0.9]]}}"#,
            #"{"dataframe_records": [{"x": 0.2, "y": 1, "more": 5}, {"x": 0.9, "y": 1, "z": 3}]}"#,
            #"{"inputs": [[0.2, 1, 2], [0.9, 1, null]], "params": {"a": 1}}"#,
            #"{"inputs": {"x": [0.2, 0.9], "y": [1, 1]}}"#,
            #"{"instances": [[0.2, 1, 2], [0.9, 1, 2]]}"#,
        ])
    func invocations(_ body: String) async throws {
        try await Self.with { gateway in
            for type in ["application/json", "application/json; charset=utf-8", ""] {
                let reply = try await gateway.call(
                    "POST", "/invocations", body: body, headers: ["Content-Type": type])
                #expect(reply.status == 200 && reply.text == #"{"predictions":[0,1]}"#)
            }
        }
    }

    @Test(
        "CSV as pandas writes it",
        arguments: [
            "x,y,z\n0.2,1,2\n0.9,1,\n", "y,more,x\r\n1,\"a,\"\"b\",0.2\r\n1,,0.9",
            "\u{FEFF}\"x\",\"y\"\n2e-1,1\n\n+.9,1\n", "x,y,z\n0.2,1,NaN\n\"0.9\",1.,nan\n",
        ])
    func csv(_ body: String) async throws {
        try await Self.with { gateway in
            let reply = try await gateway.call(
                "POST", "/invocations", body: body, headers: ["Content-Type": "text/csv"])
            #expect(reply.status == 200, "\(reply.text)")
            #expect(reply.text == #"{"predictions":[0,1]}"#)
        }
    }

    @Test(
        "Tables that do not fit are refused with row and column",
        arguments: [
            ("", "lacks columns: x, y"), ("x,z\n1,2\n", "lacks columns: y"),
            ("x,x,y\n1,1,1\n", "there twice"), ("x,y\n", "no rows"), ("x,y\n1\n", "1 fields"),
            ("x,y\n1,2,3\n", "more than 2"), ("x,y\n1,a\n", "row 1: the value of 'y'"),
            ("x,y\n1,2\n,2\n", "row 2: the value of 'x' must not be missing"),
            ("x,y\n1,1e99\n", "finite"), ("x,y\n1,inf\n", "row 1"),
            ("x,y\n\"1,2\n", "does not end"), ("x,y\n\"1\"2,2\n", "behind a quoted"),
            ("x,y\n1,true\n", "row 1"), ("x,y\n1,--1\n", "row 1"), ("x,y\n1,1e\n", "row 1"),
        ])
    func badCSV(_ body: String, _ text: String) async throws {
        try await Self.with { gateway in
            let reply = try await gateway.call(
                "POST", "/invocations", body: body, headers: ["Content-Type": "text/csv"])
            #expect(reply.status == 400, "\(reply.text)")
            #expect(reply.json()?["error_code"] as? String == "BAD_REQUEST")
            let message = reply.json()?["message"] as? String ?? ""
            #expect(message.contains(text), "\(reply.text)")
        }
    }

    @Test(
        "MLflow's errors have its keys",
        arguments: [
            (#"{"inputs": [[1, 2, 3]], "instances": [[1, 2, 3]]}"#, 400, "exactly one"),
            (#"{"features": [[1, 2, 3]]}"#, 400, "exactly one"), ("[]", 400, "exactly one"),
            (#"{"inputs": [[NaN, 2, 3]]}"#, 400, "inputs[0][0]: Input should be a finite number"),
            (#"{"inputs": [[1, 2]]}"#, 400, "inputs[0]: List should have at least 3 items"),
            (#"{"dataframe_records": [{"x": 1}]}"#, 400, "y: Field required"),
            (#"{"#, 400, "JSON decode error"),
        ])
    func mlflowErrors(_ body: String, _ status: Int, _ text: String) async throws {
        try await Self.with { gateway in
            let reply = try await gateway.call("POST", "/invocations", body: body)
            #expect(reply.status == status, "\(reply.text)")
            #expect(reply.json()?["error_code"] as? String == "BAD_REQUEST")
            let message = reply.json()?["message"] as? String ?? ""
            #expect(message.contains(text), "\(reply.text)")
        }
    }

    @Test("Other types are 415 in plain text, and without a model it is 503")
    func refusals() async throws {
        try await Self.with { gateway in
            for type in ["application/vnd.apache.parquet", "text/csv; charset=latin-1"] {
                let reply = try await gateway.call(
                    "POST", "/invocations", body: "x", headers: ["Content-Type": type])
                #expect(reply.status == 415)
                #expect(reply.headers["content-type"] == "text/plain")
            }
            let version = try await gateway.call("GET", "/version")
            #expect(version.status == 200 && version.text.first?.isNumber == true)
        }
        try await Self.with(load: nil) { gateway in
            let reply = try await gateway.call(
                "POST", "/invocations", body: #"{"inputs": [[1, 2, 3]]}"#)
            #expect(reply.status == 503)
            #expect(reply.json()?["error_code"] as? String == "TEMPORARILY_UNAVAILABLE")
            #expect(reply.headers["retry-after"] != nil)
            #expect(try await gateway.call("GET", "/ping").status == 503)
        }
    }
}
