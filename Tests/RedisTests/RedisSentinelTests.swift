import Synchronization
import TestSupport
import Testing

@testable import Redis

/// Following the primary that real Sentinels name.
@Suite struct RedisSentinelTests {
    @Test(
        "Every documented form is read",
        arguments: [
            (
                "redis+sentinel://a,b:1,[::1]:2/mymaster",
                "redis+sentinel://a:26379,b:1,[::1]:2/mymaster/0"
            ),
            ("sentinel://a/m/3", "redis+sentinel://a:26379/m/3"),
            ("redis-sentinel://a/m?db=4", "redis+sentinel://a:26379/m/4"),
        ])
    func reads(_ url: String, _ expected: String) throws {
        #expect("\(try RedisEndpoint(url: url))" == expected)
    }

    @Test("The passwords of Redis and of its Sentinels are two")
    func passwords() throws {
        let endpoint = try RedisEndpoint(
            url: "redis+sentinel://me:p%40ss@a:1,b/m/2?sentinel_password=s%2Fx")
        #expect(endpoint.user == "me" && endpoint.password == "p@ss" && endpoint.database == 2)
        guard case .sentinels(let sentinels) = endpoint.address else {
            Issue.record("\(endpoint) names no Sentinels")
            return
        }
        #expect(sentinels.password == "s/x" && sentinels.places.count == 2)
        #expect(!"\(endpoint)".contains("ss") && !"\(endpoint)".contains("s/x"))
    }

    @Test(
        "What names no Sentinels is refused without the password",
        arguments: [
            "redis+sentinel://", "redis+sentinel:///m", "redis+sentinel://:secret@a",
            "redis+sentinel://a/", "redis+sentinel://a,/m", "redis+sentinel://a:0/m",
            "redis+sentinel://a/m/x", "redis+sentinel://a/m/1/2", "redis+sentinel://a/m?x=secret",
            "redis+sentinel://a/m%0a", "redis+sentinel://a/m?sentinel_password=%zz",
            "redis+sentinel://" + Array(repeating: "a", count: 17).joined(separator: ",") + "/m",
        ])
    func refuses(_ url: String) {
        let error = #expect(throws: RedisURLError.self) { try RedisEndpoint(url: url) }
        #expect(error?.description.isEmpty == false)
        #expect(error?.description.contains("secret") == false)
    }

    @Test("A client and a subscription follow a fail-over, and stay away from the old primary")
    func failover() async throws {
        let first = try await RedisServer.start(["--repl-diskless-sync-delay", "0"])
        let second = try await RedisServer.start(["--replicaof", "127.0.0.1", String(first.port)])
        let sentinel = try SentinelServer(watching: first.port, as: "store")
        try await seen(second.port, by: sentinel)
        // The first of the two is not there.
        let gone = try await RedisServer.start()
        await gone.stop()
        let endpoint = try RedisEndpoint(
            url: "redis+sentinel://127.0.0.1:\(gone.port),127.0.0.1:\(sentinel.port)/store/1")
        let client = RedisClient(endpoint)
        _ = try await client.send(RedisCommand("SET", "a", "1"))
        let direct = RedisClient(
            RedisEndpoint(address: .unix(path: second.socketPath), database: 1))
        try await eventually("the replica has it") {
            try await direct.send(RedisCommand("GET", "a")) == .bulk([49])
        }
        let heard = Heard()
        let subscription = RedisSubscription(endpoint, channel: "news") { heard.add($0) }
        try await eventually("the subscription listens") { heard.connections == 1 }

        await first.kill()
        try await eventually("the client writes to the new primary") {
            (try? await client.send(RedisCommand("SET", "b", "2"))) == .status("OK")
        }
        #expect(try await client.send(RedisCommand("GET", "a")) == .bulk([49]))
        try await eventually("the subscription listens there") { heard.connections >= 2 }
        _ = try await client.send(RedisCommand("PUBLISH", "news", "x"))
        try await eventually("it hears") { heard.messages == 1 }

        // Back as a primary until the Sentinel has told it otherwise; nobody writes to it.
        try await first.restart()
        _ = try await client.send(RedisCommand("SET", "c", "3"))
        #expect(try await direct.send(RedisCommand("GET", "c")) == .bulk([51]))
        subscription.close()
        sentinel.stop()
        for server in [first, second] { await server.stop() }
    }

    @Test("A name that the Sentinels do not know, and Sentinels that are away, are told")
    func unknown() async throws {
        let server = try await RedisServer.start()
        let sentinel = try SentinelServer(watching: server.port, as: "store")
        var options = RedisOptions()
        options.patience = .milliseconds(500)
        try await eventually("the Sentinel answers") {
            let client = RedisClient(
                try RedisEndpoint(url: "redis+sentinel://127.0.0.1:\(sentinel.port)/store"),
                options)
            return (try? await client.send(RedisCommand("PING"))) == .status("PONG")
        }
        let other = RedisClient(
            try RedisEndpoint(url: "redis+sentinel://127.0.0.1:\(sentinel.port)/other"), options)
        await #expect {
            try await other.send(RedisCommand("PING"))
        } throws: { error in
            "\(error)".contains("knows no primary") && "\(error)".contains("\(sentinel.port)")
        }
        sentinel.stop()
        let away = RedisClient(
            try RedisEndpoint(url: "redis+sentinel://127.0.0.1:\(sentinel.port)/store"), options)
        await #expect {
            try await away.send(RedisCommand("PING"))
        } throws: { error in
            if case RedisError.unavailable(let cause) = error {
                cause.contains("no Sentinel names the primary of store")
            } else {
                false
            }
        }
        await server.stop()
    }

    private func seen(_ replica: Int, by sentinel: SentinelServer) async throws {
        let client = RedisClient(
            RedisEndpoint(address: .tcp(host: "127.0.0.1", port: sentinel.port)))
        try await eventually("the Sentinel has seen the replica") {
            let reply = try? await client.send(RedisCommand("SENTINEL", "replicas", "store"))
            return reply?.array?.first?.array?.contains { $0.string == "\(replica)" } == true
        }
    }

    private func eventually(
        _ what: Comment, _ condition: () async throws -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try await !condition() {
            try #require(ContinuousClock.now < deadline, what)
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}

/// What a subscription was told.
private final class Heard: Sendable {
    private let counts = Mutex((connections: 0, messages: 0))
    var connections: Int { counts.withLock { $0.connections } }
    var messages: Int { counts.withLock { $0.messages } }

    func add(_ event: RedisSubscription.Event) {
        counts.withLock { counts in
            switch event {
            case .connected: counts.connections += 1
            case .message: counts.messages += 1
            }
        }
    }
}
