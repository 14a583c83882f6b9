import Foundation
import TestSupport
import Testing

/// Cases 3, 12, 13 and 14 of docs/RELIABILITY.md: the lines between the parts are cut, stand still
/// or carry one way only.
@Suite(.serialized) struct NetworkFaultTests {
    @Test("A worker cut off from the store loses its leases, and half of nothing is committed")
    func partition() async throws {
        let cluster = try await TestCluster.start(workers: 1)
        let wire = try FaultyWire(to: cluster.redis.port)
        try await cluster.submitPython("cut", "map", "gate", "2")
        try await cluster.waitForArrivals(1, of: "cut")
        try cluster.startWorker(2, variables: ["MANTA_STORE": wire.url])
        let arrivals = try await cluster.waitForArrivals(2, of: "cut")
        #expect(arrivals[1].worker == "worker-2")
        wire.set(.cut)
        let start = ContinuousClock.now
        try cluster.startWorker(3)
        try await cluster.waitForArrivals(3, of: "cut")
        Measured.note(12, "the task runs on another worker", ContinuousClock.now - start)
        try cluster.openGate(of: "cut")
        let job = try await cluster.end(of: "cut")
        #expect(job.status == "SUCCEEDED" && job.manta.tasksRetried == 1)
        wire.set(.whole)
        try await Measured.time(12, "back, it hears what it lost") {
            try await eventually("it says so") {
                cluster.log(of: "worker-2").contains("lost lease")
            }
        }
        #expect(try await cluster.job("cut").manta.tasksSucceeded == 2)
        let log = try await cluster.log(ofJob: "cut")
        #expect(log.filter { $0 == "answers 0 1" }.count == 1)
        try await cluster.waitForWorkers(3)
        wire.close()
        await cluster.stop()
    }

    /// The answer to a claim that carried the ending is lost, so the worker tells it once more.
    @Test("An ending that is told twice counts once, and is counted")
    func duplicate() async throws {
        let cluster = try await TestCluster.start(workers: 0)
        let wire = try FaultyWire(to: cluster.redis.port)
        // Too small for tasks, so that it has the driver only.
        try cluster.startWorker(1, cpus: 0.001)
        let name = "manta_duplicate_commits_total"
        var rounds = 0
        while try await cluster.metric(name) ?? 0 < 1 {
            // An idle claim may have been on its way when the line went mute: then nothing was
            // told twice.
            try #require(rounds < 5, "no ending was told twice in \(rounds) rounds")
            rounds += 1
            let id = "twice-\(rounds)"
            try await cluster.submitPython(id, "map", "gate", "1")
            try await eventually("the driver runs") {
                try await cluster.job(id).manta.tasksTotal == 1
            }
            if rounds == 1 { try cluster.startWorker(2, variables: ["MANTA_STORE": wire.url]) }
            try await cluster.waitForArrivals(1, of: id)
            wire.set(.mute)
            try cluster.openGate(of: id)
            // As long as a claim waits for its answer; the lease is as long.
            try await Task.sleep(for: .seconds(3))
            wire.turn(to: cluster.redis.port)
            wire.set(.whole)
            let job = try await cluster.end(of: id)
            #expect(job.status == "SUCCEEDED" && job.manta.tasksSucceeded == 1)
            #expect(try await cluster.log(ofJob: id).filter { $0 == "answers 0" }.count == 1)
            try await Task.sleep(for: .seconds(2))
        }
        wire.close()
        await cluster.stop()
    }

    @Test("A store that takes connections and never answers costs seconds a call, and no thread")
    func halfOpen() async throws {
        let cluster = try await TestCluster.start(workers: 0)
        let wire = try FaultyWire(to: cluster.redis.port)
        await cluster.stopRole("head")
        try cluster.startRole(
            "head", ["head", "--port", String(cluster.headPort)], ["MANTA_STORE": wire.url])
        try await eventually("the head answers") {
            (try? await HeadProbe(cluster).get("/api/jobs/").status) == 200
        }
        wire.set(.stalled)
        let start = ContinuousClock.now
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<50 {
                group.addTask { try await HeadProbe(cluster).get("/api/jobs/").status }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let waited = ContinuousClock.now - start
        Measured.note(13, "fifty calls are refused", waited)
        #expect(statuses.allSatisfy { $0 == 503 } && statuses.count == 50)
        // Five seconds for the answer, five for the patience with a connection.
        #expect(waited < .seconds(15))
        #expect(
            try await HeadProbe.status("http://127.0.0.1:\(cluster.headPort)/livez") == 200)
        wire.set(.whole)
        try await Measured.time(13, "and answered again once the store is") {
            try await eventually("it answers", within: .seconds(10)) {
                try await HeadProbe(cluster).get("/api/jobs/").status == 200
            }
        }
        wire.close()
        await cluster.stop()
    }

    @Test("A client that dies before it hears of its job finds that one job when it asks again")
    func deadClient() async throws {
        let cluster = try await TestCluster.start(workers: 1)
        let wire = try FaultyWire(to: cluster.headPort)
        wire.set(.mute)
        let submit = [
            "job", "submit", "--no-wait", "--submission-id", "once", "--", "echo ran; sleep 1",
        ]
        try cluster.startRole(
            "client", submit, ["MANTA_ADDRESS": "http://127.0.0.1:\(wire.port)"])
        try await eventually("the job is accepted") {
            try await HeadProbe(cluster).get("/api/jobs/once").status == 200
        }
        try await cluster.kill("client")
        try await Measured.time(14, "the same job is found") {
            let again = try await cluster.manta(submit)
            #expect(again.exit == .code(0), "\(again.err)")
        }
        #expect(try await cluster.end(of: "once").status == "SUCCEEDED")
        #expect(try await cluster.log(ofJob: "once") == ["ran"])
        let list = try await cluster.manta(["job", "list", "--json"]).out
        #expect(list.components(separatedBy: "\"submission_id\"").count == 2)
        wire.close()
        await cluster.stop()
    }
}
