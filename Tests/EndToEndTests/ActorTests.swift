import Foundation
import Testing

/// Actors on a head and two workers: real processes, a real store, real deaths.
@Suite(.serialized) struct ActorTests {
    private static let cluster = Task { try await TestCluster.start(workers: 2, cpus: 2) }
    private func cluster() async throws -> TestCluster { try await Self.cluster.value }

    /// A counter that can say where it lives, and die of itself.
    private static func script(_ options: String, _ body: String) -> String {
        """
        import Foundation
        import Manta
        enum Message: Codable, Sendable { case add(Int), pid, die, sleep }
        struct Counter: RemoteActor {
            var sum: Int
            init(_ start: Int, context: TaskContext) throws {
                print("made with", start)
                if start < 0 { throw Odd() }
                sum = start
            }
            mutating func receive(_ message: Message) async throws -> Int {
                switch message {
                case .add(let amount): sum += amount
                case .pid: return Int(getpid())
                case .die: kill(getpid(), SIGKILL)
                case .sleep: try await Task.sleep(for: .seconds(600))
                }
                return sum
            }
        }
        struct Odd: Error, CustomStringConvertible { var description: String { "below zero" } }
        let counters = RemoteActorKind("counter", Counter.self\(options))
        let double = RemoteTask("double") { (n: Int, _) async throws -> Int in 2 * n }
        try await runJob { cluster in
        \(body)
        }
        """
    }

