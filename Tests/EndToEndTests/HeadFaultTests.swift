import Foundation
import TestSupport
import Testing

/// Cases 5 and 6 of docs/RELIABILITY.md: heads die, and there are two of them.
@Suite(.serialized) struct HeadFaultTests {
    @Test("While head and Redis are killed and come back, no prediction fails and the job goes on")
    func servingGoesOn() async throws {
        let redis = try await RedisServer.start(["--appendonly", "yes", "--appendfsync", "always"])
        let cluster = try await TestCluster.start(workers: 1, cpus: 2, redis: redis)
        let gateway = try await cluster.startGateway([
            "--model-directory", try await trainedModel(cluster),
        ])
        try await cluster.submitPython("on", "map", "gate", "2")
        try await cluster.waitForArrivals(2, of: "on")
        let caller = PredictionCaller(gateway)
        #expect(try await caller.load() == 200)
        let calling = Task { await caller.run() }

        try await cluster.kill("head")
        try await Task.sleep(for: .seconds(1))
        try await Measured.time(5, "a head is back and answers") { try await cluster.startHead() }
        #expect(try await cluster.job("on").status == "RUNNING")
        await redis.kill()
        try await cluster.kill("head")
        try await Task.sleep(for: .seconds(2))
        try await redis.restart()
        try await cluster.startHead()
        try cluster.openGate(of: "on")
        let job = try await cluster.end(of: "on")
        #expect(job.status == "SUCCEEDED" && job.manta.tasksRetried == 0)

        calling.cancel()
        await calling.value
        let (asked, failed) = caller.counts
        print("measured: case 5: \(asked) predictions meanwhile, \(failed) failed")
        #expect(asked > 100 && failed == 0)
        await cluster.stop()
    }

    @Test("Of two heads either may be asked, and one's death is nobody's wait")
    func twoHeads() async throws {
        let cluster = try await TestCluster.start(workers: 1)
        let port = try FreePorts.one()
        try cluster.startRole("head-2", ["head", "--port", String(port)])
        let second = ["--address", "http://127.0.0.1:\(port)"]
        try await eventually("the second head answers") {
            try await cluster.manta(["job", "list"] + second).exit.isSuccess
        }
        // The same submission through both at once is one job.
        let submit = ["job", "submit", "--no-wait", "--submission-id", "both"]
        let command = ["--", "echo ran; exec sleep 600"]
        async let one = cluster.manta(submit + command)
        async let two = cluster.manta(submit + second + command)
        #expect(try await [one.exit, two.exit] == [.code(0), .code(0)])
        try await eventually("it runs") { try await cluster.log(ofJob: "both") == ["ran"] }
        try await cluster.kill("head-2")
        try await Measured.time(6, "the other head stops the job that both were told of") {
            let stopped = try await cluster.manta(["job", "stop", "both"])
            #expect(stopped.exit == .code(0), "\(stopped.err)")
        }
        #expect(try await cluster.end(of: "both").status == "STOPPED")
        #expect(try await cluster.log(ofJob: "both") == ["ran"])
        #expect(try await cluster.job("both").manta.driverAttempts == 1)
        await cluster.stop()
    }

    /// The folder of a small forest.
    private func trainedModel(_ cluster: TestCluster) async throws -> String {
        let rows = (0..<60).map { "\($0 % 7),\($0 % 5),\($0 % 2 == 0 ? "a" : "b")" }
        let data = try cluster.write(
            (["x,z,y"] + rows).joined(separator: "\n") + "\n", named: "data.csv")
        let model = cluster.folder + "/work/model"
        let output = try await cluster.manta([
            "train", "--data", data, "--target", "y", "--param", "trees=5", "--model", model,
        ])
        guard output.exit.isSuccess else {
            throw TestCluster.Failure(description: output.err)
        }
        return model
    }
}
