import Synchronization
import TestSupport
import Testing

@testable import Redis

@Suite struct RedisClientTests {
    private func makeClient(
        _ adjust: (inout RedisOptions) -> Void = { _ in }
    ) async throws -> RedisClient {
        var options = RedisOptions()
        adjust(&options)
        let server = try await RedisServer.shared()
        return RedisClient(try RedisEndpoint(url: server.socketURL), options)
    }

    @Test("Every kind of reply arrives as it was sent")
    func replies() async throws {
        let client = try await makeClient()
        #expect(try await client.send(RedisCommand("PING")) == .status("PONG"))
        #expect(try await client.send(RedisCommand("GET", "client:none")) == .null)
        #expect(try await client.send(RedisCommand("INCRBY", "client:n", "-5")) == .integer(-5))
        var set = RedisCommand("SET", "client:bytes")
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
        set.append(bytes)
        _ = try await client.send(set)
        #expect(try await client.send(RedisCommand("GET", "client:bytes")) == .bulk(bytes))
        let nested = RedisCommand("EVAL", "return {1, {'a', {}}, false, {ok = 'x'}}", "0")
        #expect(
            try await client.send(nested)
                == .array([
                    .integer(1), .array([.bulk([97]), .array([])]), .null, .status("x"),
                ]))
    }

    @Test("An error of the server is thrown with its code")
    func serverErrors() async throws {
        let client = try await makeClient()
        _ = try await client.send(RedisCommand("SET", "client:text", "x"))
        await #expect { try await client.send(RedisCommand("LPUSH", "client:text", "1")) } throws: {
            if case RedisError.server(let error) = $0 { error.code == .wrongType } else { false }
        }
        await #expect { try await client.send(RedisCommand("NO-SUCH-COMMAND")) } throws: {
            if case RedisError.server(let error) = $0 { error.code == .other } else { false }
        }
    }

    @Test("Many callers share few connections and each gets its own reply")
    func concurrency() async throws {
        let client = try await makeClient()
        let sum = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<2_000 {
                group.addTask {
                    try await client.send(RedisCommand("ECHO", "\(number)")).string == "\(number)"
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(sum == 2_000)
        let many = try await client.send((0..<50).map { RedisCommand("ECHO", "\($0)") })
        #expect(many.map(\.string) == (0..<50).map { "\($0)" })
    }

    @Test("A function is loaded when it is called, also after the server forgot it")
    func functions() async throws {
        let client = try await makeClient()
        let text = "redis.register_function('test_1_add', function(k, a) return k[1] .. a[1] end)"
        let library = RedisLibrary(name: "test_1", text: "#!lua name=test_1\n" + text)
        let add = RedisFunction("add", in: library)
        for _ in 0..<2 {
            let reply = try await client.run(add, keys: ["a"], arguments: RedisCommand("b"))
            #expect(reply.string == "ab")
        }
        _ = try await client.send(RedisCommand("FUNCTION", "FLUSH"))
        let reply = try await client.run(add, keys: ["a"], arguments: RedisCommand("c"))
        #expect(reply.string == "ac")
    }

    @Test("A reply beyond the bound is refused and the client goes on")
    func largeReply() async throws {
        let client = try await makeClient { $0.replyMaxInBytes = 100_000 }
        let large = RedisCommand("EVAL", "return string.rep('x', 3000000)", "0")
        await #expect(throws: RedisError.replyTooLarge(maximumInBytes: 100_000)) {
            try await client.send(large)
        }
        #expect(try await client.send(RedisCommand("PING")) == .status("PONG"))
    }

    @Test("A closed client refuses")
    func closed() async throws {
        let client = try await makeClient()
        _ = try await client.send(RedisCommand("PING"))
        client.close()
        await #expect(throws: RedisError.closed) { try await client.send(RedisCommand("PING")) }
    }

    @Test("When nobody answers, commands fail in time and say where")
    func nobody() async throws {
        var options = RedisOptions()
        options.patience = .milliseconds(200)
        let endpoint = RedisEndpoint(address: .unix(path: "/nonexistent/redis.sock"))
        let client = RedisClient(endpoint, options)
        let start = ContinuousClock.now
        await #expect {
            try await client.send(RedisCommand("PING"))
        } throws: {
            if case RedisError.unavailable(let cause) = $0 {
                cause.contains("/nonexistent/redis.sock")
            } else {
                false
            }
        }
        #expect(ContinuousClock.now - start < .seconds(20))
        client.close()
    }

    @Test("More commands than may wait are refused at once")
    func pendingBound() async throws {
        var options = RedisOptions()
        options.pendingMax = 3
        options.patience = .milliseconds(300)
        let client = RedisClient(
            RedisEndpoint(address: .unix(path: "/nonexistent/redis.sock")), options)
        let causes = await withTaskGroup(of: String.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    do throws(RedisError) {
                        return "\(try await client.send(RedisCommand("PING")))"
                    } catch {
                        return error.description
                    }
                }
            }
            return await group.reduce(into: [String]()) { $0.append($1) }
        }
        #expect(causes.contains { $0.contains("3 commands already wait") })
        client.close()
    }
}

