import Foundation
import TestSupport
import Testing

@testable import HTTPClient

/// Servers that break, stall, flood or lie.
@Suite struct FaultTests {
    let client = HTTPClient()
    typealias Reply = TestHTTPServer.Reply

    private func failure(
        of request: HTTPRequest
    ) async throws -> HTTPClientError {
        do throws(HTTPClientError) {
            let response = try await client.send(request)
            Issue.record("The request was answered with \(response.status).")
            return .closed
        } catch {
            return error
        }
    }

    @Test("A port where nobody listens cannot be connected to, and nothing was processed")
    func refused() async throws {
        let server = try TestHTTPServer { _ in .answer() }
        let url = server.url
        server.stop()
        let error = try await failure(of: HTTPRequest(.get, url))
        guard case .cannotConnect(let host, _) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(host == "127.0.0.1:\(server.port)")
        #expect(error.isSurelyUnprocessed && error.isTransient)
    }

    @Test("A host that does not exist cannot be connected to")
    func unknownHost() async throws {
        let error = try await failure(of: HTTPRequest(.get, "http://no-such-host.invalid/"))
        guard case .cannotConnect("no-such-host.invalid:80", _) = error else {
            Issue.record("\(error)")
            return
        }
    }

    @Test("A connection that breaks is lost, and the request may have been processed")
    func broken() async throws {
        let endings: [Reply] = [
            Reply([.close]), Reply([.reset]),
            .raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", then: .close),
            .raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", then: .reset),
        ]
        for ending in endings {
            let server = try TestHTTPServer { _ in ending }
            let error = try await failure(of: HTTPRequest(.post, server.url))
            guard case .connectionLost = error else {
                Issue.record("\(error)")
                return
            }
            #expect(!error.isSurelyUnprocessed && error.isTransient)
        }
    }

    @Test("A server that stalls is timed out, before and within its answer")
    func timeouts() async throws {
        for steps in [
            [TestHTTPServer.Step.waitForClose],
            [.bytes(Array("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx".utf8)), .waitForClose],
        ] {
            let server = try TestHTTPServer { _ in Reply(steps) }
            let request = HTTPRequest(.get, server.url, timeout: .milliseconds(200))
            let error = try await failure(of: request)
            #expect(error == .timedOut(host: "127.0.0.1:\(server.port)"))
            #expect(!error.isSurelyUnprocessed)
        }
    }

    @Test("A body over the limit is refused, announced or not")
    func tooLarge() async throws {
        let body = String(repeating: "x", count: 5000)
        let chunked =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n\(body)\r\n0\r\n\r\n"
        for reply in [Reply.answer(200, body), .raw(chunked)] {
            let server = try TestHTTPServer { _ in reply }
            let error = try await failure(of: HTTPRequest(.get, server.url, bodyMax: 4999))
            #expect(error == .tooLarge(limit: 4999))
            let fitting = try await client.send(HTTPRequest(.get, server.url, bodyMax: 5000))
            #expect(fitting.body.count == 5000)
        }
    }

    @Test("What is not HTTP, or has an endless header, is no response")
    func nonsense() async throws {
        let endless = "HTTP/1.1 200 OK\r\n" + String(repeating: "X-A: bcdefghij\r\n", count: 12_000)
        for text in ["SSH-2.0-OpenSSH_9.2\r\n", endless] {
            let server = try TestHTTPServer { _ in .raw(text, then: .close) }
            let error = try await failure(of: HTTPRequest(.get, server.url))
            #expect(!error.isSurelyUnprocessed, "\(error)")
        }
    }

    @Test("Cancelling the task closes the connection")
    func cancellation() async throws {
        let server = try TestHTTPServer { _ in Reply([.waitForClose]) }
        let task = Task { try await client.send(HTTPRequest(.get, server.url)) }
        try await until { server.requests.count == 1 }
        task.cancel()
        await #expect(throws: HTTPClientError.cancelled) { try await task.value }
        try await until { server.closedByClientCount == 1 }
    }

    @Test("A task cancelled before it began sends nothing")
    func cancelledBefore() async throws {
        let server = try TestHTTPServer { _ in .answer() }
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await client.send(HTTPRequest(.get, server.url))
        }
        await #expect(throws: HTTPClientError.cancelled) { try await task.value }
        #expect(server.requests.isEmpty)
    }

    @Test(
        "A header that would smuggle another is refused",
        arguments: ["a\r\nX-Evil: 1", "a\nb", "a\0b", "a\u{7F}"])
    func headerInjection(_ value: String) async throws {
        var request = HTTPRequest(.get, "http://127.0.0.1:1")
        request.headers["X-Name"] = value
        let error = try await failure(of: request)
        guard case .invalidHeader("X-Name", _) = error else {
            Issue.record("\(error)")
            return
        }
    }

    @Test("A header name that is no token is refused", arguments: ["", "a b", "a:b", "é", "a\r\n"])
    func headerName(_ name: String) async throws {
        var request = HTTPRequest(.get, "http://127.0.0.1:1")
        request.headers[name] = "v"
        let error = try await failure(of: request)
        guard case .invalidHeader = error else {
            Issue.record("\(error)")
            return
        }
    }

    @Test(
        "A URL that is no http URL is refused, and its credentials are not shown",
        arguments: [
            "file:///etc/passwd", "ftp://ann:secret@host/", "http://", "host/path", "",
            "http://ann:secret@ho st/", "http://ann:secret@host/\r\nX: y",
            "gopher://ann:secret@host", "http://ann:secret@host:99999/?token=secret",
        ])
    func invalidURL(_ url: String) async throws {
        let error = try await failure(of: HTTPRequest(.get, url))
        guard case .invalidURL = error else {
            Issue.record("\(error)")
            return
        }
        #expect(!"\(error)".contains("secret"))
    }

    @Test("No error shows the URL's credentials or query")
    func secrecy() async throws {
        let server = try TestHTTPServer { _ in Reply([.reset]) }
        let error = try await failure(
            of: HTTPRequest(.get, "http://ann:secret@127.0.0.1:\(server.port)/?token=secret"))
        #expect(!"\(error)".contains("secret") && !"\(error)".contains("ann"))
    }

    @Test("A client that is gone ends its streams' transfers only with them")
    func clientOutlivesItsStream() async throws {
        let server = try TestHTTPServer { _ in
            .raw("HTTP/1.1 200 OK\r\n\r\n", then: .wait(.milliseconds(50)), .bytes([1, 2]), .close)
        }
        var temporary: HTTPClient? = HTTPClient()
        let response = try await temporary?.stream(HTTPRequest(.get, server.url))
        temporary = nil
        #expect(try await response?.collect(upTo: 10) == [1, 2])
    }
}

/// Waits for a condition that another thread brings about.
func until(
    _ limit: Duration = .seconds(20), _ condition: () -> Bool,
    sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    let deadline = ContinuousClock.now + limit
    while !condition() {
        guard ContinuousClock.now < deadline else {
            Issue.record("The condition did not come true.", sourceLocation: sourceLocation)
            return
        }
        try await Task.sleep(for: .milliseconds(5))
    }
}
