import Foundation
import TestSupport
import Testing

/// Case 15 of docs/RELIABILITY.md: a stop meets a job in every phase of its life.
@Suite(.serialized) struct StopFaultTests {
    @Test("A queued job is stopped at once, and never starts")
    func queued() async throws {
        let cluster = try await TestCluster.start(workers: 1)
        let trace = cluster.folder + "/work/started"
        _ = try await cluster.manta([
            "job", "submit", "--no-wait", "--submission-id", "queued", "--entrypoint-num-cpus",
            "64", "--", "touch \(trace)",
        ])
        try await Measured.time(15, "a queued job is stopped") {
            _ = try await HeadProbe(cluster).post("/api/jobs/queued/stop", "")
            #expect(try await cluster.job("queued").status == "STOPPED")
        }
        try cluster.startWorker(2, cpus: 64)
        try await cluster.waitForWorkers(2)
        let next = try await cluster.manta(["job", "submit", "--", "true"])
        #expect(next.exit == .code(0))
        #expect(!FileManager.default.fileExists(atPath: trace))
        await cluster.stop()
    }

    @Test("A stop that comes while the job ends leaves it done or stopped, never between")
    func committing() async throws {
        let cluster = try await TestCluster.start(workers: 2, cpus: 2)
        var ends: [String: Int] = [:]
        for round in 0..<12 {
            let id = "ending-\(round)"
            try await cluster.submitPython(id, "map", "gate", "2")
            try await cluster.waitForArrivals(2, of: id)
            try cluster.openGate(of: id)
            try await Task.sleep(for: .milliseconds(Int.random(in: 0...150)))
            _ = try await HeadProbe(cluster).post("/api/jobs/\(id)/stop", "")
            let job = try await cluster.end(of: id)
            ends[job.status, default: 0] += 1
            let answered = try await cluster.log(ofJob: id).filter { $0.hasPrefix("answers") }
            switch job.status {
            case "SUCCEEDED":
                #expect(answered == ["answers 0 1"])
                #expect(job.manta.tasksSucceeded == 2)
            case "STOPPED":
                #expect(answered.count <= 1)
                let result = try await HeadProbe(cluster).get("/api/jobs/\(id)/result")
                #expect(result.status == 409)
            default: Issue.record("\(id): \(job.status) \(job.message)")
            }
        }
        print("measured: case 15: stops of jobs that ended:", ends)
        // Everything the worker gave is free again.
        try await cluster.submitPython("after", "map", "square", "8")
        #expect(try await cluster.end(of: "after").status == "SUCCEEDED")
        await cluster.stop()
    }
}
