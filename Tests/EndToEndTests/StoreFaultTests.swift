import Foundation
import Processes
import TestSupport
import Testing

/// Cases 7, 8, 9 and 11 of docs/RELIABILITY.md: Redis dies, forgets, is away, is full.
@Suite(.serialized) struct StoreFaultTests {
    @Test("With AOF always a kill -9 of Redis loses nothing acknowledged, and jobs go on")
    func always() async throws {
        let redis = try await RedisServer.start(["--appendonly", "yes", "--appendfsync", "always"])
        let cluster = try await TestCluster.start(workers: 2, cpus: 2, redis: redis)
        try await cluster.submitPython("always", "map", "gate", "4")
        try await cluster.waitForArrivals(4, of: "always")
        // Accepted, and never to start: no worker is so large.
        let early = try await cluster.manta([
            "job", "submit", "--no-wait", "--submission-id", "early", "--entrypoint-num-cpus", "64",
            "--", "true",
        ])
        #expect(early.exit == .code(0))
        await redis.kill()
        try await Task.sleep(for: .seconds(1))
        let start = ContinuousClock.now
        try await redis.restart()
        try await eventually("the head answers") { try await isReady(cluster) }
        Measured.note(7, "the head answers after the restart", ContinuousClock.now - start)
        try cluster.openGate(of: "always")
        let job = try await cluster.end(of: "always")
        Measured.note(7, "four tasks that ran meanwhile are committed", ContinuousClock.now - start)
        #expect(job.status == "SUCCEEDED", "\(job.message)")
        #expect(job.manta.tasksRetried == 0 && job.manta.driverAttempts == 1)
        #expect(try await cluster.log(ofJob: "always").contains("answers 0 1 4 9"))
        #expect(try await cluster.job("early").status == "PENDING")
        await cluster.stop()
    }

    /// A kill -9 leaves what the kernel has; a machine that dies takes the last second along. So
    /// the file is cut back to where it was when half of what is acknowledged now was.
    @Test("With AOF everysec a crash that loses the last second costs repetitions, not results")
    func everySecond() async throws {
        let redis = try await RedisServer.start([
            "--appendonly", "yes", "--appendfsync", "everysec", "--auto-aof-rewrite-percentage",
            "0",
        ])
        let cluster = try await TestCluster.start(workers: 2, redis: redis)
        try await cluster.submitPython("everysec", "map", "slow", "30")
        try await eventually("a third is done") {
            try await cluster.job("everysec").manta.tasksSucceeded >= 10
        }
        let (file, size) = try journal(of: redis)
        try await eventually("two thirds are done") {
            try await cluster.job("everysec").manta.tasksSucceeded >= 20
        }
        await redis.kill()
        #expect(truncate(file, Int(size)) == 0)
        let start = ContinuousClock.now
        try await redis.restart()
        try await eventually("the head answers") { try await isReady(cluster) }
        #expect(try await cluster.job("everysec").manta.tasksSucceeded < 20)
        let job = try await cluster.end(of: "everysec")
        Measured.note(8, "ten lost commits repaired, the job over", ContinuousClock.now - start)
        #expect(job.status == "SUCCEEDED", "\(job.message)")
        let squares = (0..<30).map { String($0 * $0) }.joined(separator: " ")
        let log = try await cluster.log(ofJob: "everysec")
        #expect(log.filter { $0 == "answers \(squares)" }.count == 1, "\(log.suffix(5))")
        #expect(try await cluster.tasks(of: "everysec").count { $0.name == "slow" } == 30)
        await cluster.stop()
    }

