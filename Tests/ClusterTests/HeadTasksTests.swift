import Foundation
import HTTPClient
import Jobs
import Testing

@testable import Cluster

/// Tasks, retries and reasons over HTTP.
@Suite struct HeadTasksTests {
    /// A job whose driver runs and has asked for tasks; each input is one byte.
    private func job(
        _ id: String, on head: RunningHead, tasks: [(name: String, input: UInt8)]
    ) async throws -> (hand: JobHand, driver: Lease) {
        let hand = try await JobHand(head.store, id)
        let driver = try await hand.claim()
        _ = try await head.store.enqueue(
            tasks.map { task in
                NewTask(
                    id: .task(
                        of: hand.id, name: task.name,
                        inputDigest: String(repeating: String(task.input), count: 64),
                        occurrence: 0),
                    job: hand.id, kind: .task, name: task.name, input: .inline([task.input]),
                    resources: Resources(),
                    retry: RetryPolicy(
                        attemptsMax: 2, retriesErrors: true, retriesCrashes: true,
                        delayInMilliseconds: 0))
            }, under: driver)
        return (hand, driver)
    }

    private func fail(_ hand: JobHand, _ lines: [String]) async throws {
        for _ in 0..<2 {
            let lease = try await hand.claim()
            _ = try await hand.store.finish([
                AttemptEnding(
                    lease: lease, outcome: .crashed(message: "x", exitCode: nil, signal: 9),
                    lastLines: lines)
            ])
        }
    }

    @Test("A dead task is listed with every attempt's cause and last lines, and tried again")
    func dead() async throws {
        let head = try await RunningHead.start()
        let client = head.client()
        let (hand, driver) = try await job("j", on: head, tasks: [("score", 1), ("late", 2)])
        #expect(try await client.deadTasks(of: "j").isEmpty)
        try await fail(hand, ["one", "two"])
        let dead = try #require(try await client.deadTasks(of: "j").first)
        #expect(dead.name == "score" && dead.state == "failed" && dead.shortID == "score/11111111")
        #expect(dead.attempts.map(\.cause) == ["signal 9 (SIGKILL)", "signal 9 (SIGKILL)"])
        #expect(dead.attempts.map(\.lastLines) == [["one", "two"], ["one", "two"]])
        #expect(dead.attempts.map(\.worker) == ["worker-1", "worker-1"])
        #expect(dead.cause == "signal 9 (SIGKILL)" && dead.attempt == 2 && dead.attemptsMax == 2)
        let all = try await client.tasks(of: "j")
        #expect(all.map(\.state) == ["running", "failed", "waiting"])
        #expect(all[1].attempts.allSatisfy { $0.lastLines == nil })
        #expect(try await client.why("j").next.first == "job tasks j --dead")
        let again = try await client.retry(task: dead.shortID, of: "j")
        #expect(again.state == "waiting" && again.attempt == 0 && again.attempts.count == 2)
        #expect(try await client.deadTasks(of: "j").isEmpty)
        _ = driver
        await head.stop()
    }

    @Test("One task is stopped; by its short name, its whole id, or not at all")
    func stop() async throws {
        let head = try await RunningHead.start()
        let client = head.client()
        let (hand, _) = try await job(
            "j", on: head, tasks: [("a/b c", 1), ("a/b c", 2), ("score", 3)])
        let named = HeadClient(address: head.url, token: RunningHead.token, user: "ada@laptop")
        let lease = try await hand.claim()
        #expect(try await client.stop(task: "a/b c/1111", of: "j").state == "stopping")
        #expect(try await head.store.heartbeat(hand.record, leases: [lease]).cancelled == [lease])
        let waiting = try #require(try await client.tasks(of: "j").last)
        let stopped = try await named.stop(task: waiting.id, of: "j")
        #expect(stopped.state == "cancelled" && stopped.cause == "cancelled by ada@laptop")
        for (name, status) in [
            ("a/b c", 404), ("a/b c/111", 404), ("none/1111", 404), ("a/b c/1111/1", 404),
            ("../j", 404), ("", 404), ("score/3333/0", 200),
        ] {
            let path = "/api/jobs/j/tasks/\(client.path(name))/stop"
            #expect(try await head.post(path).status == status, "\(name)")
        }
        let missing = try await head.post("/api/jobs/j/tasks/none/stop")
        #expect(missing.bodyText == "Job j has no task none. `job tasks j` lists its tasks")
        let odd = try await head.get("/api/jobs/j/tasks?state=odd")
        #expect(odd.status == 400 && odd.bodyText.contains("'odd'"))
        await head.stop()
    }

