import Foundation
import Telemetry
import Testing

@testable import Serving

/// The gateway's manners as an HTTP server, over plain sockets.
@Suite struct HTTPTests {
    static let row = #"{"features": [[0.2, 1, 2]]}"#

    static func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try folder.add(TestModels.classifier(), as: "Iris", version: 1)
        return folder
    }

    @Test("Unknown paths, wrong methods and trailing slashes are answered as FastAPI does")
    func routing() async throws {
        try await RunningGateway.with(try Self.folder()) { gateway in
            let unknown = try await gateway.call("GET", "/nothing")
            #expect(unknown.status == 404 && unknown.text == #"{"detail":"Not Found"}"#)
            let wrong = try await gateway.call("GET", "/predict")
            #expect(wrong.status == 405 && wrong.headers["allow"] == "POST")
            #expect(wrong.text == #"{"detail":"Method Not Allowed"}"#)
            let slash = try await gateway.call("POST", "/fastapi_app/predict/?a=1", body: Self.row)
            #expect(slash.status == 307)
            #expect(slash.headers["location"] == "/fastapi_app/predict?a=1")
            let head = try await gateway.call("HEAD", "/docs")
            #expect(head.status == 200 && head.body.isEmpty)
            #expect(head.headers["content-type"] == "text/html; charset=utf-8")
            #expect(try await gateway.call("POST", "//predict", body: Self.row).status == 404)
            #expect(try await gateway.call("GET", "/fastapi_apple/health").status == 404)
        }
    }

    @Test("The API document and its page work below a prefix and behind a trusted proxy")
    func documents() async throws {
        try await RunningGateway.with(try Self.folder()) { gateway in
            let plain = try #require(try await gateway.call("GET", "/openapi.json").json())
            #expect(plain["openapi"] as? String == "3.1.0")
            let paths = try #require(plain["paths"] as? [String: [String: [String: Any]]])
            #expect(
                paths["/predict"]?["post"]?["operationId"] as? String == "predict_predict_post")
            #expect((plain["servers"] as? [[String: String]])?.first?["url"] == "/")
            let behind = try await gateway.call(
                "GET", "/fastapi_app/openapi.json", headers: ["X-Forwarded-Prefix": "/ml"])
            let servers = behind.json()?["servers"] as? [[String: String]]
            #expect(servers?.first?["url"] == "/ml/fastapi_app")
            let hostile = try await gateway.call(
                "GET", "/openapi.json", headers: ["X-Forwarded-Prefix": "/a\"><script>"])
            #expect((hostile.json()?["servers"] as? [[String: String]])?.first?["url"] == "/")
            let page = try await gateway.call("GET", "/fastapi_app/docs")
            #expect(page.status == 200 && !page.text.contains("http://"))
            #expect(page.headers["content-security-policy"]?.contains("script-src 'self'") == true)
            #expect(try await gateway.call("GET", "/fastapi_app/docs/app.js").status == 200)
        }
    }

    @Test("A trace's place comes back if it is one, and a prediction tells its steps' times")
    func timing() async throws {
        try await RunningGateway.with(try Self.folder()) { gateway in
            let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
            let reply = try await gateway.predict(Self.row, headers: ["traceparent": parent])
            #expect(reply.headers["traceparent"] == parent)
            // The last of the two headers, as this client keeps them.
            let steps = reply.headers["server-timing"] ?? ""
            for step in ["decode;dur=0.", "predict;dur=", "encode;dur="] {
                #expect(steps.contains(step), "\(steps)")
            }
            for broken in ["00-0-0-01", parent.uppercased(), "01" + parent.dropFirst(2)] {
                let reply = try await gateway.predict(Self.row, headers: ["traceparent": broken])
                #expect(reply.headers["traceparent"] == nil, "\(broken)")
            }
            let health = try await gateway.call("GET", "/livez")
            #expect(health.headers["server-timing"]?.hasPrefix("total;dur=") == true)
        }
    }

    @Test("HTTP/1.0 clients get their reply, and the connection ends unless they keep it")
    func http10() async throws {
        try await RunningGateway.with(try Self.folder()) { gateway in
            let head = "POST /predict HTTP/1.0\r\nContent-Length: \(Self.row.utf8.count)\r\n"
            let closing = try gateway.client()
            try await closing.send(head + "Content-Type: application/json\r\n\r\n" + Self.row)
            let reply = try await closing.reply()
            #expect(reply.status == 200 && reply.headers["connection"] == "close")
            #expect(try await closing.isClosedByServer())
            let keeping = try gateway.client()
            for _ in 0..<3 {
                try await keeping.send(head + "Connection: Keep-Alive\r\n\r\n" + Self.row)
                let reply = try await keeping.reply()
                #expect(reply.status == 200)
                #expect(reply.headers["connection"]?.lowercased() == "keep-alive")
            }
        }
    }

    @Test("A connection is kept by default, closed on request, and carries pipelined requests")
    func keepAlive() async throws {
        try await RunningGateway.with(try Self.folder()) { gateway in
            let client = try gateway.client()
            for _ in 0..<3 {
                #expect(try await client.call("POST", "/predict", body: Self.row).status == 200)
            }
            let request =
                "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
                + "\(Self.row.utf8.count)\r\n\r\n" + Self.row
            try await client.send(String(repeating: request, count: 5))
            for _ in 0..<5 { #expect(try await client.reply().status == 200) }
            let last = try await client.call(
                "GET", "/livez", headers: ["Connection": "Close"])
            #expect(last.status == 200)
            #expect(try await client.isClosedByServer())
        }
    }

    @Test("Bodies without a JSON type are read when they begin like JSON, others refused")
    func contentTypes() async throws {
        try await RunningGateway.with(try Self.folder()) { gateway in
            for type in [
                "", "application/json", "application/JSON; charset=UTF-8",
                "application/vnd.api+json", "application/x-www-form-urlencoded", "text/plain",
            ] {
                let reply = try await gateway.predict(Self.row, headers: ["Content-Type": type])
                #expect(reply.status == 200, "\(type): \(reply.text)")
            }
            for type in ["text/csv", "application/json; charset=utf-16", "image/png"] {
                let reply = try await gateway.predict(Self.row, headers: ["Content-Type": type])
                #expect(reply.status == 415, "\(type)")
            }
            let form = try await gateway.predict(
                "features=1", headers: ["Content-Type": "application/x-www-form-urlencoded"])
            #expect(form.status == 415)
        }
    }

    @Test("A body over the limit is answered 413 and not read to its end")
    func largeBody() async throws {
        try await RunningGateway.with(try Self.folder()) {
            $0.limits.bodyBytes = 10_000
        } _: { gateway in
            let client = try gateway.client()
            try await client.send(
                "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n{")
            let reply = try await client.reply()
            #expect(reply.status == 413 && reply.headers["connection"] == "close")
            let chunked = try gateway.client()
            try await chunked.send(
                "POST /predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "8000\r\n" + String(repeating: " ", count: 0x8000) + "\r\n")
            #expect(try await chunked.reply().status == 413)
            let fine = String(repeating: " ", count: 9_000) + Self.row
            #expect(try await gateway.predict(fine).status == 200)
        }
    }

    @Test("A client that waits for 100 Continue is told to go on")
    func expectContinue() async throws {
        try await RunningGateway.with(try Self.folder()) { gateway in
            let client = try gateway.client()
            try await client.send(
                "POST /predict HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
                    + "Content-Length: \(Self.row.utf8.count)\r\n\r\n")
            try await Task.sleep(for: .milliseconds(50))
            try await client.send(Self.row)
            #expect(try await client.reply().status == 200)
        }
    }

    @Test("Bytes that are not HTTP, and headers without end, are refused with JSON")
    func notHTTP() async throws {
        try await RunningGateway.with(try Self.folder()) { gateway in
            let garbage = try gateway.client()
            try await garbage.send("\u{16}\u{03}\u{01} nonsense\r\n\r\n")
            let reply = try await garbage.reply()
            #expect(reply.status == 400 && reply.json()?["detail"] is String)
            let long = try gateway.client()
            let field = "X-Long: " + String(repeating: "a", count: 1_000) + "\r\n"
            try await long.send(
                "GET /health HTTP/1.1\r\nHost: localhost\r\n"
                    + String(repeating: field, count: 100) + "\r\n")
            #expect(try await long.reply().status == 431)
            #expect(try await gateway.call("GET", "/livez").status == 200)
        }
    }

    @Test("Slow headers and slow bodies end their connection in time, idle ones too")
    func slowClients() async throws {
        try await RunningGateway.with(try Self.folder()) {
            $0.limits.headerTime = .milliseconds(300)
            $0.limits.bodyTime = .milliseconds(300)
            $0.limits.idleTime = .milliseconds(600)
        } _: { gateway in
            let silent = try gateway.client()
            let slowHead = try gateway.client()
            try await slowHead.send("POST /predict HTTP/1.1\r\nHost: loc")
            let slowBody = try gateway.client()
            try await slowBody.send(
                "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{")
            let reply = try await slowBody.reply()
            #expect(reply.status == 408)
            #expect(try await slowHead.isClosedByServer())
            #expect(try await silent.isClosedByServer())
            let idle = try gateway.client()
            #expect(try await idle.call("GET", "/livez").status == 200)
            #expect(try await idle.isClosedByServer())
        }
    }

    @Test("Request labels are echoed when harmless and made anew when not")
    func requestIDs() async throws {
        try await RunningGateway.with(try Self.folder()) { gateway in
            let kept = try await gateway.call("GET", "/livez", headers: ["X-Request-ID": "a.b-c_1"])
            #expect(kept.headers["x-request-id"] == "a.b-c_1")
            let made = try await gateway.call(
                "GET", "/livez", headers: ["X-Request-ID": "a b/../c"])
            let label = try #require(made.headers["x-request-id"])
            #expect(label != "a b/../c" && RequestLabel.isAcceptable(label))
        }
    }

    @Test("Metrics hold our names and Ray Serve's, under both spellings")
    func metrics() async throws {
        try await RunningGateway.with(try Self.folder()) { gateway in
            let before = try await gateway.call("GET", "/metrics").text
            for name in ["request_counter", "request_counter_total", "error_counter"] {
                #expect(before.contains("\nray_serve_deployment_\(name){"), "\(name)")
            }
            #expect(before.contains("\nray_serve_deployment_latency_ms_count{"))
            #expect(before.contains("\nray_serve_deployment_replica_count{"))
            _ = try await gateway.predict(Self.row)
            _ = try await gateway.predict("{}")
            let after = try await gateway.call("GET", "/metrics")
            #expect(after.headers["content-type"]?.hasPrefix("text/plain; version=0.0.4") == true)
            let series = #"{deployment="ModelServer",application="default",route="/predict"} 2"#
            #expect(after.text.contains("ray_serve_deployment_request_counter" + series))
            #expect(after.text.contains("ray_serve_deployment_request_counter_total" + series))
            #expect(after.text.contains(#"manta_model_info{name="Iris",version="1",sha256=""#))
            #expect(
                after.text.contains(
                    #"manta_http_requests_total{route="/predict",method="POST",status="422"} 1"#))
        }
    }

    @Test("A port that is taken is said in words, and nothing waits for it")
    func portTaken() async throws {
        let folder = try Self.folder()
        try await RunningGateway.with(folder) { gateway in
            let error = await #expect(throws: GatewayError.self) {
                try await RunningGateway(source: DirectoryModelSource(root: folder.path)) {
                    $0.port = gateway.port
                }
            }
            #expect("\(error as Any)".contains("port \(gateway.port) of 127.0.0.1 is in use"))
        }
    }

    @Test("The operations listener answers health and metrics, and nothing else")
    func operations() async throws {
        let folder = try Self.folder()
        try await RunningGateway.with(folder) {
            $0.opsPort = 0
        } _: { gateway in
            let port = try await gateway.gateway.boundOpsPort()
            let client = try RawClient(port: port)
            #expect(try await client.call("GET", "/health").status == 200)
            #expect(try await client.call("GET", "/metrics").status == 200)
            #expect(try await client.call("GET", "/startupz").status == 200)
            #expect(try await client.call("GET", "/v2/health/ready").status == 200)
            #expect(try await client.call("POST", "/predict", body: Self.row).status == 404)
            #expect(try await client.call("POST", "/model/load", body: "").status == 404)
        }
    }
}

/// Requests that end before they are whole.
@Suite struct TruncationTests {
    @Test(
        "A load whose body is cut off changes nothing",
        arguments: ["Content-Length: 30\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"])
    func truncatedLoad(_ framing: String) async throws {
        let folder = try HTTPTests.folder()
        try await RunningGateway.with(folder, load: nil) { gateway in
            do {
                let client = try gateway.client()
                try await client.send("POST /model/load HTTP/1.1\r\nHost: localhost\r\n" + framing)
                try await Task.sleep(for: .milliseconds(50))
            }
            try await Task.sleep(for: .milliseconds(200))
            #expect(try await gateway.call("GET", "/readyz").status == 503)
            let metrics = try await gateway.call("GET", "/metrics").text
            #expect(!metrics.contains("manta_model_loads_total{"))
        }
    }
}
