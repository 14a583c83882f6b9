import Foundation
import TestSupport
import Testing

@testable import HTTPClient

/// Bodies that arrive while they are read, and bodies that go to a file.
@Suite struct StreamTests {
    let client = HTTPClient()
    typealias Reply = TestHTTPServer.Reply

    @Test("Head and chunks come while the body is still being sent")
    func chunks() async throws {
        let server = try TestHTTPServer { _ in
            .raw(
                "HTTP/1.1 200 OK\r\nX-A: b\r\n\r\n", then: .wait(.milliseconds(50)),
                .bytes(Array("one\n".utf8)), .waitForClose)
        }
        let response = try await client.stream(HTTPRequest(.get, server.url))
        #expect(response.status == 200 && response.headers["X-A"] == "b")
        for try await chunk in response.chunks {
            #expect(chunk == Array("one\n".utf8))
            #expect(server.closedByClientCount == 0)
            break
        }
    }

    @Test("Lines are put together across chunks")
    func lines() async throws {
        let server = try TestHTTPServer { _ in
            .raw(
                "HTTP/1.1 200 OK\r\n\r\nfirst li", then: .wait(.milliseconds(30)),
                .bytes(Array("ne\r\n\nthird".utf8)), .close)
        }
        let response = try await client.stream(HTTPRequest(.get, server.url))
        var received: [String] = []
        for try await line in response.lines() { received.append(line) }
        #expect(received == ["first line", "", "third"])
    }

    @Test("An endless line is cut where the limit is")
    func longLines() async throws {
        let server = try TestHTTPServer { _ in
            .answer(200, String(repeating: "x", count: 25) + "\ny")
        }
        let response = try await client.stream(HTTPRequest(.get, server.url))
        var received: [String] = []
        for try await line in response.lines(bytesMax: 10) { received.append(line) }
        #expect(received.map(\.count) == [10, 10, 5, 1])
    }

    @Test("A slow reader stops the server, and loses nothing")
    func backPressure() async throws {
        let block = (0..<(64 << 10)).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 11) }
        let blockCount = 256
        let server = try TestHTTPServer { _ in
            let head = "HTTP/1.1 200 OK\r\nContent-Length: \(block.count * blockCount)\r\n\r\n"
            return Reply(
                [.bytes(Array(head.utf8))] + (0..<blockCount).map { _ in .bytes(block) } + [.close])
        }
        let response = try await client.stream(HTTPRequest(.get, server.url, timeout: nil))
        // Time enough for all of it to arrive, if nothing held it back.
        try await Task.sleep(for: .milliseconds(300))
        var received: [UInt8] = []
        var largest = 0
        for try await chunk in response.chunks {
            received += chunk
            largest = max(largest, chunk.count)
        }
        #expect(received.count == block.count * blockCount)
        #expect(Array(received.suffix(block.count)) == block)
        #expect(largest <= ChunkBuffer.bytesMax + (64 << 10))
    }

    @Test("Leaving the loop closes the transfer")
    func leaving() async throws {
        let server = try TestHTTPServer { _ in
            .raw("HTTP/1.1 200 OK\r\n\r\nx", then: .waitForClose)
        }
        do {
            let response = try await client.stream(HTTPRequest(.get, server.url, timeout: nil))
            for try await _ in response.chunks { break }
        }
        try await until { server.closedByClientCount == 1 }
    }

    @Test("Cancelling the reading task closes the transfer")
    func cancelling() async throws {
        let server = try TestHTTPServer { _ in
            .raw("HTTP/1.1 200 OK\r\n\r\n", then: .waitForClose)
        }
        let task = Task {
            let response = try await client.stream(HTTPRequest(.get, server.url, timeout: nil))
            for try await _ in response.chunks {}
        }
        try await until { server.requests.count == 1 }
        task.cancel()
        _ = await task.result
        try await until { server.closedByClientCount == 1 }
    }

    @Test("A stream that breaks ends with an error after its bytes")
    func breaking() async throws {
        let server = try TestHTTPServer { _ in
            .raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", then: .close)
        }
        let response = try await client.stream(HTTPRequest(.get, server.url))
        var received: [UInt8] = []
        await #expect(throws: HTTPClientError.self) {
            for try await chunk in response.chunks { received += chunk }
        }
        #expect(received == Array("abc".utf8))
    }

    @Test("A silent stream ends after its idle time")
    func idle() async throws {
        let server = try TestHTTPServer { _ in
            .raw("HTTP/1.1 200 OK\r\n\r\n", then: .waitForClose)
        }
        var request = HTTPRequest(.get, server.url, timeout: nil)
        request.idleTimeout = .seconds(1)
        let response = try await client.stream(request)
        await #expect(throws: HTTPClientError.timedOut(host: "127.0.0.1:\(server.port)")) {
            for try await _ in response.chunks {}
        }
    }

    @Test("A download goes to a new file")
    func download() async throws {
        let path = temporaryPath()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let server = try TestHTTPServer { _ in .answer(200, "content") }
        let request = HTTPRequest(.get, server.url)
        let response = try await client.download(request, to: path, sizeMax: 7)
        #expect(response.status == 200 && response.body.isEmpty)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "content")
        await #expect(throws: HTTPClientError.self, "the file is there already") {
            try await client.download(request, to: path, sizeMax: 7)
        }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "content")
    }

    @Test("An empty download makes an empty file")
    func emptyDownload() async throws {
        let path = temporaryPath()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let server = try TestHTTPServer { _ in .answer(200) }
        _ = try await client.download(HTTPRequest(.get, server.url), to: path, sizeMax: 1)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)).isEmpty)
    }

    @Test("A download that fails leaves no file")
    func failedDownload() async throws {
        let replies: [Reply] = [
            .answer(200, "too long"), .answer(404, "absent"),
            .raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", then: .close),
        ]
        for reply in replies {
            let path = temporaryPath()
            let server = try TestHTTPServer { _ in reply }
            let request = HTTPRequest(.get, server.url)
            let response = try? await client.download(request, to: path, sizeMax: 7)
            if let response { #expect(response.status == 404 && response.bodyText == "absent") }
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }
}
