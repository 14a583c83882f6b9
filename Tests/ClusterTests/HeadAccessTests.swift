import Foundation
import HTTPClient
import Jobs
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Cluster

/// Who may ask the head for what.
@Suite struct HeadAccessTests {
    @Test("Without the cluster's token nothing is answered but probes")
    func tokens() async throws {
        let head = try await RunningHead.start()
        for path in ["/api/jobs/", "/api/cluster", "/api/version", "/metrics", "/", "/nothing"] {
            #expect(try await head.send(.get, path, token: nil).status == 401, "\(path)")
            #expect(try await head.send(.get, path, token: "wrong").status == 401, "\(path)")
        }
        for path in ["/livez", "/readyz", "/health", "/-/healthz"] {
            #expect(try await head.send(.get, path, token: nil).status == 200, "\(path)")
        }
        let refused = try await head.send(.get, "/api/jobs/", token: nil)
        #expect(refused.headers["WWW-Authenticate"] == "Bearer")
        #expect(refused.bodyText.contains("manta env"))
        for scheme in ["Basic \(RunningHead.token)", RunningHead.token, "Bearer", "Bearer "] {
            let reply = try await head.send(
                .get, "/api/jobs/", headers: ["Authorization": scheme], token: nil)
            #expect(reply.status == 401, "\(scheme)")
        }
        await head.stop()
    }

    @Test("The token is taken from both headers, the scheme in any case")
    func headers() async throws {
        let head = try await RunningHead.start()
        for (name, value) in [
            ("Authorization", "Bearer cluster-token"), ("Authorization", "bearer cluster-token"),
            ("X-Ray-Authorization", "Bearer cluster-token"),
        ] {
            let reply = try await head.send(.get, "/api/jobs/", headers: [name: value], token: nil)
            #expect(reply.status == 200, "\(name): \(value)")
        }
        await head.stop()
    }

    @Test("Requests of web pages are refused, also with the token")
    func pages() async throws {
        let head = try await RunningHead.start()
        for (name, value) in [
            ("Origin", "https://evil.example"), ("Origin", "null"), ("Origin", head.url),
            ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-site"),
        ] {
            let reply = try await head.send(
                .post, "/api/jobs/", headers: [name: value],
                body: Array(#"{"entrypoint": "true"}"#.utf8))
            #expect(reply.status == 403, "\(name): \(value)")
        }
        #expect(try await head.store.jobs(limit: 10).isEmpty)
        let typed = try await head.send(.get, "/api/jobs/", headers: ["Sec-Fetch-Site": "none"])
        #expect(typed.status == 200)
        await head.stop()
    }

    @Test("A job's token opens that job and nothing else")
    func jobToken() async throws {
        let head = try await RunningHead.start()
        _ = try await JobHand(head.store, "mine.1")
        _ = try await JobHand(head.store, "mine.12")
        let token = JobToken.make(for: try JobID("mine.1"), secret: RunningHead.token)
        func status(
            _ method: HTTPRequest.Method, _ path: String, _ body: [UInt8]? = nil
        ) async throws -> Int {
            try await head.send(method, path, token: token, body: body).status
        }
        for path in [
            "/api/jobs/mine.1", "/api/jobs/mine.1/logs", "/api/jobs/mine.1/tasks", "/api/cluster",
            "/api/version", "/api/jobs/mine.1/events?follow=0",
        ] { #expect(try await status(.get, path) == 200, "\(path)") }
        for path in [
            "/api/jobs/", "/api/jobs/mine.12", "/api/jobs/mine.12/logs", "/metrics",
            "/api/jobs/mine.1/../mine.12", "/api/jobs/mine",
        ] { #expect(try await status(.get, path) == 403, "\(path)") }
        let body = Array(#"{"entrypoint": "true"}"#.utf8)
        #expect(try await status(.post, "/api/jobs/", body) == 403)
        #expect(try await status(.post, "/api/jobs/mine.12/stop", []) == 403)
        let digest = String(repeating: "a", count: 64)
        #expect(try await status(.put, "/api/blobs/\(digest)", [1]) == 403)
        #expect(try await status(.post, "/api/jobs/mine.1/stop", []) == 200)
        let words = try await head.send(.get, "/api/jobs/", token: token).bodyText
        #expect(words.contains("job mine.1's"))
        await head.stop()
    }

    @Test("A refusal of HEAD has no body, so that the next answer is not mistaken")
    func headMethod() async throws {
        let head = try await RunningHead.start()
        let digest = String(repeating: "a", count: 64)
        let text = try await RawExchange.send(
            [
                "HEAD /api/blobs/\(digest) HTTP/1.1\r\nHost: a\r\n\r\n",
                "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            ], port: head.port)
        let answers = text.components(separatedBy: "HTTP/1.1 ").dropFirst()
        #expect(answers.count == 2)
        #expect(answers.first?.hasPrefix("401") == true && answers.last?.hasPrefix("200") == true)
        #expect(!text.contains("needs a token"))
        await head.stop()
    }

    @Test("Whoever guesses tokens is told to wait, and the log says so once a second")
    func guessing() {
        let meter = RefusalMeter()
        let lines = Lines()
        let logger = Logger(label: "test") { _ in lines }
        let answers = (0..<150).map { _ in meter.count("/api/jobs/", "test", logger: logger) }
        #expect(answers == (0..<150).map { $0 >= RefusalMeter.refusalsMax })
        #expect(lines.count.value.withLock { $0 } == 1)
    }

    @Test("Guesses of others do not keep those out who have the token")
    func crowded() async throws {
        let head = try await RunningHead.start()
        try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<300 {
                group.addTask {
                    try await head.send(.get, "/api/jobs/", token: "guess\(number)").status
                }
            }
            for try await status in group { #expect(status == 401 || status == 429) }
        }
        #expect(try await head.get("/api/jobs/").status == 200)
        #expect(try await head.send(.get, "/readyz", token: nil).status == 200)
        await head.stop()
    }

    /// Counts log lines.
    private struct Lines: LogHandler {
        let count = Counter()
        var metadata = Logger.Metadata()
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { count.value.withLock { $0 += 1 } }
    }

    private final class Counter: Sendable {
        let value = Mutex(0)
    }

    @Test("The port of another process is an error with words")
    func portTaken() async throws {
        let head = try await RunningHead.start()
        let error = await #expect(throws: HeadConfigurationError.self) {
            _ = try await RunningHead.start(port: head.port)
        }
        let text = try #require(error).description
        #expect(text.contains("127.0.0.1:\(head.port)") && text.contains("in use"), "\(text)")
        await head.stop()
    }

    @Test("A head without a token is not made")
    func noToken() {
        #expect(throws: HeadConfigurationError.self) {
            try HeadConfiguration(token: "", version: "1")
        }
    }
}