    @Test("While Redis is gone submissions are told when to return, and results wait in workers")
    func away() async throws {
        let redis = try await RedisServer.start(["--appendonly", "yes", "--appendfsync", "always"])
        let cluster = try await TestCluster.start(workers: 2, redis: redis)
        try await cluster.submitPython("away", "map", "gate", "2")
        try await cluster.waitForArrivals(2, of: "away")
        await redis.kill()
        let start = ContinuousClock.now
        try cluster.openGate(of: "away")
        let refusal = try await HeadProbe(cluster).post(
            "/api/jobs/", "{\"entrypoint\": \"true\"}")
        Measured.note(9, "a submission is refused with 503", ContinuousClock.now - start)
        #expect(refusal.status == 503, "\(refusal.text)")
        #expect(refusal.headers["Retry-After"] == "1")
        #expect(refusal.text.contains("the store cannot be reached"))
        // Twice as long as a lease lasts.
        try await Task.sleep(until: start + .seconds(8))
        let back = ContinuousClock.now
        try await redis.restart()
        let job = try await cluster.end(of: "away")
        Measured.note(9, "results held for 8 s are committed", ContinuousClock.now - back)
        #expect(job.status == "SUCCEEDED", "\(job.message)")
        #expect(job.manta.tasksRetried == 0 && job.manta.driverAttempts == 1)
        #expect(try await cluster.log(ofJob: "away").contains("answers 0 1"))
        await cluster.stop()
    }

    @Test("A Redis that may drop keys is refused at the start, with the command that mends it")
    func policy() async throws {
        let redis = try await RedisServer.start([
            "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru",
        ])
        for role in [["head", "--port", "0"], ["worker"]] {
            let output = try await CommandRun.run(
                try Products.manta, role + ["--store", redis.url],
                environment: ProcessInfo.processInfo.environment.merging([
                    "MANTA_TOKEN": "test-token"
                ]) { $1 }, in: NSTemporaryDirectory())
            #expect(!output.exit.isSuccess)
            #expect(output.err.contains("maxmemory-policy allkeys-lru"), "\(output.err)")
            #expect(output.err.contains("CONFIG SET maxmemory-policy noeviction"))
            Measured.note(11, "\(role[0]) refuses to start", output.duration)
        }
        await redis.stop()
    }

    @Test("A Redis without memory left refuses submissions, while what runs comes to its end")
    func full() async throws {
        let cluster = try await TestCluster.start(workers: 1)
        try await cluster.submitPython("fits", "map", "gate", "1")
        try await cluster.waitForArrivals(1, of: "fits")
        try await set("maxmemory", "1", of: cluster.redis)
        let start = ContinuousClock.now
        let refusal = try await HeadProbe(cluster).post(
            "/api/jobs/", "{\"entrypoint\": \"true\"}")
        Measured.note(11, "a submission is refused", ContinuousClock.now - start)
        #expect(refusal.status == 503 && refusal.text.contains("raise its maxmemory"))
        #expect(refusal.headers["Retry-After"] == "1")
        try cluster.openGate(of: "fits")
        #expect(try await cluster.end(of: "fits").status == "SUCCEEDED")
        try await set("maxmemory", "0", of: cluster.redis)
        let next = try await cluster.manta(["job", "submit", "--", "true"])
        #expect(next.exit == .code(0), "\(next.err)")
        await cluster.stop()
    }

    private func isReady(_ cluster: TestCluster) async throws -> Bool {
        try await HeadProbe.status("http://127.0.0.1:\(cluster.headPort)/readyz") == 200
    }

    private func set(_ name: String, _ value: String, of redis: RedisServer) async throws {
        let output = try await CommandRun.run(
            "redis-cli", ["-p", String(redis.port), "CONFIG", "SET", name, value],
            environment: ProcessInfo.processInfo.environment, in: redis.directory)
        #expect(output.out == "OK\n", "\(output.err)")
    }

    /// The append-only file that grows, and how long it is now. Redis 7 keeps it in a folder.
    private func journal(of redis: RedisServer) throws -> (path: String, size: Int64) {
        let folder = redis.directory + "/appendonlydir"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let path =
            names.filter { $0.hasSuffix(".incr.aof") }.sorted().last.map { "\(folder)/\($0)" }
            ?? redis.directory + "/appendonly.aof"
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return (path, (attributes[.size] as? Int64) ?? 0)
    }
}
