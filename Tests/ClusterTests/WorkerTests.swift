import Foundation
import Jobs
import Testing

@testable import Cluster

/// Commands on a real worker: processes, logs, codes, stops and hand-overs.
@Suite struct WorkerTests {
    @Test("A command runs in a folder of its own, with its environment, and its lines are kept")
    func command() async throws {
        let rig = try WorkerRig()
        let job = try await rig.submit(
            .command("pwd; echo $COLOUR $MANTA_JOB_ID $MANTA_NODE; echo oops >&2; env"), id: "a.b"
        ) { $0.environment = ["COLOUR": "blue"] }
        let record = try await rig.end(of: job)
        #expect(record.state == .succeeded(result: nil))
        let log = try await rig.log(of: job)
        #expect(log.contains("\(rig.folder.path)/run/worker-1/jobs/a.b\n"))
        #expect(log.contains("blue a.b worker-1\n") && log.contains("oops\n"))
        #expect(log.contains("MANTA_ADDRESS=http://head\n"))
        let token = log.first { $0.hasPrefix("MANTA_TOKEN=") }
        let shown = try #require(token).dropFirst("MANTA_TOKEN=".count).dropLast()
        #expect(JobToken.job(of: String(shown), secret: "secret") == job)
        #expect(!log.contains { $0.contains("secret") })
        await rig.stop()
    }

    @Test("Exit codes and signals become the job's, with the last lines in the cause")
    func endings() async throws {
        let rig = try WorkerRig()
        let code = try await rig.submit(.command("seq 1 20; exit 7"))
        let signal = try await rig.submit(.command("kill -9 $$"))
        let missing = try await rig.submit(.command("exec /no/such/program"))
        guard case .failed(let failure) = try await rig.end(of: code).state else {
            throw NeverHappened(what: "failure")
        }
        #expect(failure.exitCode == 7 && failure.message.contains("exit code 7"))
        #expect(failure.message.hasSuffix("11\n12\n13\n14\n15\n16\n17\n18\n19\n20"))
        guard case .failed(let killed) = try await rig.end(of: signal).state else {
            throw NeverHappened(what: "failure")
        }
        #expect(killed.signal == 9 && killed.message.contains("SIGKILL"))
        guard case .failed(let absent) = try await rig.end(of: missing).state else {
            throw NeverHappened(what: "failure")
        }
        #expect(absent.exitCode == 127)
        await rig.stop()
    }

    @Test("A working directory is unpacked and is the place the command starts in")
    func workingDirectory() async throws {
        let rig = try WorkerRig()
        try rig.folder.write("#!/bin/sh\necho from the package\n", to: "wd/bin/run", mode: 0o755)
        let digest = try await rig.blobs.put(ZipArchive.pack(rig.folder.path + "/wd"))
        let job = try await rig.submit(.command("bin/run")) { $0.workingDirectory = digest }
        #expect(try await rig.end(of: job).state == .succeeded(result: nil))
        #expect(try await rig.log(of: job) == ["from the package\n"])
        let broken = try await rig.blobs.put(Array("no zip file at all, but long enough".utf8))
        let refused = try await rig.submit(.command("true")) { $0.workingDirectory = broken }
        guard case .failed(let failure) = try await rig.end(of: refused).state else {
            throw NeverHappened(what: "failure")
        }
        #expect(failure.message.contains("zip file is refused"))
        await rig.stop()
    }

    @Test("A worker with nothing to do asks the store a few times a second, not all the time")
    func calm() async throws {
        let rig = try WorkerRig()
        _ = try await rig.end(of: try await rig.submit(.command("true")))
        let before = rig.store.count(of: .claim)
        try await Task.sleep(for: .seconds(2))
        #expect(rig.store.count(of: .claim) - before <= 6)
        await rig.stop()
    }

