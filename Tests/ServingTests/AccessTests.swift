import Testing

@testable import Serving

/// Who may call what, on loopback and beyond.
@Suite struct AccessTests {
    static let row = #"{"features": [[0.2, 1, 2]]}"#

    @Test("On loopback a foreign Host is refused, whatever it asks")
    func hosts() async throws {
        try await RunningGateway.with(try HTTPTests.folder()) {
            $0.allowedHosts = ["models.test"]
        } _: { gateway in
            for host in [
                "localhost", "LOCALHOST:80", "127.0.0.1:8000", "[::1]:8000", "models.test",
            ] {
                let reply = try await gateway.predict(Self.row, headers: ["Host": host])
                #expect(reply.status == 200, "\(host)")
            }
            for host in ["evil.test", "localhost.evil.test", "127.0.0.1.evil.test:8000"] {
                let reply = try await gateway.predict(Self.row, headers: ["Host": host])
                #expect(reply.status == 403, "\(host)")
                #expect(reply.headers["content-type"] == "application/problem+json")
            }
        }
    }

    @Test("Pages of other sites cannot load a model")
    func origins() async throws {
        try await RunningGateway.with(try HTTPTests.folder()) { gateway in
            let own = ["Host": "localhost:1", "Origin": "http://localhost:1"]
            #expect(try await gateway.call("POST", "/model/load", headers: own).status == 200)
            for foreign in [
                ["Origin": "http://evil.test"], ["Origin": "null"],
                ["Origin": "http://localhost:9999"], ["Sec-Fetch-Site": "cross-site"],
            ] {
                let reply = try await gateway.call("POST", "/model/load", headers: foreign)
                #expect(reply.status == 403, "\(foreign)")
            }
            let serve = try await gateway.call(
                "POST", "/serve", body: #"{"action": "unload"}"#, headers: ["Origin": "null"])
            #expect(serve.status == 403)
            #expect(try await gateway.call("GET", "/health").status == 200)
        }
    }

    @Test("Beyond loopback a load needs the token, a prediction does not")
    func token() async throws {
        try await RunningGateway.with(try HTTPTests.folder()) {
            $0.host = "0.0.0.0"
            $0.token = "s3cret"
        } _: { gateway in
            #expect(
                try await gateway.predict(Self.row, headers: ["Host": "any.test"]).status == 200)
            let missing = try await gateway.call("POST", "/model/load")
            #expect(missing.status == 401 && missing.headers["www-authenticate"] == "Bearer")
            let wrong = try await gateway.call(
                "POST", "/model/load", headers: ["Authorization": "Bearer s3cre"])
            #expect(wrong.status == 401)
            let right = try await gateway.call(
                "POST", "/model/load", headers: ["Authorization": "bearer s3cret"])
            #expect(right.status == 200, "\(right.text)")
            let serve = try await gateway.call("POST", "/serve", body: #"{"action": "unload"}"#)
            #expect(serve.status == 401)
            let status = try await gateway.call("POST", "/serve", body: #"{"action": "status"}"#)
            #expect(status.status == 200)
        }
    }

    @Test(
        "A gateway refuses to start beyond loopback without a token, unless it is opened in words")
    func startRules() throws {
        var configuration = GatewayConfiguration()
        configuration.host = "0.0.0.0"
        #expect(throws: GatewayError.self) { try configuration.validated() }
        configuration.openServing = true
        _ = try configuration.validated()
        configuration.prefixes = ["/a/../b"]
        #expect(throws: GatewayError.self) { try configuration.validated() }
    }
}
