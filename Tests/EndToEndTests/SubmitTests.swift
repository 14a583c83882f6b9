import Foundation
import TestSupport
import Testing

/// Jobs on a head and two workers, as a user submits them. One cluster serves the whole suite.
@Suite(.serialized) struct SubmitTests {
    private static let cluster = Task { try await TestCluster.start(workers: 2) }
    private func cluster() async throws -> TestCluster { try await Self.cluster.value }

    @Test("A script is compiled once, runs on both workers and answers with its result")
    func script() async throws {
        let cluster = try await cluster()
        let source = """
            import Manta
            struct Options: JobOptions { @Option var count = 3 }
            let square = RemoteTask("square") { (n: Int, context) async throws -> Int in
                print("squaring", n)
                return n * n
            }
            try await runJob(Options.self) { options, cluster in
                print("first line")
                let squares = try await cluster.map(square, over: 0..<options.count)
                print(squares)
                try await cluster.setResult(["sum": squares.reduce(0, +)])
            }
            """
        let before = cluster.compilationCount
        let first = try await cluster.submit(source, arguments: ["--count", "5"])
        #expect(first.exit == .code(0), "\(first.err)\n\(first.out)")
        #expect(first.out.contains("submitted successfully\n-----"))
        #expect(first.out.contains("first line\n"))
        #expect(first.out.contains("[0, 1, 4, 9, 16]\n"))
        #expect(
            first.outLines.contains { $0.hasPrefix("(square pid=") && $0.hasSuffix(") squaring 4") }
        )
        #expect(first.err.contains("Uploading job.swift"))
        #expect(cluster.compilationCount == before + 1)