/// Servers that go away, come back, or stand still. Each test has a server of its own.
@Suite struct RedisOutageTests {
    @Test("The client comes back after a restart, and commands wait meanwhile")
    func restart() async throws {
        let server = try await RedisServer.start(["--appendonly", "yes", "--appendfsync", "always"])
        var options = RedisOptions()
        options.patience = .seconds(60)
        let client = RedisClient(try RedisEndpoint(url: server.url), options)
        _ = try await client.send(RedisCommand("SET", "kept", "1"))
        await server.kill()
        async let waiting = client.send(RedisCommand("GET", "kept"))
        try await server.restart()
        #expect(try await waiting.string == "1")
        client.close()
        await server.stop()
    }

    @Test("A server that stands still costs the reply timeout, not for ever")
    func frozen() async throws {
        let server = try await RedisServer.start()
        var options = RedisOptions()
        options.replyTimeout = .milliseconds(200)
        options.connectTimeout = .milliseconds(200)
        options.patience = .milliseconds(300)
        let client = RedisClient(try RedisEndpoint(url: server.url), options)
        _ = try await client.send(RedisCommand("PING"))
        server.freeze()
        await #expect {
            try await client.send(RedisCommand("PING"), isRepeatable: false)
        } throws: { if case RedisError.lost = $0 { true } else { false } }
        await #expect(throws: RedisError.self) { try await client.send(RedisCommand("PING")) }
        server.thaw()
        let deadline = ContinuousClock.now + .seconds(20)
        var isBack = false
        while !isBack, ContinuousClock.now < deadline {
            isBack = (try? await client.send(RedisCommand("PING"))) == .status("PONG")
        }
        #expect(isBack)
        client.close()
        await server.stop()
    }

    @Test("A subscription hears messages and says when it is back after a loss")
    func subscription() async throws {
        let server = try await RedisServer.start()
        let endpoint = try RedisEndpoint(url: server.url)
        let events = Mutex<[RedisSubscription.Event]>([])
        let subscription = RedisSubscription(endpoint, channel: "c") { event in
            events.withLock { $0.append(event) }
        }
        let client = RedisClient(endpoint)
        try await until { events.withLock { $0 } == [.connected] }
        _ = try await client.send(RedisCommand("PUBLISH", "c", "hello"))
        try await until { events.withLock { $0 }.last == .message(Array("hello".utf8)) }
        try await server.restart()
        try await until { events.withLock { $0 }.last == .connected }
        _ = try await client.send(RedisCommand("PUBLISH", "c", "again"))
        try await until { events.withLock { $0 }.last == .message(Array("again".utf8)) }
        subscription.close()
        client.close()
        await server.stop()
    }

    private func until(_ condition: () -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while !condition() {
            try #require(ContinuousClock.now < deadline)
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
