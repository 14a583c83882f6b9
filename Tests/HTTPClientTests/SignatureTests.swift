import Foundation
import TestSupport
import Testing

@testable import HTTPClient

/// Parts of files as bodies, and what may not be signed.
@Suite struct SignatureTests {
    @Test("A part of a file is sent as it is, and never more than the file has")
    func parts() async throws {
        let server = try TestHTTPServer { _ in .answer() }
        defer { server.stop() }
        let path = NSTemporaryDirectory() + "manta-part-\(UInt64.random(in: 0 ... .max))"
        try Data("0123456789".utf8).write(to: URL(fileURLWithPath: path))
        defer { unlink(path) }
        for (offset, count, text) in [(2, 3, "234"), (0, 10, "0123456789"), (10, 0, "")] {
            let body = HTTPRequest.Body.part(path: path, offset: Int64(offset), count: Int64(count))
            _ = try await HTTPClient().send(HTTPRequest(.put, server.url, body: body))
            #expect(server.requests.last?.bodyText == text)
        }
        let wrong: [(Int64, Int64)] = [(5, 6), (11, 0), (-1, 3), (3, -1), (.max, .max)]
        for (offset, count) in wrong {
            await #expect(throws: HTTPClientError.self) {
                _ = try await HTTPClient().send(
                    HTTPRequest(
                        .put, server.url, body: .part(path: path, offset: offset, count: count)))
            }
        }
        #expect(server.requests.count == 3)
    }

    @Test(
        "Values that could change what is signed or sent are refused and not shown",
        arguments: [
            ("AK", "S K", nil, "r"), ("AK", "secret\r\nX: y", nil, "r"), ("", "secret", nil, "r"),
            ("AK", "secret", "token\n", "r"), ("AK", "secret", nil, "r:s3"),
            ("AK", "secret", nil, ""),
        ] as [(String, String, String?, String)])
    func refused(_ key: String, _ secret: String, _ token: String?, _ region: String) async {
        var request = HTTPRequest(.get, "http://127.0.0.1:1/")
        request.signature = HTTPSignature(
            accessKey: key, secretKey: secret, sessionToken: token, region: region, service: "s3")
        do throws(HTTPClientError) {
            _ = try await HTTPClient().send(request)
            Issue.record("it was sent")
        } catch {
            guard case .invalidHeader = error else {
                Issue.record("\(error)")
                return
            }
            #expect(!"\(error)".contains("secret\r"))
        }
    }
}