    @Test("State is kept between calls, in order, beside tasks of the same job")
    func state() async throws {
        let cluster = try await cluster()
        let output = try await cluster.submit(
            Self.script(
                "",
                """
                let first = try await cluster.start(counters, with: 10)
                let second = try await cluster.start(counters, with: 100)
                var sums: [Int] = []
                for amount in 1...20 { sums.append(try await first.ask(.add(amount))) }
                print(sums == (1...20).map { 10 + $0 * ($0 + 1) / 2 })
                print(try await second.ask(.add(1)), try await cluster.map(double, over: 1...3))
                print(try await first.ask(.pid) != second.ask(.pid))
                let pid = try await second.ask(.pid)
                await second.stop()
                do { _ = try await second.ask(.add(1)) } catch { print(error) }
                // Its process is gone, not only the handle.
                var isGone = false
                for _ in 0..<200 where !isGone {
                    isGone = kill(pid_t(pid), 0) != 0
                    try await Task.sleep(for: .milliseconds(50))
                }
                print("gone", isGone)
                """), named: "state.swift")
        #expect(output.exit == .code(0), "\(output.err)\n\(output.out)")
        let lines = output.outLines
        #expect(lines.filter { $0 == "true" }.count == 2, "\(output.out)")
        #expect(lines.contains("101 [2, 4, 6]") && lines.contains("gone true"))
        #expect(lines.contains("actor \"counter/1\" was stopped"))
        #expect(
            lines.contains { $0.hasPrefix("(counter/0 pid=") && $0.hasSuffix(") made with 10") })
    }

    @Test("A death is told with its cause; without restarts it is final, queued calls included")
    func death() async throws {
        let cluster = try await cluster()
        let output = try await cluster.submit(
            Self.script(
                "",
                """
                let counter = try await cluster.start(counters, with: 0)
                print(try await counter.ask(.add(5)))
                do { _ = try await counter.ask(.die) } catch ActorError.died(let name, let cause) {
                    print("first", name, cause)
                }
                do { _ = try await counter.ask(.add(1)) } catch ActorError.died(_, let cause) {
                    print("second", cause)
                }
                let unborn = try await cluster.start(counters, with: -1)
                do { _ = try await unborn.ask(.add(1)) } catch { print(error) }
                """), named: "death.swift")
        #expect(output.exit == .code(0), "\(output.err)\n\(output.out)")
        #expect(output.outLines.contains("5"))
        #expect(output.out.contains("first counter/0") && output.out.contains("SIGKILL"))
        #expect(
            output.outLines.contains { $0.hasPrefix("second") && $0.contains("SIGKILL") },
            "\(output.out)")
        #expect(output.out.contains("actor \"counter/1\" died: below zero"))
    }

    @Test("With restarts it begins again from init; an interrupted call is sent again if it may be")
    func restarts() async throws {
        let cluster = try await cluster()
        let output = try await cluster.submit(
            Self.script(
                ", restarts: 1, callRetries: 1",
                """
                let counter = try await cluster.start(counters, with: 7)
                print(try await counter.ask(.add(5)))
                let pid = try await counter.ask(.pid)
                // Its process dies while a call is on its way or not: the next one finds another.
                kill(pid_t(pid), SIGKILL)
                print("again", try await counter.ask(.add(1)))
                print("other", try await counter.ask(.pid) != pid)
                do { _ = try await counter.ask(.die) } catch ActorError.died(_, let cause) {
                    print("final", cause.contains("SIGKILL"))
                }
                """), named: "restarts.swift")
        #expect(output.exit == .code(0), "\(output.err)\n\(output.out)")
        for line in ["12", "again 8", "other true", "final true"] {
            #expect(output.outLines.contains(line), "\(line): \(output.out)")
        }
    }

    @Test("An actor ends with its job: nothing is left when a job that waits for one is stopped")
    func stop() async throws {
        let cluster = try await cluster()
        let id = "actor-\(UUID().uuidString)"
        _ = try await cluster.submit(
            Self.script(
                "",
                """
                let counter = try await cluster.start(counters, with: 0)
                print("pid", try await counter.ask(.pid))
                _ = try await counter.ask(.sleep)
                """), named: "stopped.swift", options: ["--no-wait", "--submission-id", id])
        var pid: Int32?
        try await eventually("the actor lives", within: .seconds(60)) {
            let log = try await cluster.manta(["job", "logs", id]).outLines
            pid = log.first { $0.hasPrefix("pid ") }.flatMap { Int32($0.dropFirst(4)) }
            return pid != nil
        }
        let actor = try #require(pid)
        #expect(kill(actor, 0) == 0)
        _ = try await cluster.manta(["job", "stop", id])
        try await eventually("the actor is gone") { kill(actor, 0) != 0 }
    }

    @Test("A lost worker takes its actor along; the next one answers on, in order, from its init")
    func workerLost() async throws {
        let cluster = try await TestCluster.start(workers: 3)
        let id = "lost-home"
        let script = Self.script(
            ", restarts: 1, callRetries: 1",
            """
            let counter = try await cluster.start(counters, with: 0)
            for _ in 1...60 {
                print("sum", try await counter.ask(.add(1)))
                try await Task.sleep(for: .milliseconds(100))
            }
            """)
        _ = try await cluster.submit(
            script, named: "home.swift", options: ["--no-wait", "--submission-id", id])
        var home: Substring?
        try await eventually("the actor lives, and answered", within: .seconds(60)) {
            let lines = try await cluster.log(ofJob: id)
            let made = lines.first { $0.contains(") made with 0") }
            home = made?.firstMatch(of: /node=([^)]+)\)/)?.1
            return home != nil && lines.contains("sum 5")
        }
        try await cluster.kill(String(try #require(home)))
        #expect(try await cluster.end(of: id).status == "SUCCEEDED")
        let lines = try await cluster.log(ofJob: id)
        #expect(lines.count { $0.contains(") made with 0") } == 2, "\(lines)")
        // A driver that was lost too says everything again: its last word counts.
        let sums = lines.filter { $0.hasPrefix("sum ") }.compactMap { Int($0.dropFirst(4)) }
            .suffix(60)
        let first = sums.dropFirst().firstIndex(of: 1) ?? sums.endIndex
        #expect(Array(sums[..<first]) == Array(1...sums[..<first].count), "\(sums)")
        #expect(Array(sums[first...]) == Array(1...max(1, sums[first...].count)), "\(sums)")
        await cluster.stop()
    }
}
