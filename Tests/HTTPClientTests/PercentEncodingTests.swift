import Testing

@testable import HTTPClient

@Suite struct PercentEncodingTests {
    @Test("Everything but the unreserved characters is escaped")
    func escaping() {
        #expect(PercentEncoding.segment("aZ09-._~") == "aZ09-._~")
        #expect(PercentEncoding.segment("a/b?c#d%e f") == "a%2Fb%3Fc%23d%25e%20f")
        #expect(PercentEncoding.segment("é\r\n\0") == "%C3%A9%0D%0A%00")
        #expect(PercentEncoding.path(["a b", "c/d"]) == "a%20b/c%2Fd")
        #expect(
            PercentEncoding.query(["filter": "a='b'&c", "n": "1"]) == "filter=a%3D%27b%27%26c&n=1")
    }

    @Test("A URL is taken apart the way it will be requested")
    func parts() throws {
        let url = try HTTPURL("https://ann:p%40ss@example.org:8443/a%20b?q=1")
        #expect(url.host == "example.org" && url.port == 8443 && url.scheme == "https")
        #expect(url.user == "ann" && url.password == "p@ss")
        #expect(url.description == "https://example.org:8443/a%20b")
        #expect(try HTTPURL("http://h").port == 80)
        #expect(try HTTPURL("http://127.0.0.1:5000").isLoopback)
        #expect(try HTTPURL("http://[::1]:5000").isLoopback)
        #expect(try !HTTPURL("http://127.0.0.1.evil.org").isLoopback)
    }
}