    @Test("A stop is SIGTERM first, and SIGKILL to everything after the grace")
    func stopping() async throws {
        let rig = try WorkerRig()
        let polite = try await rig.submit(
            .command("trap 'echo told; exit 0' TERM; echo up; while :; do sleep 0.05; done"))
        let deaf = try await rig.submit(
            .command("trap '' TERM; (trap '' TERM; sleep 600) & echo up $!; sleep 600"))
        for job in [polite, deaf] {
            try await eventually("\(job) is up") {
                try await rig.log(of: job).contains { $0.hasPrefix("up") }
            }
        }
        let child = try #require(try await rig.log(of: deaf).first?.split(separator: " ").last)
        _ = try await rig.store.stop(polite, by: "a user")
        _ = try await rig.store.stop(deaf, by: "a user")
        for job in [polite, deaf] {
            #expect(
                try await rig.end(of: job, within: .seconds(10)).state == .stopped(by: "a user"))
        }
        #expect(try await rig.log(of: polite).contains("told\n"))
        let pid = try #require(Int32(child.dropLast()))
        #expect(kill(pid, 0) != 0 && errno == ESRCH)
        await rig.stop()
    }

    @Test(
        "A worker that stops hands its jobs back: no attempt is lost, and another runs them at once"
    )
    func handOver() async throws {
        let store = StoreDouble()
        let first = try WorkerRig("worker-1", store: store)
        let job = try await first.submit(
            .command("echo on $MANTA_NODE; sleep ${SECONDS_LEFT:-600}"))
        try await eventually("it runs") { try await first.log(of: job) == ["on worker-1\n"] }
        let clock = ContinuousClock()
        #expect(await clock.measure { await first.stop() } < .seconds(10))
        #expect(store.endings.map(\.outcome) == [.released])
        #expect(try await store.workers().isEmpty)
        #expect(
            !FileManager.default.fileExists(atPath: first.folder.path + "/run/worker-1"))
        let task = try #require(try await store.tasks(of: job, limit: 1).first)
        #expect(task.attempt == 0 && task.history.isEmpty)
        let second = try WorkerRig("worker-2", store: store)
        try await eventually("it runs elsewhere") {
            try await second.log(of: job).contains("on worker-2\n")
        }
        _ = try await store.stop(job, by: "test")
        _ = try await second.end(of: job)
        await second.stop()
    }

    @Test("Results wait for a store that is away")
    func storeAway() async throws {
        let rig = try WorkerRig { $0.leaseDuration = .seconds(60) }
        let job = try await rig.submit(.command("sleep 0.5; echo done"))
        try await eventually("it runs") {
            if case .active(.running)? = try await rig.store.job(job)?.state { true } else { false }
        }
        for call in [StoreDouble.Call.claim, .heartbeat, .appendLogs] {
            rig.store.failAlways(call, with: JobStoreError.unavailable("away"))
        }
        try await Task.sleep(for: .seconds(2))
        #expect(try await rig.store.job(job)?.state.isTerminal == false)
        for call in [StoreDouble.Call.claim, .heartbeat, .appendLogs] {
            rig.store.failAlways(call, with: nil)
        }
        #expect(try await rig.end(of: job).state == .succeeded(result: nil))
        try await eventually("the line too") { try await rig.log(of: job) == ["done\n"] }
        await rig.stop()
    }

    @Test("No more runs at once than the worker takes, whatever it asks for")
    func attemptsMax() async throws {
        let rig = try WorkerRig { $0.attemptsMax = 2 }
        var jobs: [JobID] = []
        for _ in 0..<5 {
            jobs.append(
                try await rig.submit(
                    .command("sleep 0.3")))
        }
        for job in jobs { #expect(try await rig.end(of: job).state == .succeeded(result: nil)) }
        let records = try await rig.store.jobs(limit: 10)
        for record in records {
            let start = try #require(record.startedAt)
            let together = records.count { ($0.startedAt ?? 0) <= start && start < $0.endedAt ?? 0 }
            #expect(together <= 2)
        }
        await rig.stop()
    }

    @Test("A job's folder is gone soon after its end")
    func tidy() async throws {
        let rig = try WorkerRig()
        let job = try await rig.submit(.command("touch left behind"))
        _ = try await rig.end(of: job)
        try await eventually("its folder is removed") {
            !FileManager.default.fileExists(
                atPath: "\(rig.folder.path)/run/worker-1/jobs/\(job)")
        }
        await rig.stop()
    }

    @Test("A job that lost its worker's lease and came back to it can still be stopped")
    func reclaimed() async throws {
        // Without heartbeats leases end after a second, and the worker claims its own job anew.
        let rig = try WorkerRig { configuration in
            configuration.leaseDuration = .seconds(1)
            configuration.heartbeatInterval = .milliseconds(300)
        }
        let job = try await rig.submit(.command("echo up; exec sleep 600"))
        try await eventually("it runs") { try await rig.log(of: job).contains("up\n") }
        rig.store.failAlways(.heartbeat, with: JobStoreError.unavailable("partition"))
        try await eventually("the lease ended and was granted again") {
            try await rig.store.tasks(of: job, limit: 1).first?.attempt ?? 0 >= 2
        }
        rig.store.failAlways(.heartbeat, with: nil)
        try await eventually("the second attempt runs") {
            try await rig.log(of: job).filter { $0 == "up\n" }.count >= 2
        }
        // Time for the worker to end the attempt it lost, which must not take the new one along.
        try await Task.sleep(for: .seconds(1))
        _ = try await rig.store.stop(job, by: "a user")
        #expect(try await rig.end(of: job, within: .seconds(15)).state == .stopped(by: "a user"))
        await rig.stop()
    }
}
