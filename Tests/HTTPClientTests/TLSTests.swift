import TestSupport
import Testing

@testable import HTTPClient

/// Certificates are checked unless a person said otherwise.
@Suite struct TLSTests {
    @Test("Only who trusts the certificate gets through; nothing leads out of TLS")
    func certificates() async throws {
        let server = try await TestTLSServer.start()
        let request = HTTPRequest(.get, server.url)
        await #expect("an unknown authority is refused") {
            try await HTTPClient().send(request)
        } throws: { error in
            guard case HTTPClientError.tls = error else { return false }
            return true
        }
        var configuration = HTTPClientConfiguration()
        configuration.authoritiesPath = server.certificatePath
        let trusting = HTTPClient(configuration)
        #expect(try await trusting.send(request).bodyText == "secure")
        await #expect(throws: HTTPClientError.self, "the name must match") {
            try await trusting.send(HTTPRequest(.get, "https://127.0.0.1:\(server.port)"))
        }
        var redirected = HTTPRequest(.get, server.url + "/plain")
        redirected.redirectsMax = 3
        await #expect("a redirect from https to http is not followed") {
            try await trusting.send(redirected)
        } throws: { error in
            guard case HTTPClientError.malformedResponse = error else { return false }
            return true
        }
        configuration = HTTPClientConfiguration()
        configuration.verifiesTLS = false
        #expect(try await HTTPClient(configuration).send(request).bodyText == "secure")
        await server.stop()
    }

    @Test("Plain HTTP spoken to a TLS port, and TLS to a plain one, are errors")
    func mismatch() async throws {
        let plain = try TestHTTPServer { _ in .answer(200, "plain") }
        await #expect(throws: HTTPClientError.self) {
            try await HTTPClient().send(
                HTTPRequest(.get, "https://127.0.0.1:\(plain.port)", timeout: .seconds(2)))
        }
    }
}
