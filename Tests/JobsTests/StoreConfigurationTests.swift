import Redis
import TestSupport
import Testing

@testable import Jobs

@Suite struct StoreConfigurationTests {
    @Test("memory: opens stores of this process")
    func memory() async throws {
        let configuration = try StoreConfiguration(url: "memory:")
        let jobs = try await configuration.openJobStore()
        #expect(try await jobs.submit(newJob("a")).state == .active(.queued))
        let blobs = try await configuration.openBlobStore()
        #expect(try await blobs.get(blobs.put([1])) == [1])
    }

    @Test("A Redis URL opens stores that other processes share")
    func redis() async throws {
        let server = try await RedisServer.shared()
        let namespace = "t\(UInt64.random(in: 0 ... .max))"
        let one = try await StoreConfiguration(url: server.url, namespace: namespace).openJobStore()
        let two = try await StoreConfiguration(url: server.socketURL, namespace: namespace)
            .openJobStore()
        _ = try await one.submit(newJob("a"))
        #expect(try await two.job(.a)?.spec == newJob("a"))
        await one.close()
        await two.close()
        await #expect(throws: JobStoreError.self) { try await one.job(.a) }
    }

    @Test(
        "What cannot be used is refused in words that help",
        arguments: [
            ("rediss://h", "manta", nil, "TLS"), ("redis+sentinel://h", "manta", nil, "primary"),
            ("http://h", "manta", nil, "redis://"), ("redis:x", "manta", nil, "port"),
            ("memory:", "a b", nil, "namespace"), ("memory:", "", nil, "namespace"),
            ("memory:", "manta", "relative", "absolute"),
            ("memory:", "manta", "s3://bucket", "AWS_ACCESS_KEY_ID"),
        ] as [(String, String, String?, String)])
    func refused(_ url: String, _ namespace: String, _ origin: String?, _ word: String) {
        let error = #expect(throws: StoreConfigurationError.self) {
            try StoreConfiguration(url: url, namespace: namespace, origin: origin)
        }
        #expect(error?.description.contains(word) == true)
    }

    @Test("A Redis that may drop keys is refused with the fix")
    func eviction() async throws {
        let server = try await RedisServer.start(["--maxmemory-policy", "allkeys-lru"])
        let configuration = try StoreConfiguration(url: server.url)
        await #expect { try await configuration.openJobStore() } throws: { error in
            "\(error)".contains("CONFIG SET maxmemory-policy noeviction")
        }
        await #expect(throws: StoreConfigurationError.self) {
            try await configuration.openBlobStore()
        }
        await server.stop()
    }

    @Test("A wrong password is refused as what it is, and the right one works")
    func password() async throws {
        let server = try await RedisServer.start(["--requirepass", "secret"])
        for url in [server.url, "redis://:wrong@127.0.0.1:\(server.port)"] {
            await #expect { try await StoreConfiguration(url: url).openJobStore() } throws: {
                error in
                error is StoreConfigurationError && !"\(error)".contains("wrong@")
            }
        }
        let url = "redis://default:secret@127.0.0.1:\(server.port)/3"
        let store = try await StoreConfiguration(url: url).openJobStore()
        #expect(try await store.submit(newJob("a")).state == .active(.queued))
        await store.close()
        await server.stop()
    }

    @Test("A Redis whose memory is used up refuses new work and still takes endings")
    func memoryUsedUp() async throws {
        let server = try await RedisServer.start()
        let opened = try await StoreConfiguration(url: server.socketURL).openJobStore()
        let store = try #require(opened as? RedisJobStore)
        let bench = StoreBench(store: store, pass: { _ in }, redis: store)
        let driver = try await bench.drive("a")
        try await bench.add([makeTask("t", job: "a")], driver)
        let lease = try await bench.claimOne()
        _ = try await store.client.send(RedisCommand("CONFIG", "SET", "maxmemory", "100kb"))
        try await isFull { _ = try await bench.submit("b") }
        #expect(try await bench.finish(lease, .succeeded(.inline([1]))) == .committed)
        #expect(try await bench.heartbeat("driver-host", [driver]).lost == [])
        #expect(try await bench.finish(driver, .succeeded(.inline([]))) == .committed)
        await store.close()
        await server.stop()
    }
}
