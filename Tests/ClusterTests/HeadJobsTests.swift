import Foundation
import HTTPClient
import Jobs
import TestSupport
import Testing

@testable import Cluster

@Suite struct HeadJobsTests {
    @Test("The same id with the same body is one job; with another body it is a conflict")
    func idempotency() async throws {
        let head = try await RunningHead.start()
        let body = #"{"entrypoint": "true", "submission_id": "once"}"#
        for _ in 0..<3 {
            let reply = try await head.post("/api/jobs/", body)
            #expect(reply.status == 200)
            #expect(reply.bodyText == #"{"job_id":"once","submission_id":"once"}"#)
        }
        let other = try await head.post(
            "/api/jobs/", #"{"entrypoint": "false", "submission_id": "once"}"#)
        #expect(other.status == 409 && other.bodyText.contains("already exists"))
        #expect(try await head.client().jobs().map(\.submissionID) == ["once"])
        await head.stop()
    }

    @Test("Jobs are listed, newest first, and found by id")
    func listing() async throws {
        let head = try await RunningHead.start()
        for number in 1...3 { _ = try await JobHand(head.store, "job-\(number)") }
        let client = head.client()
        #expect(try await client.jobs().map(\.submissionID) == ["job-3", "job-2", "job-1"])
        let job = try await client.job("job-2")
        #expect(job.status == .pending && job.manta.detail == "no worker is alive")
        #expect(try await client.tasks(of: "job-2").map(\.kind) == ["driver"])
        #expect(try await client.cluster().version == "1.2.3")
        await head.stop()
    }

    @Test("What does not exist is 404: text for Ray's clients, JSON for ours")
    func missing() async throws {
        let head = try await RunningHead.start()
        for path in ["", "/logs", "/events", "/tasks", "/result"] {
            let reply = try await head.get("/api/jobs/nobody\(path)")
            #expect(reply.status == 404 && reply.bodyText == "Job nobody does not exist")
            #expect(reply.headers["Content-Type"]?.hasPrefix("text/plain") == true)
        }
        #expect(try await head.post("/api/jobs/nobody/stop").status == 404)
        let json = try await head.get("/api/jobs/nobody", json: true)
        let failure = try JSONDecoder().decode(HeadFailure.self, from: Data(json.body))
        #expect(failure == HeadFailure(404, "not_found", "Job nobody does not exist"))
        let route = try await head.get("/no/such/route", json: true)
        #expect(route.status == 404 && route.bodyText.contains("not_found"))
        for id in ["..", ".", "%2e%2e", "a%20b", "..%2fa", String(repeating: "x", count: 300)] {
            let request =
                "GET /api/jobs/\(id) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                + "Authorization: Bearer \(RunningHead.token)\r\n\r\n"
            let reply = try await RawExchange.send([request], port: head.port)
            #expect(reply.hasPrefix("HTTP/1.1 404"), "\(id)")
        }
        await #expect(throws: HeadFailure.self) { try await head.client().job("ä/../b") }
        await head.stop()
    }

    @Test("A body that is too large, or no JSON, is refused")
    func bodies() async throws {
        let head = try await RunningHead.start()
        let large = #"{"entrypoint": "\#(String(repeating: "x", count: 1 << 20))"}"#
        let reply = try await head.post("/api/jobs/", large)
        #expect(reply.status == 413 && reply.bodyText.contains("more than"))
        #expect(try await head.post("/api/jobs/", "nonsense").status == 400)
        #expect(try await head.post("/api/jobs/").status == 400)
        let script =
            #"{"entrypoint": "x", "manta_script": {"file_name": "a.swift", "digest": ""#
            + String(repeating: "0", count: 64) + #"", "arguments": []}}"#
        #expect(try await head.post("/api/jobs/", script).status == 404)
        #expect(try await head.client().jobs().isEmpty)
        await head.stop()
    }

    @Test("A stop says whether there was something to stop")
    func stop() async throws {
        let head = try await RunningHead.start()
        let hand = try await JobHand(head.store, "victim")
        #expect(try await head.post("/api/jobs/victim/stop").bodyText == #"{"stopped":true}"#)
        #expect(try await head.client().job("victim").status == .stopped)
        #expect(try await head.post("/api/jobs/victim/stop").bodyText == #"{"stopped":false}"#)
        _ = hand
        await head.stop()
    }

    @Test("A stop keeps who asked for it; a client that says no name is a user")
    func stopper() async throws {
        let head = try await RunningHead.start()
        for (id, user, whom) in [
            ("named", "ada@laptop", "ada@laptop"), ("unnamed", nil, "a user"),
            ("odd", "ada; rm -rf", "a user"), ("foreign", "größe@日本", "größe@日本"),
        ] {
            let hand = try await JobHand(head.store, id)
            let client = HeadClient(address: head.url, token: RunningHead.token, user: user)
            #expect(try await client.stop(id))
            #expect(try await client.why(id).line == "stopped by \(whom)")
            _ = hand
        }
        // Ray's clients send no body at all.
        let hand = try await JobHand(head.store, "ray")
        #expect(try await head.send(.post, "/api/jobs/ray/stop").status == 200)
        #expect(try await head.client().why("ray").line == "stopped by a user")
        _ = hand
        await head.stop()
    }

    @Test("A name that could say more than who it is, or is too long, stops nothing")
    func badStopper() async throws {
        let head = try await RunningHead.start()
        let hand = try await JobHand(head.store, "j")
        let names = [
            "", "job a, which failed", "a\u{1B}[2J", "a\n", "a\u{202E}b",
            String(repeating: "x", count: 129),
        ]
        for name in names {
            let body = try JSONEncoder().encode(StopRequest(by: name))
            let reply = try await head.post(
                "/api/jobs/j/stop", String(decoding: body, as: UTF8.self))
            #expect(reply.status == 400 && reply.bodyText.hasPrefix("by must be"), "\(name)")
        }
        for body in ["{", "[]", #"{"by": 7}"#] {
            #expect(try await head.post("/api/jobs/j/stop", body).status == 400, "\(body)")
        }
        let path = "/api/jobs/j/tasks/driver/stop"
        #expect(try await head.post(path, #"{"by": "a b"}"#).status == 400)
        #expect(try await head.store.job(hand.id)?.state == .active(.queued))
        await head.stop()
    }

    @Test(
        "A result is there when the job succeeded, inline or as a blob, and null when it said none")
    func results() async throws {
        let head = try await RunningHead.start()
        let none = try await JobHand(head.store, "none")
        #expect(try await head.get("/api/jobs/none/result").status == 409)
        try await none.end(try await none.claim(), .succeeded(.inline([])))
        #expect(try await head.get("/api/jobs/none/result").bodyText == "null")
        let inline = try await JobHand(head.store, "inline")
        try await inline.end(
            try await inline.claim(), .succeeded(.inline(Array(#"{"a": 1}"#.utf8))))
        #expect(try await head.client().result(of: "inline") == Array(#"{"a": 1}"#.utf8))
        let large = try await JobHand(head.store, "large")
        let digest = try await head.blobs.put(Array("[1]".utf8))
        try await large.end(
            try await large.claim(), .succeeded(.blob(digest: digest, sizeInBytes: 3)))
        #expect(try await head.get("/api/jobs/large/result").bodyText == "[1]")
        let failed = try await JobHand(head.store, "failed")
        try await failed.end(try await failed.claim(), .failed(message: "no"))
        #expect(try await head.get("/api/jobs/failed/result").bodyText.contains("is failed"))
        await head.stop()
    }

    @Test("Logs are one text, over any number of pages")
    func logs() async throws {
        let head = try await RunningHead.start()
        let hand = try await JobHand(head.store, "chatty")
        try await hand.log((0..<4_500).map { "line \($0)" })
        try await head.store.appendLogs(
            [
                LogLine(
                    stream: .out, prefix: "(t pid=1, node=w) ", text: "no feed",
                    endsWithLineFeed: false, time: 0)
            ], to: hand.id)
        let reply = try await head.get("/api/jobs/chatty/logs")
        let body = try JSONDecoder().decode([String: String].self, from: Data(reply.body))
        let expected = (0..<4_500).map { "line \($0)\n" }.joined() + "(t pid=1, node=w) no feed"
        #expect(body["logs"] == expected)
        await head.stop()
    }

    @Test("A store that is away is 503 with a time to come back; a full one too")
    func storeAway() async throws {
        let head = try await RunningHead.start()
        head.store.fail(.submit, JobStoreError.unavailable("gone"), JobStoreError.full("1 job"))
        let body = #"{"entrypoint": "true"}"#
        let away = try await head.post("/api/jobs/", body)
        #expect(away.status == 503 && away.headers["Retry-After"] == "1")
        #expect(try await head.post("/api/jobs/", body).status == 503)
        head.store.fail(.submit, JobStoreError.corrupt("x"), NeverHappened(what: "secret"))
        #expect(try await head.post("/api/jobs/", body).status == 500)
        let internalError = try await head.post("/api/jobs/", body)
        #expect(internalError.status == 500 && !internalError.bodyText.contains("secret"))
        #expect(try await head.post("/api/jobs/", body).status == 200)
        await head.stop()
    }

    @Test("Ray's clients find the version they look for, and metrics are there")
    func version() async throws {
        let head = try await RunningHead.start()
        for path in ["/api/version", "/api/ray/version"] {
            let reply = try await head.get(path)
            #expect(reply.bodyText.contains(#""ray_version":"2.60.0""#))
        }
        #expect(try await head.get("/metrics").status == 200)
        await head.stop()
    }
}
