import Foundation
import TestSupport
import Testing

/// Retries, reasons, orders, pools and schedules as a user meets them, on real processes and a real
/// Redis. One cluster serves the whole suite.
@Suite(.serialized) struct JobCommandTests {
    private static let cluster = Task { try await TestCluster.start(workers: 1) }
    private func cluster() async throws -> TestCluster { try await Self.cluster.value }

    private func submit(
        _ id: String, _ options: [String] = [], _ command: String, waits: Bool = false
    ) async throws -> TestCluster.Output {
        let wait = waits ? [] : ["--no-wait"]
        return try await cluster().manta(
            ["job", "submit", "--submission-id", id] + wait + options + ["--", command])
    }

    private func why(_ id: String) async throws -> String {
        try await cluster().manta(["job", "why", id]).out
    }

    @Test("A job comes after others, says so, and is stopped when one fails")
    func after() async throws {
        let cluster = try await cluster()
        _ = try await submit("before", [], "sleep 1; exit 3")
        _ = try await submit("behind", ["--after", "before"], "true")
        #expect(try await why("behind").hasPrefix("queued: waits for job before ("))
        let status = try await cluster.manta(["job", "status", "behind"]).out
        #expect(status.contains("Why: waits for job before ("))
        #expect(try await cluster.manta(["job", "wait", "behind"]).exit == .code(0))
        #expect(
            try await why("behind") == """
                stopped: stopped because it comes after job before, which failed
                Next: job why before
                      job retry behind

                """)
        #expect(try await why("before").hasPrefix("failed: its driver ended with exit code 3\n"))
        let unknown = try await submit("lost", ["--after", "nobody"], "true")
        #expect(unknown.exit == .code(4) && unknown.err.contains("nobody"))
    }

    @Test("What a job prints for a terminal does not reach one, and who stopped a job is told")
    func hostileOutput() async throws {
        let cluster = try await cluster()
        let text = #"printf '\033]0;owned\007\033[2Ja\033[31mred\033[0m\007\rlast\n'"#
        let shown = try await submit("loud", [], text, waits: true)
        #expect(shown.exit == .code(0) && shown.outLines.contains("last"), "\(shown.out)")
        for arguments in [["job", "logs", "loud"], ["job", "logs", "-f", "loud"]] {
            #expect(try await cluster.manta(arguments).out == "last\n")
        }
        let json = try await cluster.manta(["job", "logs", "--json", "loud"]).out
        #expect(json.contains(#"\u001b]0;owned\u0007"#), "\(json)")
        _ = try await submit("ended", [], "sleep 600")
        _ = try await cluster.manta(["job", "stop", "ended"])
        let whom = try #require(try await why("ended").firstMatch(of: /^stopped: stopped by (\S+)/))
        #expect(whom.1.hasPrefix("\(NSUserName())@"), "\(whom.1)")
    }

    @Test("A job that failed begins anew with `job retry`")
    func retry() async throws {
        let cluster = try await cluster()
        let flag = cluster.folder + "/work/retried"
        _ = try await submit("flaky", [], "echo so far; test -e \(flag) || exit 9", waits: true)
        #expect(
            try await why("flaky").hasPrefix(
                "failed: its driver ended with exit code 9, after it said: so far\n"
                    + "Next: job logs flaky\n      job retry flaky\n"))
        _ = try cluster.write("", named: "retried")
        let retried = try await cluster.manta(["job", "retry", "flaky"])
        #expect(retried.out.hasPrefix("Job 'flaky' begins anew (life 2)"))
        #expect(try await cluster.manta(["job", "wait", "flaky"]).exit == .code(0))
        let refused = try await cluster.manta(["job", "retry", "flaky"])
        #expect(refused.exit == .code(4) && refused.err.contains("succeeded"))
        #expect(try await cluster.manta(["job", "retry", "none"]).exit == .code(3))
    }

    @Test("A job's timeout ends it, and the worker says why")
    func timeout() async throws {
        let ended = try await submit(
            "slow", ["--timeout", "1500ms"], "sleep 600", waits: true)
        #expect(ended.exit == .code(1))
        let said = try await why("slow")
        #expect(said.hasPrefix("failed: job timeout 1500 ms exceeded on worker-1"), "\(said)")
        #expect(said.contains("--timeout"))
        let cluster = try await cluster()
        try await eventually("the worker's log says it") {
            cluster.log(of: "worker-1").contains("passed its job timeout deadline of 1500 ms")
        }
    }

    @Test("A pool that nobody serves is named, and served by a worker that is told so")
    func pools() async throws {
        let cluster = try await cluster()
        _ = try await submit("pooled", ["--pool", "night"], "echo here")
        #expect(
            try await why("pooled") == """
                queued: no worker serves pool night; workers serve default
                Next: manta worker --pool night

                """)
        _ = try await submit("needy", ["--resources", #"{"licence": 2}"#], "true")
        #expect(
            try await why("needy").hasPrefix(
                "queued: needs 2 licence; workers of pool default have none"))
        try cluster.startWorker(
            2,
            options: [
                "--pool", "night", "--pool", "default", "--resource", "licence=2", "--label", "a=b",
            ])
        for job in ["pooled", "needy"] {
            #expect(try await cluster.manta(["job", "wait", job]).exit == .code(0))
        }
        let list = try await HeadProbe(cluster).get("/api/cluster")
        #expect(list.text.contains("\"night\"") && list.text.contains("\"licence\":2000"))
    }

    @Test("A dead task is shown with its last lines, and tried again alone")
    func deadTask() async throws {
        let cluster = try await cluster()
        let flag = cluster.folder + "/work/alive"
        let source = """
            import Foundation
            import Manta
            let fragile = RemoteTask("fragile", cpus: 0.1) { (n: Int, _) async throws -> Int in
                print("trying", n)
                if !FileManager.default.fileExists(atPath: "\(flag)") { exit(7) }
                return n
            }
            try await runJob { cluster in
                do {
                    _ = try await cluster.run(
                        fragile.options(maxRetries: 1, retryDelay: .milliseconds(10)), 5)
                } catch {
                    print("lost:", "\\(error)".contains("exit code 7"))
                    while !FileManager.default.fileExists(atPath: "\(flag)") {
                        try await Task.sleep(for: .milliseconds(100))
                    }
                    try await Task.sleep(for: .seconds(2))
                }
            }
            """
        _ = try await cluster.submit(
            source, named: "fragile.swift", options: ["--submission-id", "fragile", "--no-wait"])
        try await eventually("the task is dead", within: .seconds(60)) {
            try await cluster.manta(["job", "logs", "fragile"]).out.contains("lost: true")
        }
        let dead = try await cluster.manta(["job", "tasks", "fragile", "--dead"])
        #expect(dead.exit == .code(0))
        #expect(dead.outLines[0].hasPrefix("TASK") && dead.outLines[1].hasPrefix("fragile/"))
        #expect(dead.outLines[1].contains("failed  2/2") && dead.out.contains("exit code 7"))
        #expect(dead.outLines.count { $0 == "    | trying 5" } == 2, "\(dead.out)")
        #expect(try await why("fragile").contains("1 task failed for good: fragile, exit code 7"))
        let task = try #require(dead.outLines[1].split(separator: " ").first.map(String.init))
        _ = try cluster.write("", named: "alive")
        let again = try await cluster.manta(["job", "retry", "fragile", "--task", task])
        #expect(again.exit == .code(0) && again.out.hasPrefix("Task '\(task)' of job 'fragile': "))
        try await eventually("it succeeds") {
            let tasks = try await cluster.manta(["job", "tasks", "fragile"]).out
            return tasks.split(separator: "\n").contains { line in
                line.hasPrefix("fragile/") && line.contains("succeeded")
            }
        }
        let none = try await cluster.manta(["job", "stop", "fragile", "--task", "none/12345"])
        #expect(none.exit == .code(3) && none.err.contains("job tasks fragile"))
        #expect(try await cluster.manta(["job", "wait", "fragile"]).exit == .code(0))
    }

    @Test("Two heads on one Redis fire a schedule once")
    func schedules() async throws {
        let cluster = try await cluster()
        try await cluster.startSecondHead()
        let put = try await cluster.manta([
            "job", "submit", "--cron", "0 0 1 1 *", "--schedule-name", "yearly", "--",
            "echo new year",
        ])
        #expect(put.exit == .code(0), "\(put.err)")
        #expect(put.out.hasPrefix("Schedule 'yearly' is set: 0 0 1 1 * (UTC).\nNext fire: 20"))
        // As if nobody had been there since 1970.
        _ = try await CommandRun.run(
            "redis-cli",
            ["-p", String(cluster.redis.port), "ZADD", "manta:fires", "60000", "yearly"],
            environment: ProcessInfo.processInfo.environment, in: "/tmp")
        try await eventually("the schedule fired", within: .seconds(30)) {
            try await cluster.manta(["job", "list"]).out.contains("yearly-20")
        }
        try await Task.sleep(for: .seconds(1))
        let list = try await cluster.manta(["job", "list"]).outLines
        #expect(list.count { $0.hasPrefix("yearly-") } == 1)
        let fires = ["head", "head-2"].map { role in
            cluster.log(of: role).components(separatedBy: "schedule fired").count - 1
        }
        #expect(fires.reduce(0, +) == 1, "\(fires)")
        let shown = try await cluster.manta(["job", "schedules"]).out
        #expect(shown.hasPrefix("NAME    CRON") && shown.contains("yearly-20"))
        #expect(try await cluster.manta(["job", "schedules", "delete", "yearly"]).exit == .code(0))
        #expect(try await cluster.manta(["job", "schedules", "delete", "yearly"]).exit == .code(3))
        let bad = try await cluster.manta([
            "job", "submit", "--cron", "61 * * * *", "--schedule-name", "x", "--", "true",
        ])
        #expect(bad.exit == .code(2) && bad.err.contains("cron: "))
    }

    @Test("`manta top` prints once where there is no terminal, and JSON on demand")
    func top() async throws {
        let cluster = try await cluster()
        let text = try await cluster.manta(["top"])
        #expect(text.exit == .code(0) && text.out.hasPrefix("manta "))
        #expect(text.outLines.contains { $0.hasPrefix("worker-1 ") })
        #expect(!text.out.contains("\u{1B}"))
        let json = try await cluster.manta(["top", "--json"]).out
        let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
        #expect((object?["load"] as? [String: Any])?["pending_jobs"] as? Int != nil)
    }
}
