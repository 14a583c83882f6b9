import Foundation
import Redis
import Testing

@testable import Jobs

@Suite struct RedisKeysTests {
    @Test("Names are filled in, in Swift as in Lua")
    func names() async throws {
        let keys = RedisKeys(namespace: "n")
        #expect(keys.name(.token) == "n:token")
        #expect(keys.name(.waiting, "j", "s;1") == "n:job:j:waiting:s;1")
        #expect(keys.name(.ready, "s") == "n:ready:s")
        let client = try await SharedRedis.client()
        let text = """
            #!lua name=keys_test
            \(RedisKeys.lua)
            redis.register_function('keys_test_names', function(keys)
              P = keys[1]
              return {K.token(), K.waiting('j', 's;1'), K.logState('j')}
            end)
            """
        let names = RedisFunction("names", in: RedisLibrary(name: "keys_test", text: text))
        let reply = try await client.run(names, keys: [keys.prefix], arguments: RedisCommand())
        #expect(
            reply.array?.map(\.string) == ["n:token", "n:job:j:waiting:s;1", "n:job:j:log-state"])
    }

    @Test("docs/REDIS.md lists every key and no other")
    func documented() throws {
        let rows = try RedisKeysTests.documentedKeys()
        #expect(rows.map(\.pattern) == RedisKey.allCases.map(\.rawValue))
    }

    @Test("Whatever is done, only documented keys of the documented types come to be")
    func real() async throws {
        let bench = try await StoreBench.make(.redis, StoreLimits())
        try await RedisKeysTests.useEverything(bench)
        let (client, keys) = try bench.parts()
        let rows = try RedisKeysTests.documentedKeys()
        let found = try await client.send(RedisCommand("KEYS", keys.prefix + "*")).array ?? []
        var met: Set<String> = []
        for name in found.compactMap(\.string) where !name.hasSuffix(":test-clock") {
            let row = rows.first {
                RedisKeysTests.matches(name.dropFirst(keys.prefix.count), $0.pattern)
            }
            let type = try await client.send(RedisCommand("TYPE", name)).string
            #expect(row?.type == type, "\(name) is a \(type ?? "nothing")")
            if let row { met.insert(row.pattern) }
        }
        #expect(met == Set(rows.map(\.pattern)).subtracting(["signals"]), "all were met")
    }

    /// Leaves at least one key of every kind behind.
    private static func useEverything(_ bench: StoreBench) async throws {
        let (client, keys) = try bench.parts()
        try await StoreFormat.agree(client, keys, program: "1")
        let over = try await bench.drive("over")
        for _ in 0..<2 { _ = try await bench.finish(over, .succeeded(.inline([]))) }
        let driver = try await bench.drive("a")
        var follower = newJob("after")
        follower.after = [.a]
        _ = try await bench.store.submit(follower)
        try await bench.add(
            (0..<4).map { makeTask("t\($0)", job: "a", retry: .task) }, driver)
        _ = try await bench.finish(try await bench.claimOne(), .succeeded(.inline([1])))
        let crash = AttemptOutcome.crashed(message: "x", exitCode: 1, signal: nil)
        _ = try await bench.finish(try await bench.claimOne(), crash)
        _ = try await bench.claimOne()
        let bounded = makeTask("b", job: "a", deadlines: Deadlines(scheduleToClose: 9_000))
        try await bench.add([bounded, makeTask("f", job: "a", priority: 1)], driver)
        _ = try await bench.finish(try await bench.claimOne(), .failed(message: "x"))
        _ = try await bench.heartbeat("w-1")
        _ = try await bench.store.beginBuild("k", by: WorkerID(rawValue: "w-1"))
        let line = LogLine(stream: .out, prefix: "", text: "x", time: 0)
        try await bench.store.appendLogs([line], to: .a)
        _ = try await bench.blobStore(budget: 100).put([1])
        _ = try await bench.store.put(Schedule(name: "s", cron: "* * * * *", job: newJob("s")))
        try await bench.pass(60_000)
        _ = try await bench.store.fireSchedules()
        try await bench.removeFromOrigin()
    }

    private static func documentedKeys() throws -> [(pattern: String, type: String)] {
        let file = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("docs/REDIS.md")
        let text = try String(contentsOf: file, encoding: .utf8)
        let section = text.components(separatedBy: "## ").first { $0.hasPrefix("Keys") } ?? ""
        return section.split(separator: "\n").filter { $0.hasPrefix("| `") }.map { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            return (cells[0].trimmingCharacters(in: ["`"]), cells[1])
        }
    }

    /// Whether a key could have been made from the pattern; holes hold no colon, but shapes may.
    private static func matches(_ key: Substring, _ pattern: String) -> Bool {
        let expression = pattern.replacingOccurrences(
            of: "<[a-z]+>", with: "[^:]+", options: .regularExpression)
        return key.range(of: "^\(expression)$", options: .regularExpression) != nil
    }
}