    @Test("A reference that may be several tasks names them")
    func ambiguous() async throws {
        let head = try await RunningHead.start()
        let hand = try await JobHand(head.store, "j")
        let driver = try await hand.claim()
        _ = try await head.store.enqueue(
            ["ab", "ac"].map { end in
                NewTask(
                    id: TaskID(rawValue: "j/t/12345678\(end)/0"), job: hand.id, kind: .task,
                    name: "t", input: .inline([]), resources: Resources(), retry: .task)
            }, under: driver)
        let failure = await #expect(throws: HeadFailure.self) {
            try await head.client().retry(task: "t/12345678", of: "j")
        }
        #expect(failure?.status == 409 && failure?.code == "ambiguous")
        let task = try await head.client().stop(task: "t/12345678ab", of: "j")
        #expect(task.id == "j/t/12345678ab/0")
        _ = try await head.store.enqueue(
            [
                NewTask(
                    id: TaskID(rawValue: "j/j/87654321/0"), job: hand.id, kind: .task, name: "j",
                    input: .inline([]), resources: Resources(), retry: .task)
            ], under: driver)
        for name in ["j/87654321", "j/8765", "j/87654321/0", "j/j/87654321/0"] {
            let named = try await head.client().stop(task: name, of: "j")
            #expect(named.id == "j/j/87654321/0", "\(name)")
        }
        #expect(TaskID(rawValue: "j/t/12345678ab/2").shortForm == "t/12345678/2")
        #expect(TaskID.driver(of: hand.id).shortForm == "driver")
        await head.stop()
    }

    @Test("A job that failed begins anew; one that runs stays; one that succeeded is refused")
    func retry() async throws {
        let head = try await RunningHead.start()
        let client = head.client()
        let hand = try await JobHand(head.store, "j")
        #expect(try await client.retry("j").retried == false)
        try await hand.end(try await hand.claim(), .failed(message: "no"))
        let failed = try await client.why("j")
        #expect(failed.line == "no" && failed.next == ["job logs j", "job retry j"])
        let reply = try await client.retry("j")
        #expect(reply.retried && reply.life == 2)
        let details = try await client.job("j")
        #expect(details.status == .pending && details.manta.life == 2)
        try await hand.end(try await hand.claim(), .succeeded(.inline([])))
        let refusal = await #expect(throws: HeadFailure.self) { try await client.retry("j") }
        #expect(refusal?.status == 409 && refusal?.detail.contains("succeeded") == true)
        for path in ["retry", "tasks/driver/retry", "tasks/driver/stop"] {
            #expect(try await head.post("/api/jobs/none/\(path)").status == 404, "\(path)")
        }
        #expect(try await head.get("/api/jobs/none/why").status == 404)
        await head.stop()
    }

    @Test("A job's own token reads its reasons and changes nothing but its end")
    func access() async throws {
        let head = try await RunningHead.start()
        _ = try await job("j", on: head, tasks: [("t", 1)])
        let token = JobToken.make(for: try JobID("j"), secret: RunningHead.token)
        for path in ["why", "tasks?state=dead"] {
            #expect(try await head.send(.get, "/api/jobs/j/\(path)", token: token).status == 200)
        }
        for path in ["retry", "tasks/driver/stop", "tasks/t%2F1111/retry"] {
            let reply = try await head.send(.post, "/api/jobs/j/\(path)", token: token, body: [])
            #expect(reply.status == 403, "\(path)")
        }
        #expect(try await head.send(.get, "/api/schedules", token: token).status == 403)
        #expect(try await head.send(.get, "/api/cluster/load", token: token).status == 403)
        await head.stop()
    }

    @Test("The load stands beside the workers")
    func load() async throws {
        let head = try await RunningHead.start()
        let (hand, _) = try await job("j", on: head, tasks: [("t", 1), ("t", 2)])
        _ = try await head.store.heartbeat(hand.record, leases: [])
        let details = try await head.client().clusterLoad()
        #expect(details.workers.map(\.name) == ["worker-1"])
        let load = try #require(details.load)
        #expect(load.runningJobs == 1 && load.leases == 1)
        #expect(
            load.pools == [.init(name: "default", waitingDrivers: 0, waitingTasks: 2)])
        #expect(try await head.client().cluster().load == nil)
        await head.stop()
    }
}

extension JobHand {
    /// The worker as it lists itself.
    var record: WorkerRecord {
        WorkerRecord(
            id: worker, name: "worker-1", host: "here", pid: 1, total: Resources(),
            free: Resources(), labels: [], version: "1", runningTasks: 0)
    }
}
