import HTTPClient
import Testing

@testable import Cluster

/// Working directories by URL: what is accepted, and from where.
@Suite struct PinnedURLTests {
    private static let digest = String(repeating: "0a", count: 32)

    @Test("An address and the digest of what stands there make a pinned URL")
    func valid() throws {
        let text = "https://example.com/a/b.zip?token=1#sha256=\(Self.digest)"
        let pinned = try PinnedURL(text)
        #expect(pinned.url == "https://example.com/a/b.zip?token=1")
        #expect(pinned.digest == Self.digest && pinned.description == text)
        #expect(
            try PinnedURL("https://e.com/#sha256=\(Self.digest.uppercased())").digest == Self.digest
        )
        #expect(PinnedURL.isURL("HTTPS://x") && PinnedURL.isURL("http://x"))
        #expect(!PinnedURL.isURL("./https:") && !PinnedURL.isURL("blob://x"))
    }

    @Test("Without a digest the refusal says how to find it and what to write")
    func unpinned() {
        let error = #expect(throws: PinnedURLError.self) { try PinnedURL("https://e.com/x.zip") }
        let text = error?.reason ?? ""
        #expect(text.contains("curl -fsSL 'https://e.com/x.zip' | sha256sum"))
        #expect(text.contains("https://e.com/x.zip#sha256=<64 hex digits>"))
    }

    @Test(
        "Anything else is refused",
        arguments: [
            "https://e.com/x.zip#", "https://e.com/x.zip#md5=00", "https://e.com/x.zip#sha256=12",
            "https://e.com/x.zip#sha256=" + String(repeating: "g", count: 64),
            "https://e.com/x.zip##sha256=\(digest)", "https://#sha256=\(digest)",
            "https://u:p@e.com/x.zip#sha256=\(digest)", "https://u@e.com/#sha256=\(digest)",
            "https://e.com/a b.zip#sha256=\(digest)", "https://e.com/\u{0}#sha256=\(digest)",
            "https://e.com/" + String(repeating: "x", count: 5_000) + "#sha256=\(digest)",
            "file:///etc/passwd#sha256=\(digest)", "s3://b/x.zip#sha256=\(digest)", "",
        ])
    func invalid(_ text: String) {
        #expect(throws: PinnedURLError.self) { try PinnedURL(text) }
    }

    @Test("Only https to public addresses is allowed, unless a server is trusted by name")
    func rules() throws {
        #expect(throws: DownloadRefusal.self) {
            try DownloadRules.publicOnly.request(for: "http://e.com/x")
        }
        #expect(
            try DownloadRules.publicOnly.request(for: "https://10.0.0.1/x").refusesPrivateAddresses)
        let rules = try DownloadRules(trusting: [
            "http://files.internal:8080/", "https://Art.local",
        ])
        let trusted = try rules.request(for: "http://files.internal:8080/x.zip")
        #expect(!trusted.refusesPrivateAddresses && trusted.redirectsMax == 0)
        #expect(try !rules.request(for: "https://art.LOCAL:443/x").refusesPrivateAddresses)
        #expect(try rules.request(for: "https://files.internal:8080/x").refusesPrivateAddresses)
        #expect(throws: DownloadRefusal.self) {
            try rules.request(for: "http://files.internal/x.zip")
        }
        #expect(throws: HTTPClientError.self) { try DownloadRules(trusting: ["files.internal"]) }
    }
}
