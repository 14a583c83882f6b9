import TestSupport
import Testing

@testable import HTTPClient

/// Where requests that somebody else's URL leads to may go.
@Suite struct NetworkAddressTests {
    @Test(
        "Addresses outside the public internet are told apart from those inside",
        arguments: [
            ([127, 0, 0, 1], false), ([127, 255, 0, 9], false), ([0, 0, 0, 0], false),
            ([10, 1, 2, 3], false), ([172, 16, 0, 1], false), ([172, 31, 255, 255], false),
            ([172, 32, 0, 1], true), ([192, 168, 1, 1], false), ([169, 254, 169, 254], false),
            ([100, 64, 0, 1], false), ([100, 63, 255, 255], true), ([224, 0, 0, 1], false),
            ([255, 255, 255, 255], false), ([198, 18, 5, 5], false), ([8, 8, 8, 8], true),
            ([140, 82, 121, 4], true), ([223, 255, 255, 255], true),
        ] as [([UInt8], Bool)])
    func version4(_ bytes: [UInt8], _ isPublic: Bool) throws {
        #expect(try #require(NetworkAddress(bytes: bytes)).isPublic == isPublic)
        let mapped = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF] + bytes
        #expect(try #require(NetworkAddress(bytes: mapped)).isPublic == isPublic)
    }

    @Test(
        "So are those of IPv6",
        arguments: [
            ("0:0:0:0:0:0:0:1", false), ("0:0:0:0:0:0:0:0", false), ("fe80:0:0:0:0:0:0:1", false),
            ("fd00:ec2:0:0:0:0:0:254", false), ("ff02:0:0:0:0:0:0:1", false),
            ("2001:db8:0:0:0:0:0:1", false), ("2002:7f00:1:0:0:0:0:1", false),
            ("2001:0:7f00:1:0:0:0:1", false), ("64:ff9b:0:0:0:0:7f00:1", false),
            ("2606:4700:0:0:0:0:0:1111", true), ("2a00:1450:4001:830:0:0:0:200e", true),
        ])
    func version6(_ text: String, _ isPublic: Bool) throws {
        let bytes = text.split(separator: ":").flatMap { group -> [UInt8] in
            let value = UInt16(group, radix: 16) ?? 0
            return [UInt8(value >> 8), UInt8(value & 0xFF)]
        }
        let address = try #require(NetworkAddress(bytes: bytes))
        #expect(address.isPublic == isPublic && address.description == text)
    }

    @Test(
        "A request for public addresses only reaches nothing of this machine, however it is named",
        arguments: ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0x7f.1", "2130706433", "0"])
    func refused(_ host: String) async throws {
        let server = try TestHTTPServer { _ in .answer(200, "secret") }
        var request = HTTPRequest(.get, "http://\(host):\(server.port)/")
        request.refusesPrivateAddresses = true
        await #expect {
            try await HTTPClient().send(request)
        } throws: { error in
            guard case HTTPClientError.addressRefused = error else { return false }
            return true
        }
        #expect(server.connectionCount == 0)
    }

    @Test("Neither a redirect nor a connection that is kept leads around the check")
    func aroundTheCheck() async throws {
        let server = try TestHTTPServer { _ in .answer(200, "secret") }
        let client = HTTPClient()
        #expect(try await client.send(HTTPRequest(.get, server.url)).bodyText == "secret")
        var request = HTTPRequest(.get, server.url)
        request.refusesPrivateAddresses = true
        request.redirectsMax = 3
        await #expect(throws: HTTPClientError.self) { try await client.send(request) }
        #expect(server.connectionCount == 1 && server.requests.count == 1)
    }

    @Test("A location is resolved against the URL that it came from")
    func locations() throws {
        let from = "https://a.example/x/y.zip?token=1"
        #expect(try HTTPURL.following("z.zip", from: from) == "https://a.example/x/z.zip")
        #expect(try HTTPURL.following("/z?q=2", from: from) == "https://a.example/z?q=2")
        #expect(
            try HTTPURL.following("//b.example/z", from: from) == "https://b.example/z")
        #expect(
            try HTTPURL.following("http://c.example/", from: from) == "http://c.example/")
        for bad in ["file:///etc/passwd", "gopher://x/", "https://"] {
            #expect(throws: HTTPClientError.self, "\(bad)") {
                try HTTPURL.following(bad, from: from)
            }
        }
    }
}