        // The same content again, until the other worker ran a driver too: no compiler starts.
        var workers: Set<String> = []
        for _ in 0..<20 where workers.count < 2 {
            let id = "cached-\(UUID().uuidString)"
            let again = try await cluster.submit(source, options: ["--submission-id", id])
            #expect(again.exit == .code(0))
            let running = again.err.split(separator: "\n").first { $0.hasPrefix("Running: on ") }
            if let running { workers.insert(String(running)) }
        }
        #expect(workers.count == 2)
        #expect(cluster.compilationCount == before + 1)
    }

    @Test("Result, list, status, wait and logs speak JSON and text")
    func queries() async throws {
        let cluster = try await cluster()
        let source = """
            import Manta
            try await runJob { cluster in
                print("one")
                try await cluster.setResult(["answer": 42])
            }
            """
        let id = "queries-\(UUID().uuidString)"
        let submitted = try await cluster.submit(
            source, options: ["--submission-id", id, "--no-wait"])
        #expect(submitted.exit == .code(0))
        let waited = try await cluster.manta(["job", "wait", id, "--json"])
        #expect(waited.exit == .code(0))
        #expect(waited.out.contains("\"status\" : \"SUCCEEDED\""))
        let result = try await cluster.manta(["job", "result", id, "--json"])
        #expect(result.out == "{\"answer\":42}\n")
        #expect(try await cluster.manta(["job", "status", id]).out.contains("SUCCEEDED"))
        #expect(try await cluster.manta(["job", "list"]).out.contains(id))
        #expect(try await cluster.manta(["job", "logs", id]).out == "one\n")
        #expect(
            try await cluster.manta(["job", "logs", id, "--json"]).out.contains("\"text\":\"one\""))
        // The same id and body is the same job; another body is a conflict.
        let repeated = try await cluster.submit(source, options: ["--submission-id", id])
        #expect(repeated.exit == .code(0))
        let other = try await cluster.submit(source + "\n", options: ["--submission-id", id])
        #expect(other.exit == .code(4))
        #expect(other.err.contains("already exists"))
    }

    @Test("Compiler diagnostics come back verbatim, with an exit code of their own")
    func diagnostics() async throws {
        let cluster = try await cluster()
        let source = "import Manta\n\nlet number: Int = \"text\"\ntry await runJob { _ in }\n"
        let output = try await cluster.submit(source, named: "broken.swift")
        #expect(output.exit == .code(65))
        #expect(
            output.out.contains("broken.swift:3:19: error: cannot convert value of type 'String'"))
        #expect(output.out.contains("Job '") && output.out.contains("' failed"))
        let twice = try await cluster.submit(
            """
            import Manta
            let a = RemoteTask("same") { (n: Int, _) async throws -> Int in n }
            let b = RemoteTask("same") { (n: Int, _) async throws -> Int in n }
            try await runJob { _ in }
            """, named: "twice.swift")
        #expect(twice.exit == .code(65))
        #expect(twice.out.contains("same"))
    }

    @Test("Any command runs, every line in order per stream, its exit code kept")
    func command() async throws {
        let cluster = try await cluster()
        let output = try await cluster.manta([
            "job", "submit", "--env", "COLOUR=blue", "--", "sh", "-c",
            """
            for i in $(seq 1 2000); do echo "out $i"; done
            echo "$COLOUR $MANTA_JOB_ID ${MANTA_ADDRESS:+address} ${MANTA_TOKEN%%.*}"
            (sleep 0.3; echo grandchild) &
            wait
            printf 'last without line feed'
            exit 7
            """,
        ])
        #expect(output.exit == .code(7), "\(output.err)")
        // After the closing box the last lines are shown again, as the cause.
        let log = output.out.components(separatedBy: "\nCause: ")[0]
        let lines = log.split(separator: "\n").map(String.init)
        let numbers = lines.filter { $0.hasPrefix("out ") }.compactMap { Int($0.dropFirst(4)) }
        let isComplete = numbers == Array(1...2_000)
        #expect(isComplete, "\(numbers.count) lines, the last \(numbers.last ?? 0)")
        #expect(lines.contains { $0.hasPrefix("blue manta_") && $0.hasSuffix(" address job") })
        #expect(lines.contains("grandchild"))
        #expect(output.out.contains("last without line feed"))
        #expect(output.out.contains("exit code 7"))
    }

    @Test("Output before a crash arrives, and the cause names the signal")
    func crash() async throws {
        let cluster = try await cluster()
        let output = try await cluster.manta([
            "job", "submit", "--", "sh", "-c", "echo before; kill -SEGV $$",
        ])
        #expect(output.exit == .code(1))
        #expect(output.out.contains("before\n"))
        #expect(output.out.contains("signal 11, SIGSEGV"))
    }

    @Test("A working directory is sent along, without what it ignores")
    func workingDirectory() async throws {
        let cluster = try await cluster()
        let folder = cluster.folder + "/work/project"
        try FileManager.default.createDirectory(
            atPath: folder + "/data", withIntermediateDirectories: true)
        try "42\n".write(toFile: folder + "/data/x.txt", atomically: true, encoding: .utf8)
        try "no\n".write(toFile: folder + "/secret.key", atomically: true, encoding: .utf8)
        try "*.key\n".write(toFile: folder + "/.mantaignore", atomically: true, encoding: .utf8)
        let output = try await cluster.manta([
            "job", "submit", "--working-dir", folder, "--", "sh", "-c", "cat data/x.txt; ls",
        ])
        #expect(output.exit == .code(0), "\(output.err)")
        #expect(output.outLines.contains("42"))
        #expect(!output.out.contains("secret.key"))
    }

    @Test("Stop ends the job and everything it started")
    func stop() async throws {
        let cluster = try await cluster()
        let id = "stop-\(UUID().uuidString)"
        let mark = "mark\(Int.random(in: 100_000...999_999))"
        _ = try await cluster.manta([
            "job", "submit", "--no-wait", "--submission-id", id, "--", "sh", "-c",
            "sleep 300.\(mark.dropFirst(4)) & sleep 300.\(mark.dropFirst(4))",
        ])
        try await eventually("it runs") {
            try await cluster.manta(["job", "status", id]).out.contains("RUNNING")
                && ProcessTable.count(matching: "sleep\u{0}300.\(mark.dropFirst(4))") == 2
        }
        let stopped = try await cluster.manta(["job", "stop", id])
        #expect(stopped.out.contains("STOPPED"), "\(stopped.out)")
        #expect(ProcessTable.count(matching: "sleep\u{0}300.\(mark.dropFirst(4))") == 0)
        #expect(try await cluster.manta(["job", "wait", id]).exit == .code(0))
    }

    @Test("Errors say what to do and have the documented exit codes")
    func errors() async throws {
        let cluster = try await cluster()
        #expect(try await cluster.manta(["job", "status", "nope"]).exit == .code(3))
        #expect(try await cluster.manta(["job", "submit"]).exit == .code(2))
        #expect(try await cluster.manta(["job", "submit", "--bogus"]).exit == .code(2))
        let port = try FreePorts.one()
        let away = try await cluster.manta(
            ["job", "list", "--address", "http://127.0.0.1:\(port)"])
        #expect(away.exit == .code(6))
        #expect(away.err.contains("manta up"))
        #expect(try await HeadProbe(cluster, token: nil).get("/api/jobs/").status == 401)
        #expect(try await HeadProbe(cluster, token: "wrong").get("/api/jobs/").status == 401)
        #expect(try await HeadProbe(cluster, token: nil).get("/livez").status == 200)
    }

    @Test("A task's thrown error fails the job with the task's own words")
    func taskError() async throws {
        let cluster = try await cluster()
        let output = try await cluster.submit(
            """
            import Manta
            struct Broken: Error, CustomStringConvertible {
                var description: String { "no such fold" }
            }
            let fail = RemoteTask("fail") { (n: Int, _) async throws -> Int in throw Broken() }
            try await runJob { cluster in _ = try await cluster.map(fail, over: [1]) }
            """, named: "fails.swift")
        #expect(output.exit == .code(1))
        #expect(output.out.contains("no such fold"))
    }
}
