import Foundation
import TestSupport
import Testing

/// Cases 1, 2, 4 and 16 of docs/RELIABILITY.md: workers, executors and what they started die.
@Suite(.serialized) struct WorkerFaultTests {
    @Test("A worker killed mid-task is missed, its task runs elsewhere, and has one effect")
    func killed() async throws {
        let cluster = try await TestCluster.start(workers: 3)
        try await cluster.submitPython("killed", "map", "gate", "2")
        let arrivals = try await cluster.waitForArrivals(2, of: "killed")
        let victim = try await workerWithoutDriver(arrivals, cluster, "killed")
        let start = ContinuousClock.now
        try await cluster.kill(victim)
        let again = try await cluster.waitForArrivals(3, of: "killed")
        let moved = ContinuousClock.now - start
        Measured.note(1, "the task runs on another worker", moved)
        #expect(moved < .seconds(10))
        #expect(again[2].attempt == 2 && again[2].worker != victim)
        let causes = try await cluster.tasks(of: "killed").flatMap(\.causes)
        #expect(causes.count == 1)
        #expect(causes.first?.contains("attempt 1 on \(victim)") == true, "\(causes)")
        #expect(causes.first?.contains("stopped answering") == true, "\(causes)")
        try cluster.openGate(of: "killed")
        try await expectOneEffect(of: "killed", answers: "0 1", cluster)
        await cluster.stop()
    }

    @Test("A worker that slept past its lease has its result refused, and says so")
    func frozen() async throws {
        let cluster = try await TestCluster.start(workers: 3)
        try await cluster.submitPython("frozen", "map", "gate", "2")
        let arrivals = try await cluster.waitForArrivals(2, of: "frozen")
        let victim = try await workerWithoutDriver(arrivals, cluster, "frozen")
        let start = ContinuousClock.now
        try cluster.signal(victim, SIGSTOP)
        try await cluster.waitForArrivals(3, of: "frozen")
        Measured.note(2, "the task runs on another worker", ContinuousClock.now - start)
        // The sleeper's executor comes to its end while the sleeper cannot say so.
        try cluster.openGate(of: "frozen")
        try await expectOneEffect(of: "frozen", answers: "0 1", cluster)
        try cluster.signal(victim, SIGCONT)
        let woken = ContinuousClock.now
        try await eventually("the sleeper says what it lost") {
            cluster.log(of: victim).contains("lost lease")
        }
        Measured.note(2, "the woken worker says: lost lease", ContinuousClock.now - woken)
        try await eventually("its result was refused") {
            try await cluster.metric("manta_refused_commits_total") ?? 0 >= 1
        }
        try await expectOneEffect(of: "frozen", answers: "0 1", cluster)
        // It works on.
        try await cluster.submitPython("after", "map", "square", "6")
        #expect(try await cluster.end(of: "after").status == "SUCCEEDED")
        await cluster.stop()
    }

    @Test("A poisoned task ends after three attempts with every cause; the others go on")
    func poison() async throws {
        let cluster = try await TestCluster.start(workers: 2)
        try await Measured.time(4, "three attempts, dead, and the job over") {
            try await cluster.submitPython("poison", "map", "poison", "4")
            _ = try await cluster.end(of: "poison")
        }
        let job = try await cluster.job("poison")
        #expect(job.manta.tasksFailed == 1 && job.manta.tasksRetried == 2)
        let log = try await cluster.log(ofJob: "poison")
        #expect(log.contains("answers lost 1 4 9"), "\(log)")
        #expect(log.count { $0.contains("poisoned, attempt") } == 3)
        let dead = try await cluster.tasks(of: "poison").filter { $0.state == "failed" }
        #expect(dead.count == 1 && dead.first?.attempt == 3)
        let causes = dead.first?.causes ?? []
        #expect(causes.count == 3 && causes.allSatisfy { $0.contains("signal 9") }, "\(causes)")
        await cluster.stop()
    }

    @Test("What a job leaves behind, daemons too, ends with it, with its stop and with its worker")
    func daemons() async throws {
        let cluster = try await TestCluster.start(workers: 1)
        let mark = "300.\(Int.random(in: 100_000...999_999))"
        // Forked twice into a session of its own, without the pipes of its parent.
        let daemon = "(setsid setsid sleep \(mark) >/dev/null 2>&1 </dev/null &); sleep \(mark) &"
        func submit(_ id: String, _ rest: String) async throws {
            _ = try await cluster.manta([
                "job", "submit", "--no-wait", "--submission-id", id, "--", daemon + rest,
            ])
            try await eventually("both of \(id) run") {
                ProcessTable.count(matching: "sleep\u{0}\(mark)") >= 2
            }
        }
        func isAllGone() -> Bool { ProcessTable.count(matching: "sleep\u{0}\(mark)") == 0 }

        try await submit("ends", " sleep 1")
        #expect(try await cluster.end(of: "ends").status == "SUCCEEDED")
        #expect(isAllGone(), "after the job's end")
        try await submit("stopped", " trap '' TERM; sleep 600; sleep 600")
        try await Measured.time(15, "a job that ignores SIGTERM is stopped") {
            _ = try await cluster.manta(["job", "stop", "stopped"])
            _ = try await cluster.end(of: "stopped")
        }
        #expect(isAllGone(), "after the job's stop")
        #expect(ProcessTable.zombies(of: try cluster.pid(of: "worker-1")).isEmpty)
        try await submit("orphaned", " sleep 600")
        try await cluster.kill("worker-1")
        // The guards outlive their worker by the grace they give their program.
        try await Measured.time(16, "nothing is left of a killed worker's job") {
            try await eventually("nothing is left") { isAllGone() }
        }
        await cluster.stop()
    }

    /// A worker that has a task but not the driver, whose loss would be another case.
    private func workerWithoutDriver(
        _ arrivals: [TestCluster.Arrival], _ cluster: TestCluster, _ id: String
    ) async throws -> String {
        let drivers = try await cluster.job(id).manta.worker
        return try #require(arrivals.map(\.worker).first { $0 != drivers })
    }

    /// The job succeeded with these answers, and each task counts once.
    private func expectOneEffect(
        of id: String, answers: String, _ cluster: TestCluster
    ) async throws {
        let job = try await cluster.end(of: id)
        #expect(job.status == "SUCCEEDED", "\(job.message)")
        #expect(job.manta.tasksSucceeded == job.manta.tasksTotal && job.manta.tasksRetried == 1)
        #expect(try await cluster.log(ofJob: id).filter { $0 == "answers \(answers)" }.count == 1)
        let tasks = try await cluster.tasks(of: id)
        #expect(Set(tasks.map(\.id)).count == tasks.count)
        #expect(tasks.allSatisfy { $0.state == "succeeded" })
    }
}
