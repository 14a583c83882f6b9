import Foundation
import Jobs
import Testing

@testable import Cluster

/// Scripts on a real worker: compiled once, a driver, executors, and what goes wrong with each.
@Suite struct ScriptTests {
    @Test("A driver's tasks run on warm executors, and its result is the job's")
    func map() async throws {
        let rig = try WorkerRig()
        let job = try await rig.submitScript("map", "print", "12")
        let record = try await rig.end(of: job)
        let squares = (0..<12).map { String($0 * $0) }.joined(separator: " ")
        #expect(record.state == .succeeded(result: .inline(Array("\"\(squares)\"".utf8))))
        #expect(record.tasksTotal == 12 && record.tasksSucceeded == 12)
        let log = try await rig.log(of: job)
        #expect(log.contains("driver \(job) on worker-1\n") && log.contains("answers \(squares)\n"))
        let line = /\(print pid=(\d+), node=worker-1\) working on (\d+)\n/
        let lines = log.compactMap { $0.wholeMatch(of: line) }
        let inputs = lines.compactMap { Int(String($0.2)) }
        #expect(inputs.sorted() == Array(0..<12))
        // Two CPUs, so at most two executors, each used again and again.
        #expect(Set(lines.map { String($0.1) }).count <= 2)
        await rig.stop()
    }

    @Test("A script is compiled once for all jobs and workers")
    func compiledOnce() async throws {
        let folder = try TemporaryFolder()
        let store = StoreDouble()
        let blobs = InMemoryBlobStore()
        let rigs = try (1...2).map {
            try WorkerRig("worker-\($0)", folder: folder, store: store, blobs: blobs)
        }
        var jobs: [JobID] = []
        for _ in 0..<4 { jobs.append(try await rigs[0].submitScript("map", "square", "2")) }
        for job in jobs { #expect(try await rigs[0].end(of: job).tasksSucceeded == 2) }
        #expect(rigs[0].compilations == 1)
        for rig in rigs { await rig.stop() }
    }

    @Test("What does not compile says why, with a code of its own, and is not compiled again")
    func diagnostics() async throws {
        let rig = try WorkerRig()
        let source = "does not compile\n"
        for _ in 0..<2 {
            let job = try await rig.submitScript(source: source)
            guard case .failed(let failure) = try await rig.end(of: job).state else {
                throw NeverHappened(what: "failure")
            }
            #expect(failure.exitCode == 65)
            #expect(failure.message == "the script does not compile (1 error)")
            #expect(try await rig.log(of: job) == ["job.swift:1:1: error: it says so itself\n"])
        }
        #expect(rig.compilations == 1)
        await rig.stop()
    }

    @Test("A script that never says what it is fails instead of being waited for")
    func describeHangs() async throws {
        let rig = try WorkerRig { $0.describeMax = .milliseconds(500) }
        let job = try await rig.submitScript(source: "#!/bin/sh\nexec sleep 600\n")
        guard case .failed(let failure) = try await rig.end(of: job, within: .seconds(20)).state
        else { throw NeverHappened(what: "failure") }
        #expect(failure.exitCode == 65)
        #expect(try await rig.log(of: job).joined().contains("does not describe itself"))
        await rig.stop()
    }

    @Test("A stop reaches a job that is being compiled, and the next one compiles anew")
    func stopWhileCompiling() async throws {
        let rig = try WorkerRig()
        try rig.setSlow(true)
        let job = try await rig.submitScript("map", "square", "1")
        try await eventually("the compiler runs") { rig.compilations == 1 }
        _ = try await rig.store.stop(job, by: "a user")
        #expect(try await rig.end(of: job, within: .seconds(10)).state == .stopped(by: "a user"))
        try rig.setSlow(false)
        let next = try await rig.submitScript("map", "square", "1")
        #expect(try await rig.end(of: next, within: .seconds(30)).tasksSucceeded == 1)
        #expect(rig.compilations == 2)
        await rig.stop()
    }

    @Test("Of two jobs that wait for one compiler a stop ends only one")
    func stopOneOfTwo() async throws {
        let rig = try WorkerRig()
        try rig.setSlow(true)
        let stopped = try await rig.submitScript("map", "square", "1")
        let kept = try await rig.submitScript("map", "square", "3")
        try await eventually("both wait") {
            var waiting = 0
            for job in [stopped, kept] {
                if case .active(.compiling)? = try await rig.store.job(job)?.state { waiting += 1 }
            }
            return waiting == 2 && rig.compilations == 1
        }
        _ = try await rig.store.stop(stopped, by: "a user")
        #expect(
            try await rig.end(of: stopped, within: .seconds(10)).state == .stopped(by: "a user"))
        try rig.setSlow(false)
        #expect(try await rig.end(of: kept).tasksSucceeded == 3)
        #expect(rig.compilations == 1)
        await rig.stop()
    }

