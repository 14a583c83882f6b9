import Synchronization
import Testing

@testable import Serving

/// What a pool does when replicas fail, are busy, or are not there.
@Suite struct ReplicaPoolTests {
    /// Kept for the whole test: replicas that start later read the model again.
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        try folder.add(TestModels.constant(1), as: "One", version: 1)
    }

    private func install(_ pool: ReplicaPool) async throws {
        _ = try await pool.install(folder.path + "/One/1", version: TestPool.version(1))
    }

    /// Asks from several callers until `body` is done; how many replies there were, by status.
    private static func statuses(
        _ pool: ReplicaPool, callers: Int = 8, while body: () async throws -> Void
    ) async throws -> [Int: Int] {
        let isDone = Flag()
        return try await withThrowingTaskGroup(of: [Int: Int].self) { group in
            for _ in 0..<callers {
                group.addTask {
                    var counts: [Int: Int] = [:]
                    while !isDone.isSet {
                        let reply = await pool.predict(TestPool.request())
                        counts[reply.status, default: 0] += 1
                        await Task.yield()
                    }
                    return counts
                }
            }
            try await body()
            isDone.set()
            return try await group.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
        }
    }

    @Test("Replicas that end under load fail no request and are replaced", arguments: [1, 3])
    func deaths(_ count: Int) async throws {
        let launcher = LocalReplicas()
        let pool = try TestPool.make(launcher) { $0.autoscaling = .fixed(count) }
        try await install(pool)
        #expect(await TestPool.eventually { pool.status.ready == count })
        // Each death comes when the one before is made good: a second one would fail a request
        // that met both.
        let statuses = try await Self.statuses(pool) {
            for death in 1...4 {
                launcher.killOne()
                #expect(
                    await TestPool.eventually {
                        pool.status.ready == count && launcher.count == count + death
                    })
                try await Task.sleep(for: .milliseconds(100))
            }
        }
        #expect(statuses.keys.sorted() == [200], "\(statuses)")
        #expect(pool.status.replaced == 4)
        await pool.stop()
    }

    @Test("With no replica, requests are parked until the first one answers, and it goes again")
    func fromZero() async throws {
        let launcher = LocalReplicas()
        let pool = try TestPool.make(launcher) {
            $0.autoscaling.minReplicas = 0
            $0.autoscaling.metricsInterval = .milliseconds(50)
            $0.autoscaling.lookBackPeriod = .milliseconds(50)
            $0.autoscaling.downscaleDelay = .milliseconds(100)
        }
        try await install(pool)
        #expect(await TestPool.eventually { pool.status == ReplicaStatus(replaced: 0) })
        let before = launcher.count
        let replies = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<20 {
                group.addTask { await pool.predict(TestPool.request()).status }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(replies == Array(repeating: 200, count: 20))
        #expect(launcher.count == before + 1)
        #expect(await TestPool.eventually { pool.status.target == 0 && pool.status.ready == 0 })
        #expect(pool.servedVersion != nil)
        #expect(await pool.predict(TestPool.request()).status == 200)
        await pool.stop()
    }

    @Test("A replica has so many requests at most, so many wait, and the next is refused at once")
    func bounds() async throws {
        let launcher = HeldReplicas()
        let pool = try TestPool.make(launcher) {
            $0.autoscaling = .fixed(2)
            $0.maxOngoingRequests = 3
            $0.maxQueuedRequests = 4
            $0.queueTime = .seconds(60)
        }
        try await install(pool)
        #expect(await TestPool.eventually { pool.status.ready == 2 })
        let waiting = (0..<10).map { _ in Task { await pool.predict(TestPool.request()) } }
        #expect(
            await TestPool.eventually { pool.status.ongoing == 6 && pool.status.queued == 4 })
        #expect(await TestPool.eventually { launcher.replicas.map(\.heldCount) == [3, 3] })
        let refused = await pool.predict(TestPool.request())
        #expect(refused.status == 503 && refused.rejection == "queue_full")
        #expect(refused.headers.contains { $0.name == "Retry-After" })
        #expect(
            String(decoding: refused.body, as: UTF8.self).contains(
                "Request dropped due to backpressure (num_queued_requests=4, "
                    + "max_queued_requests=4)."))
        for replica in launcher.replicas { replica.letGo() }
        for task in waiting { #expect(await task.value.status == 200) }
        #expect(pool.status.ongoing == 0 && pool.status.queued == 0)
        await pool.stop()
    }

    @Test("Who waits longer than the queue's time is answered 503, and the rest goes on")
    func deadline() async throws {
        let launcher = HeldReplicas()
        let pool = try TestPool.make(launcher) {
            $0.maxOngoingRequests = 1
            $0.queueTime = .milliseconds(150)
        }
        try await install(pool)
        let first = Task { await pool.predict(TestPool.request()) }
        #expect(await TestPool.eventually { launcher.heldCount == 1 })
        let late = await pool.predict(TestPool.request())
        #expect(late.status == 503 && late.rejection == "queue_time")
        for replica in launcher.replicas { replica.letGo() }
        #expect(await first.value.status == 200)
        await pool.stop()
    }

    @Test("A client that goes while it waits gives its place up; one at work keeps the count true")
    func cancelled() async throws {
        let launcher = HeldReplicas()
        let pool = try TestPool.make(launcher) { $0.maxOngoingRequests = 1 }
        try await install(pool)
        let atWork = Task { await pool.predict(TestPool.request()) }
        #expect(await TestPool.eventually { launcher.heldCount == 1 })
        let waiting = Task { await pool.predict(TestPool.request()) }
        #expect(await TestPool.eventually { pool.status.queued == 1 })
        waiting.cancel()
        #expect(await waiting.value.status == 503)
        #expect(pool.status.queued == 0)
        atWork.cancel()
        #expect(await atWork.value.status == 503)
        #expect(pool.status.ongoing == 1, "the replica works on it still")
        for replica in launcher.replicas { replica.letGo() }
        #expect(await TestPool.eventually { pool.status.ongoing == 0 })
        await pool.stop()
    }

    @Test("A replica that does not answer for its health is replaced, its requests go elsewhere")
    func unwell() async throws {
        let launcher = HeldReplicas(isFirstWell: false)
        let pool = try TestPool.make(launcher) {
            $0.health.period = .milliseconds(20)
            $0.health.timeout = .milliseconds(300)
        }
        try await install(pool)
        let request = Task { await pool.predict(TestPool.request()) }
        #expect(await TestPool.eventually { launcher.replicas.count == 2 })
        #expect(await TestPool.eventually { launcher.replicas[1].heldCount == 1 })
        launcher.replicas[1].letGo()
        #expect(await request.value.status == 200)
        #expect(pool.status.replaced >= 1)
        await pool.stop()
    }

    @Test("A request that ends two replicas fails alone and is given to no third")
    func poison() async throws {
        let launcher = HeldReplicas()
        let pool = try TestPool.make(launcher)
        try await install(pool)
        let request = Task { await pool.predict(TestPool.request()) }
        for number in 0..<2 {
            #expect(
                await TestPool.eventually {
                    launcher.replicas.count > number && launcher.replicas[number].heldCount == 1
                })
            launcher.replicas[number].kill()
        }
        let reply = await request.value
        #expect(reply.status == 503 && reply.rejection == "replica_lost")
        await pool.stop()
    }

    @Test("A replica that never comes up fails the load with the cause, and nothing is served")
    func broken() async throws {
        struct Broken: ReplicaLauncher {
            func launch(_ id: ReplicaID, over descriptor: Int32) throws -> any ReplicaProcess {
                throw GatewayError.storage("no program to run")
            }
        }
        let pool = try TestPool.make(Broken())
        do {
            try await install(pool)
            Issue.record("loaded without a replica")
        } catch {
            #expect("\(error)".contains("no program to run"))
        }
        #expect(pool.servedVersion == nil)
        await pool.stop()
    }

    @Test("After a load that fails, no replica stays for it")
    func surplus() async throws {
        let pool = try TestPool.make(LocalReplicas())
        await #expect(throws: GatewayError.self) {
            _ = try await pool.install("/nonexistent", version: TestPool.version(1))
        }
        #expect(await TestPool.eventually { pool.status == ReplicaStatus(target: 1) })
        await pool.stop()
    }
}
