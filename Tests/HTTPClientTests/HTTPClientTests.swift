import Foundation
import TestSupport
import Testing

@testable import HTTPClient

/// Single requests against a server of our own.
@Suite struct HTTPClientTests {
    let client = HTTPClient()

    @Test("Method, path, headers and body arrive as given")
    func requestArrives() async throws {
        let server = try TestHTTPServer { _ in .answer(201, headers: ["X-Reply": "yes"], "made") }
        var request = HTTPRequest(.post, server.url + "/a%20b?c=d", body: .bytes(Array("hi".utf8)))
        request.headers["X-Custom"] = "value"
        request.headers["X-Empty"] = ""
        let response = try await client.send(request)
        #expect(response.status == 201)
        #expect(response.headers["x-reply"] == "yes")
        #expect(response.bodyText == "made")
        let seen = try #require(server.requests.first)
        #expect(seen.method == "POST")
        #expect(seen.target == "/a%20b?c=d")
        #expect(seen.headers["x-custom"] == "value")
        #expect(seen.headers["x-empty"] == "")
        #expect(seen.headers["content-type"] == nil)
        #expect(seen.headers["expect"] == nil)
        #expect(seen.bodyText == "hi")
    }

    @Test(
        "Every method works with and without a body",
        arguments: [HTTPRequest.Method.get, .post, .put, .patch, .delete], [nil, "", "body"])
    func methods(_ method: HTTPRequest.Method, _ body: String?) async throws {
        let server = try TestHTTPServer { .answer(200, $0.method + ":" + $0.bodyText) }
        let content: HTTPRequest.Body = body.map { .bytes(Array($0.utf8)) } ?? .none
        let response = try await client.send(HTTPRequest(method, server.url, body: content))
        #expect(response.bodyText == method.rawValue + ":" + (body ?? ""))
    }

    @Test("HEAD has a header and no body")
    func head() async throws {
        let server = try TestHTTPServer { _ in .raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
        }
        let response = try await client.send(HTTPRequest(.head, server.url))
        #expect(response.status == 200)
        #expect(response.headers["Content-Length"] == "9")
        #expect(response.body.isEmpty)
    }

    @Test("Requests that may be repeated share a connection; others have their own")
    func connections() async throws {
        let server = try TestHTTPServer { _ in .answer(200, "ok") }
        for _ in 0..<3 { _ = try await client.send(HTTPRequest(.get, server.url)) }
        #expect(server.connectionCount == 1)
        _ = try await client.send(HTTPRequest(.post, server.url))
        #expect(server.connectionCount == 2)
    }

    @Test("A POST is never sent twice by itself, even on a connection the server closed")
    func postIsSentOnce() async throws {
        let server = try TestHTTPServer { request in
            request.method == "GET" ? .answer(200, "ok") : Reply([.close])
        }
        _ = try await client.send(HTTPRequest(.get, server.url))
        await #expect(throws: HTTPClientError.self) {
            try await client.send(HTTPRequest(.post, server.url))
        }
        #expect(server.requests.filter { $0.method == "POST" }.count == 1)
    }
    private typealias Reply = TestHTTPServer.Reply

    @Test("Many requests at once all get their own answer")
    func concurrency() async throws {
        let server = try TestHTTPServer { .answer(200, $0.target) }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for index in 0..<200 {
                group.addTask {
                    let response = try await client.send(
                        HTTPRequest(.get, server.url + "/\(index)"))
                    return response.bodyText == "/\(index)"
                }
            }
            for try await isRight in group { #expect(isRight) }
        }
        #expect(server.connectionCount <= HTTPClientConfiguration().connectionsPerHostMax)
    }

    @Test("A file is uploaded with its length")
    func upload() async throws {
        let path = temporaryPath()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let content = Data((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        try content.write(to: URL(fileURLWithPath: path))
        let server = try TestHTTPServer { .answer(200, "\($0.body.count)") }
        let response = try await client.send(
            HTTPRequest(.put, server.url, body: .file(path: path)))
        #expect(response.bodyText == "3000000")
        #expect(server.requests.first?.method == "PUT")
        #expect(server.requests.first?.body == Array(content))
    }

    @Test("A file that is missing or a folder is an error that names it")
    func uploadWithoutFile() async throws {
        for path in ["/nowhere/at/all", "/tmp"] {
            await #expect {
                try await client.send(
                    HTTPRequest(.put, "http://127.0.0.1:1", body: .file(path: path)))
            } throws: { error in
                guard case HTTPClientError.fileFailed(path, _) = error else { return false }
                return true
            }
        }
    }

    @Test("Redirects are followed only when asked for, and never out of http")
    func redirects() async throws {
        let server = try TestHTTPServer { request in
            switch request.target {
            case "/there": .answer(200, "arrived")
            case "/file": .answer(302, headers: ["Location": "file:///etc/passwd"])
            case "/loop": .answer(302, headers: ["Location": "/loop"])
            default: .answer(302, headers: ["Location": "/there"])
            }
        }
        var request = HTTPRequest(.get, server.url)
        #expect(try await client.send(request).status == 302)
        request.redirectsMax = 3
        #expect(try await client.send(request).bodyText == "arrived")
        for target in ["/file", "/loop"] {
            request.url = server.url + target
            await #expect {
                try await client.send(request)
            } throws: { error in
                guard case HTTPClientError.malformedResponse = error else { return false }
                return true
            }
        }
    }

    @Test("Credentials in the URL become basic authentication")
    func basicAuthentication() async throws {
        let server = try TestHTTPServer { _ in .answer(200, "ok") }
        _ = try await client.send(HTTPRequest(.get, "http://ann:secret@127.0.0.1:\(server.port)/"))
        #expect(server.requests.first?.headers["authorization"] == "Basic YW5uOnNlY3JldA==")
    }
}

func temporaryPath() -> String {
    NSTemporaryDirectory() + "manta-http-\(UUID().uuidString)"
}
