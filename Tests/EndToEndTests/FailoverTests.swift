import Foundation
import Processes
import TestSupport
import Testing

/// Case 10 of docs/RELIABILITY.md: a Sentinel promotes a replica that lacks the last writes.
///
/// Our processes reach the primary through one address, as they do behind a Service or a balancer:
/// here a wire that is turned to whom the Sentinel names.
@Suite struct FailoverTests {
    @Test("A fail-over that loses writes is noticed, said in the job's log, and repaired")
    func losesWrites() async throws {
        let first = try await RedisServer.start(["--repl-diskless-sync-delay", "0"])
        let replication = try FaultyWire(to: first.port)
        let second = try await RedisServer.start([
            "--replicaof", "127.0.0.1", String(replication.port), "--repl-timeout", "60",
        ])
        try await eventually("the replica has all") {
            try await ask(second, "INFO", "replication").contains("master_link_status:up")
        }
        let wire = try FaultyWire(to: first.port)
        let cluster = try await TestCluster.start(
            workers: 0, redis: first, variables: ["MANTA_STORE": wire.url])
        // Too small for tasks, so that those of the driver wait.
        try cluster.startWorker(1, cpus: 0.001)
        try await cluster.submitPython("failover", "map", "gate", "2")
        try await eventually("its tasks wait") {
            try await cluster.job("failover").manta.tasksTotal == 2
        }
        try await Task.sleep(for: .milliseconds(500))
        // From here on the replica hears nothing: what is granted now it will never have known.
        replication.set(.stalled)
        for number in 2...3 { try cluster.startWorker(number) }
        try await cluster.waitForArrivals(2, of: "failover")
        let sentinel = try await Sentinel.start(watching: first.port, replica: second.port)

        replication.set(.cut)
        await first.kill()
        let start = ContinuousClock.now
        try await eventually("the Sentinel names the replica", within: .seconds(40)) {
            try await sentinel.primaryPort() == second.port
        }
        wire.turn(to: second.port)
        Measured.note(10, "the Sentinel promoted the replica", ContinuousClock.now - start)
        let said = "The store came back without its last writes"
        try await eventually("it is said in the job's log") {
            (try? await cluster.log(ofJob: "failover"))?.contains { $0.hasPrefix(said) } == true
        }
        Measured.note(10, "said in the job's log", ContinuousClock.now - start)
        try cluster.openGate(of: "failover")
        let job = try await cluster.end(of: "failover")
        Measured.note(10, "the job is over", ContinuousClock.now - start)
        #expect(job.status == "SUCCEEDED", "\(job.message)")
        let log = try await cluster.log(ofJob: "failover")
        #expect(log.filter { $0 == "answers 0 1" }.count == 1)
        #expect(job.manta.tasksSucceeded == job.manta.tasksTotal)

        sentinel.stop()
        for one in [wire, replication] { one.close() }
        await cluster.stop()
        await second.stop()
    }

    private func ask(_ redis: RedisServer, _ words: String...) async throws -> String {
        try await CommandRun.run(
            "redis-cli", ["-p", String(redis.port)] + words,
            environment: ProcessInfo.processInfo.environment, in: redis.directory
        ).out
    }
}

/// A Redis Sentinel of the test's own, which decides alone.
private final class Sentinel: Sendable {
    private let port: Int
    private let folder: String
    private let process: ChildProcess

    static func start(watching primary: Int, replica: Int) async throws -> Sentinel {
        let sentinel = try Sentinel(watching: primary)
        try await eventually("the Sentinel has seen the replica", within: .seconds(20)) {
            try await sentinel.ask("SENTINEL", "replicas", "store").contains("\(replica)")
        }
        return sentinel
    }

    private init(watching primary: Int) throws {
        port = try FreePorts.one()
        folder = "/tmp/manta-sentinel-\(getpid())-\(port)"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        // It writes what it learns into its file.
        try """
        port \(port)
        bind 127.0.0.1
        dir \(folder)
        logfile \(folder)/sentinel.log
        sentinel monitor store 127.0.0.1 \(primary) 1
        sentinel down-after-milliseconds store 1000
        sentinel failover-timeout store 10000

        """.write(toFile: folder + "/sentinel.conf", atomically: true, encoding: .utf8)
        var specification = ChildProcess.Specification(
            "redis-server", [folder + "/sentinel.conf", "--sentinel"],
            environment: ProcessInfo.processInfo.environment)
        specification.standardOutput = .null
        specification.standardError = .null
        process = try ChildProcess.spawn(specification)
    }

    /// Of whom it takes for the primary; nil while it does not say.
    func primaryPort() async throws -> Int? {
        try await ask("SENTINEL", "get-master-addr-by-name", "store").split(separator: "\n").last
            .flatMap { Int($0) }
    }

    private func ask(_ words: String...) async throws -> String {
        try await CommandRun.run(
            "redis-cli", ["-p", String(port)] + words,
            environment: ProcessInfo.processInfo.environment, in: folder
        ).out
    }

    func stop() {
        process.signal(SIGKILL)
        try? FileManager.default.removeItem(atPath: folder)
    }
}
