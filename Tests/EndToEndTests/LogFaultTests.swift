import Foundation
import TestSupport
import Testing

/// Cases 18 and 19 of docs/RELIABILITY.md: jobs that print too much, and what is no text.
@Suite(.serialized) struct LogFaultTests {
    /// A debug worker reads too slowly for `LogAllowance` to matter; its own tests show that.
    @Test("More lines than a log keeps are bounded in the store, the newest kept, the rest told")
    func flood() async throws {
        let cluster = try await TestCluster.start(workers: 1)
        let start = ContinuousClock.now
        _ = try await cluster.manta([
            "job", "submit", "--no-wait", "--submission-id", "flood", "--",
            "yes 01234567890123456789 | head -n 130000; sleep 1; echo last",
        ])
        let job = try await cluster.end(of: "flood", within: .seconds(120))
        Measured.note(18, "130,000 lines printed at once", ContinuousClock.now - start)
        #expect(job.status == "SUCCEEDED", "\(job.message)")
        let key = "manta:job:flood:log"
        let length = try await redis(cluster, "XLEN", key).first.flatMap(Int.init)
        #expect(try #require(length) <= 100_000)
        #expect(try await redis(cluster, "XREVRANGE", key, "+", "-", "COUNT", "1").contains("last"))
        let logs = try await cluster.manta(["job", "logs", "flood"])
        #expect(logs.err.contains("lines are no longer kept"), "\(logs.err.prefix(300))")
        await cluster.stop()
    }

    /// The lines of an answer.
    private func redis(_ cluster: TestCluster, _ words: String...) async throws -> [String] {
        try await CommandRun.run(
            "redis-cli", ["-p", String(cluster.redis.port)] + words,
            environment: ProcessInfo.processInfo.environment, in: cluster.folder
        ).outLines.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
    }

    @Test("What is no text, lines without end and escapes are kept safely and cut")
    func noText() async throws {
        let cluster = try await TestCluster.start(workers: 1)
        let program = """
            import sys
            out = sys.stdout.buffer
            out.write(bytes(range(256)) * 4 + b"\\n")
            out.write(b"\\xff\\xfe\\xc3(\\xe2\\x82 cut\\n")
            out.write(b"\\x1b[31mred\\x1b[0m \\x1b]0;title\\x07\\r over\\n")
            out.write(b"x" * (3 << 20))
            out.write(b"\\nafter\\n")
            """
        let path = try cluster.write(program, named: "noise.py")
        let python = try Python.executable
        try await Measured.time(19, "the job with a line of 3 MiB") {
            let output = try await cluster.manta([
                "job", "submit", "--no-wait", "--submission-id", "noise", "--", python, path,
            ])
            #expect(output.exit == .code(0))
            _ = try await cluster.end(of: "noise")
        }
        struct Line: Decodable { let text: String }
        let output = try await cluster.manta(["job", "logs", "noise", "--json"])
        let lines = try output.outLines.map {
            try JSONDecoder().decode(Line.self, from: Data($0.utf8)).text
        }
        #expect(lines.last == "after")
        #expect(lines.contains("\u{FFFD}\u{FFFD}\u{FFFD}(\u{FFFD} cut"))
        #expect(lines.contains("\u{1B}[31mred\u{1B}[0m \u{1B}]0;title\u{07}\r over"))
        let parts = lines.filter { $0.hasPrefix("xxx") }
        #expect(parts.map(\.utf8.count).reduce(0, +) == 3 << 20)
        #expect(parts.allSatisfy { $0.utf8.count <= 64 << 10 })
        await cluster.stop()
    }
}
