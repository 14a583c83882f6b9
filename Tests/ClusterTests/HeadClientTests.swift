import Foundation
import HTTPClient
import Jobs
import TestSupport
import Testing

@testable import Cluster

@Suite struct HeadClientTests {
    @Test("A follower sees every line once, in order, over three heads on one port")
    func headKilled() async throws {
        let store = StoreDouble()
        let hand = try await JobHand(store, "survivor")
        let lease = try await hand.claim()
        var head = try await RunningHead.start(store: store)
        let port = head.port
        let client = head.client()
        let following = Task {
            var lines: [String] = []
            var phases: [String] = []
            var ends = 0
            for try await event in client.events(of: "survivor", follows: true) {
                switch event {
                case .log(let line, _): lines.append(line.text)
                case .phase(let phase, _): phases.append(phase)
                case .end: ends += 1
                case .alive, .dropped: break
                }
            }
            return (lines, phases, ends)
        }
        let writing = Task {
            for number in 0..<150 {
                try await hand.log((0..<20).map { "\(number * 20 + $0)" })
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        for _ in 0..<2 {
            try await Task.sleep(for: .milliseconds(400))
            await head.stop()
            try await Task.sleep(for: .milliseconds(100))
            head = try await RunningHead.start(port: port, store: store)
        }
        try await writing.value
        try await hand.end(lease, .succeeded(.inline([])))
        let (lines, phases, ends) = try await following.value
        #expect(lines == (0..<3_000).map(String.init))
        #expect(ends == 1)
        // A phase that did not change is not told again by each head.
        #expect(phases == ["running", "succeeded"])
        await head.stop()
    }

    @Test("A lost head is asked again only for so long")
    func patience() async throws {
        let store = StoreDouble()
        _ = try await JobHand(store, "orphan")
        let head = try await RunningHead.start(store: store)
        let client = head.client()
        let started = ContinuousClock.now
        let following = Task {
            for try await _ in client.events(
                of: "orphan", follows: true, patience: .milliseconds(700))
            {}
        }
        try await Task.sleep(for: .milliseconds(200))
        await head.stop()
        await #expect(throws: HTTPClientError.self) { try await following.value }
        #expect(ContinuousClock.now - started < .seconds(15))
    }

    @Test("A job that does not exist ends the wait at once")
    func unknown() async throws {
        let head = try await RunningHead.start()
        await #expect(throws: HeadFailure(404, "not_found", "Job none does not exist")) {
            for try await _ in head.client().events(of: "none", follows: true) {}
        }
        await #expect(throws: HeadFailure.self) { try await head.client().ended("none") }
        await head.stop()
    }

    @Test("The end is waited for, a deadline kept, a lost head forgiven")
    func ended() async throws {
        let store = StoreDouble()
        let hand = try await JobHand(store, "waited")
        var head = try await RunningHead.start(store: store)
        let (port, client) = (head.port, head.client())
        #expect(try await client.ended("waited", by: .now + .milliseconds(300)) == nil)
        let waiting = Task { try await client.ended("waited") }
        await head.stop()
        try await Task.sleep(for: .milliseconds(300))
        head = try await RunningHead.start(port: port, store: store)
        try await hand.end(try await hand.claim(), .failed(message: "as planned"))
        #expect(try await waiting.value?.status == .failed)
        await head.stop()
    }

    @Test("Without or with a wrong token the words say what to do")
    func tokens() async throws {
        let head = try await RunningHead.start()
        for token in [nil, "wrong"] {
            let failure = await #expect(throws: HeadFailure.self) {
                try await head.client(token: token).jobs()
            }
            #expect(failure?.status == 401 && failure?.detail.contains("manta env") == true)
            // A HEAD request's answer has no words of its own.
            let upload = await #expect(throws: HeadFailure.self) {
                try await head.client(token: token).upload([1])
            }
            #expect(upload?.status == 401 && upload?.detail.contains("token") == true)
        }
        await head.stop()
    }

    @Test("What is no head is said to be none")
    func noHead() async throws {
        let server = try TestHTTPServer { _ in .answer(200, "<html>hello</html>") }
        let client = HeadClient(address: server.url + "/", token: nil)
        let failure = await #expect(throws: HeadFailure.self) { try await client.jobs() }
        #expect(failure?.detail.contains("is it a head?") == true)
        let stream = TestHTTPServer.Reply.answer(200, "{\"surprise\":{}}\n")
        let future = try TestHTTPServer { _ in stream }
        let newer = HeadClient(address: future.url, token: nil)
        await #expect(throws: UnreadableEvent.self) {
            for try await _ in newer.events(of: "x", follows: true) {}
        }
        server.stop()
        future.stop()
    }

    @Test("Nothing from a command line gets into the path of a request")
    func paths() async throws {
        let server = try TestHTTPServer { _ in .json("{}", status: 404) }
        let client = HeadClient(address: server.url, token: nil)
        for id in ["a/../../x", "a?b", "a#b", "ä", "a b", "%2e", "a\r\nX: y"] {
            await #expect(throws: HeadFailure.self) { try await client.job(id) }
        }
        for target in server.requests.map(\.target) {
            #expect(
                target.dropFirst("/api/jobs/".count).allSatisfy {
                    $0.isASCII && ($0.isLetter || $0.isNumber || "%-_.".contains($0))
                })
        }
        #expect(server.requests.count == 7)
        server.stop()
    }
}
