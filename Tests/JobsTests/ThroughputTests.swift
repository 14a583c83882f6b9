import Foundation
import Redis
import TestSupport
import Testing

@testable import Jobs

/// The store must not be what limits a cluster of short tasks.
@Suite struct ThroughputTests {
    @Test("Thousands of tasks pass through enqueue, claim and finish in seconds")
    func manyTasks() async throws {
        let taskCount = 4_000
        let bench = try await StoreBench.make(.redis, StoreLimits())
        let driver = try await bench.drive("a")
        for first in stride(from: 0, to: taskCount, by: 500) {
            try await bench.add(
                (first..<first + 500).map { makeTask("t\($0)", job: "a", input: [1]) }, driver)
        }
        let before = try await ThroughputTests.scriptMicros(bench)
        let start = ContinuousClock.now
        let done = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<4 {
                group.addTask { try await ThroughputTests.work(bench, "w-\(number)") }
            }
            return try await group.reduce(0, +)
        }
        let seconds = ContinuousClock.now - start
        #expect(done == taskCount)
        #expect(try await bench.store.job(.a)?.tasksSucceeded == taskCount)
        #expect(seconds < .seconds(60))
        let micros = try await ThroughputTests.scriptMicros(bench) - before
        ThroughputTests.report(
            "\(taskCount) tasks in \(seconds); \(micros / taskCount) µs of Redis each")
    }

    /// What this server's scripts took since it started. Meaningful when no other test runs.
    private static func scriptMicros(_ bench: StoreBench) async throws -> Int {
        let (client, _) = try bench.parts()
        let text = try await client.send(RedisCommand("INFO", "commandstats")).string ?? ""
        let line = text.split(separator: "\r\n").first { $0.hasPrefix("cmdstat_fcall:") }
        let field = line?.split(separator: ",").first { $0.hasPrefix("usec=") }
        return field.flatMap { Int($0.dropFirst("usec=".count)) } ?? 0
    }

    /// Appends a line to the file that `MANTA_THROUGHPUT_REPORT` names.
    private static func report(_ line: String) {
        guard let path = ProcessInfo.processInfo.environment["MANTA_THROUGHPUT_REPORT"],
            let file = FileHandle(forWritingAtPath: path)
        else { return }
        file.seekToEndOfFile()
        file.write(Data((line + "\n").utf8))
        file.closeFile()
    }

    private static func work(_ bench: StoreBench, _ worker: String) async throws -> Int {
        var count = 0
        var endings: [AttemptEnding] = []
        repeat {
            let reply = try await bench.claim(worker, endings: endings)
            count += reply.endings.count { $0 == .committed }
            endings = reply.grants.map {
                AttemptEnding(lease: $0.lease, outcome: .succeeded(.inline([2])))
            }
        } while !endings.isEmpty
        return count
    }
}
