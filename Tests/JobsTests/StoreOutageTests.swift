import Redis
import TestSupport
import Testing

@testable import Jobs

/// What the store promises when its server dies, on a server of its own.
@Suite struct StoreOutageTests {
    @Test("With AOF always, nothing acknowledged is lost by a kill -9, and work goes on")
    func killed() async throws {
        let server = try await RedisServer.start(["--appendonly", "yes", "--appendfsync", "always"])
        var options = RedisOptions()
        options.patience = .seconds(60)
        let client = RedisClient(try RedisEndpoint(url: server.url), options)
        let store = RedisJobStore(client: client, namespace: "o")
        let bench = StoreBench(store: store, pass: { _ in }, redis: store)
        let driver = try await bench.drive("a")
        let tasks = (0..<20).map { makeTask("t\($0)", job: "a") }
        try await bench.add(tasks, driver)
        let held = try await bench.claim(max: 10).grants
        _ = try await bench.finish(held[0].lease, .succeeded(.inline([1])))
        try await server.restart()
        #expect(try await bench.state(tasks[0]) == .succeeded(.inline([1])))
        // The leases outlived the server: results that were held back are taken.
        for grant in held[1...] {
            let reply = try await bench.finish(grant.lease, .succeeded(.inline([2])))
            #expect(reply == .committed)
        }
        let rest = try await bench.claim().grants
        #expect(rest.map(\.task.spec) == Array(tasks[10...]))
        #expect(rest.allSatisfy { grant in held.allSatisfy { $0.lease.token < grant.lease.token } })
        client.close()
        await server.stop()
    }

    @Test("While the server is away calls fail as unavailable, and readers hear of its return")
    func away() async throws {
        let server = try await RedisServer.start()
        var options = RedisOptions()
        options.patience = .milliseconds(100)
        let client = RedisClient(try RedisEndpoint(url: server.url), options)
        let store = RedisJobStore(client: client, namespace: "o")
        let ear = SignalEar(store.signals())
        // The subscription may have stood before we asked.
        try await ear.hears(.anything, countsEarlier: true) {}
        await server.kill()
        await #expect { try await store.job(.a) } throws: { error in
            if case JobStoreError.unavailable = error { true } else { false }
        }
        try await ear.hears(.anything) { try await server.restart() }
        #expect(try await store.job(.a) == nil)
        ear.close()
        await store.close()
        client.close()
        await server.stop()
    }
}