    @Test("A store that is away for a moment does not fail the build")
    func storeAwayWhileCompiling() async throws {
        let rig = try WorkerRig()
        let away = JobStoreError.unavailable("away")
        rig.store.fail(.beginBuild, away)
        rig.store.fail(.endBuild, away, away)
        let job = try await rig.submitScript("map", "square", "1")
        #expect(try await rig.end(of: job).tasksSucceeded == 1)
        #expect(rig.compilations == 1)
        await rig.stop()
    }

    @Test("A build whose lease another worker took is asked for again")
    func buildLost() async throws {
        let rig = try WorkerRig()
        rig.store.fail(.endBuild, JobStoreError.leaseLost(TaskID(rawValue: "build")))
        let job = try await rig.submitScript("map", "square", "1")
        #expect(try await rig.end(of: job).tasksSucceeded == 1)
        await rig.stop()
    }

    @Test(
        "An executor that dies, or hangs up, costs one attempt",
        arguments: ["crash-once", "hang-up"])
    func retried(_ task: String) async throws {
        let rig = try WorkerRig()
        let job = try await rig.submitScript("map", task, "2")
        let record = try await rig.end(of: job)
        #expect(record.tasksSucceeded == 2 && record.tasksRetried == 2, "\(record)")
        await rig.stop()
    }

    @Test("A task that always crashes, and one that throws, end as what they are")
    func failures() async throws {
        let rig = try WorkerRig()
        let crash = try await rig.submitScript("map", "crash", "1")
        let error = try await rig.submitScript("map", "error", "1")
        _ = try await rig.end(of: crash)
        _ = try await rig.end(of: error)
        #expect(try await rig.log(of: crash).contains("answers lost\n"))
        #expect(try await rig.log(of: error).contains("answers failed\n"))
        let tasks = try await rig.store.tasks(of: crash, limit: 10)
        let causes = tasks.last?.history.map(\.cause) ?? []
        #expect(causes == ["signal 9 (SIGKILL)", "signal 9 (SIGKILL)", "signal 9 (SIGKILL)"])
        await rig.stop()
    }

    @Test("A stop ends the driver and its running tasks, and frees what they held")
    func stop() async throws {
        let rig = try WorkerRig()
        let job = try await rig.submitScript("map", "sleep", "2")
        try await eventually("both tasks run") {
            try await rig.store.tasks(of: job, limit: 10).filter {
                if case .running = $0.state { true } else { false }
            }.count == 3
        }
        _ = try await rig.store.stop(job, by: "a user")
        #expect(try await rig.end(of: job, within: .seconds(15)).state == .stopped(by: "a user"))
        // The CPUs are free again: the next job needs both.
        let next = try await rig.submitScript("map", "square", "2")
        #expect(try await rig.end(of: next, within: .seconds(30)).tasksSucceeded == 2)
        await rig.stop()
    }

    @Test("A stop reaches an executor that never comes to its work")
    func absentExecutor() async throws {
        let rig = try WorkerRig()
        let job = try await rig.submitScript("map", "square", "2", "absent")
        try await eventually("tasks are granted") {
            try await rig.store.tasks(of: job, limit: 10).filter {
                if case .running = $0.state { true } else { false }
            }.count == 3
        }
        _ = try await rig.store.stop(job, by: "a user")
        _ = try await rig.end(of: job, within: .seconds(15))
        let next = try await rig.submitScript("map", "square", "2")
        #expect(try await rig.end(of: next, within: .seconds(30)).tasksSucceeded == 2)
        await rig.stop()
    }

    @Test("Executors that are slow to end do not cost the leases of others")
    func slowEnds() async throws {
        let rig = try WorkerRig(cpus: 4) { configuration in
            configuration.executorIdleMax = .milliseconds(100)
            configuration.leaseDuration = .seconds(2)
        }
        let other = try await rig.submit(.command("sleep 6; echo still here"))
        let job = try await rig.submitScript("map", "stubborn", "8")
        #expect(try await rig.end(of: job).tasksSucceeded == 8)
        #expect(try await rig.end(of: other).state == .succeeded(result: nil))
        #expect(try await rig.store.job(other)?.driverAttempts == 1)
        await rig.stop()
    }

    @Test("A driver that fails keeps its code; a worker that stops does not fail it")
    func driverEnds() async throws {
        let rig = try WorkerRig()
        let job = try await rig.submitScript("exit", "9")
        guard case .failed(let failure) = try await rig.end(of: job).state else {
            throw NeverHappened(what: "failure")
        }
        #expect(failure.exitCode == 9)
        let sleeping = try await rig.submitScript("sleep")
        try await eventually("it runs") { try await rig.log(of: sleeping).count == 1 }
        await rig.stop()
        #expect(try await rig.store.job(sleeping)?.state == .active(.queued))
    }
}
