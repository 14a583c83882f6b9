import Foundation
import Jobs
import Testing

@testable import Cluster

/// What a worker offers and tells: pools, custom resources, last lines, deadlines that passed.
@Suite struct WorkerOfferTests {
    @Test("A worker takes jobs of its pools only, and says which they are")
    func pools() async throws {
        let rig = try WorkerRig { $0.pools = ["gpu", "spare"] }
        let usual = try await rig.submit(.command("true"))
        let wanted = try await rig.submit(.command("true")) { $0.pool = "gpu" }
        #expect(try await rig.end(of: wanted).state == .succeeded(result: nil))
        #expect(try await rig.store.job(usual)?.state == .active(.queued))
        try await eventually("it is listed") {
            try await rig.store.workers().first?.pools == ["gpu", "spare"]
        }
        await rig.stop()
    }

    @Test("Custom resources are offered and shared out")
    func customResources() async throws {
        let rig = try WorkerRig { $0.resources.custom = ["licence": 1_000] }
        let jobs = try await [rig.submit(.command("sleep 0.3")), rig.submit(.command("sleep 0.3"))]
        let needy = try await [
            rig.submit(.command("sleep 0.3")) { $0.driverResources.custom = ["licence": 600] },
            rig.submit(.command("sleep 0.3")) { $0.driverResources.custom = ["licence": 600] },
        ]
        for job in jobs + needy {
            #expect(try await rig.end(of: job).state == .succeeded(result: nil))
        }
        let first = try #require(try await rig.store.job(needy[0]))
        let second = try #require(try await rig.store.job(needy[1]))
        let (start, end) = (max(first.startedAt ?? 0, second.startedAt ?? 0), first.endedAt ?? 0)
        #expect(start >= min(end, second.endedAt ?? 0), "both had the licence at once")
        await rig.stop()
    }

    @Test("Each attempt that failed keeps its own last lines, and none of the one before")
    func lastLines() async throws {
        let rig = try WorkerRig(cpus: 1)
        let job = try await rig.submitScript("map", "last-words", "1")
        _ = try await rig.end(of: job)
        let dead = try #require(try await rig.store.deadTasks(of: job, limit: 9).first)
        #expect(dead.history.map(\.cause) == Array(repeating: "signal 9 (SIGKILL)", count: 3))
        #expect(
            dead.history.map(\.lastLines)
                == [20, 40, 60].map { count in
                    (count - 10..<count).map { "word \($0)" }
                })
        let failed = try await rig.submit(.command("seq 1 3; echo oops >&2; exit 7"))
        _ = try await rig.end(of: failed)
        let driver = try #require(try await rig.store.tasks(of: failed, limit: 1).first)
        #expect(Set(driver.history.last?.lastLines ?? []) == ["1", "2", "3", "oops"])
        await rig.stop()
    }

    @Test("A job that passed its timeout is ended, with all it started, and told why")
    func timeout() async throws {
        let rig = try WorkerRig()
        let job = try await rig.submit(.command("echo $$; exec sleep 600")) {
            $0.deadlines = Deadlines(scheduleToClose: 700)
        }
        guard case .failed(let failure) = try await rig.end(of: job).state else {
            throw NeverHappened(what: "failure")
        }
        #expect(failure.kind == .deadline)
        #expect(failure.message.hasPrefix("job timeout 700 ms exceeded on worker-1"))
        try await eventually("the log says it") {
            try await rig.log(of: job).contains(
                "task \(job)/driver passed its job timeout deadline of 700 ms and is ended\n")
        }
        let text = try #require(try await rig.log(of: job).first { Int32($0.dropLast()) != nil })
        let pid = try #require(Int32(text.dropLast()))
        try await eventually("its process is gone") { kill(pid, 0) != 0 && errno == ESRCH }
        await rig.stop()
    }
}
