import Foundation
import TestSupport
import Testing

/// Case 40 of docs/RELIABILITY.md: parts of different versions meet.
@Suite(.serialized) struct VersionFaultTests {
    @Test("Processes refuse a store that a newer version keeps, with both versions and the fix")
    func store() async throws {
        let redis = try await RedisServer.start()
        let environment = ProcessInfo.processInfo.environment.merging([
            "MANTA_TOKEN": "test-token", "MANTA_STORE": redis.url,
        ]) { $1 }
        let written = try await CommandRun.run(
            "redis-cli", ["-p", String(redis.port), "SET", "manta:format", "7 9.1.0"],
            environment: environment, in: redis.directory)
        #expect(written.out == "OK\n")
        let version = try await CommandRun.run(
            try Products.manta, ["--version"], environment: environment, in: redis.directory)
        for role in [["head", "--port", "0"], ["worker"]] {
            let output = try await CommandRun.run(
                try Products.manta, role, environment: environment, in: redis.directory)
            Measured.note(40, "\(role[0]) refuses the store", output.duration)
            #expect(!output.exit.isSuccess)
            let own = String(version.out.prefix { !$0.isNewline })
            for word in ["manta 9.1.0", "form 7", own, "MANTA_NAMESPACE"] {
                #expect(output.err.contains(word), "\(output.err)")
            }
        }
        await redis.stop()
    }

    @Test("A head refuses a client whose requests it would misread, and takes those without a word")
    func client() async throws {
        let cluster = try await TestCluster.start(workers: 0)
        let refused = try await HeadProbe(cluster).send(
            .get, "/api/jobs/", headers: ["Manta-API": "7 9.1.0"])
        #expect(refused.status == 400)
        for word in ["manta 9.1.0", "API 7", "update the head"] {
            #expect(refused.text.contains(word), "\(refused.text)")
        }
        for header in ["junk", "0", "-1", "99999999999999999999 x"] {
            let reply = try await HeadProbe(cluster).send(
                .get, "/api/jobs/", headers: ["Manta-API": header])
            #expect(reply.status == 400, "\(header)")
        }
        #expect(try await HeadProbe(cluster).get("/api/jobs/").status == 200)
        #expect(try await cluster.manta(["job", "list"]).exit == .code(0))
        await cluster.stop()
    }
}
