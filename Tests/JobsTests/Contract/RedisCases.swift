import Redis

@testable import Jobs

/// What matters only where state is shared and outlives its processes.
extension ContractCase {
    static let redisOnly: [ContractCase] =
        [
            ContractCase("Tokens grow even when Redis lost the counter") { bench in
                let (client, keys) = try bench.parts()
                let driver = try await bench.drive("a")
                try await bench.add([makeTask("t", job: "a")], driver)
                try await bench.pass(1)
                _ = try await client.send(RedisCommand("DEL", keys.name(.token)))
                try check(try await bench.claimOne().token > driver.token, "larger than before")
            },
            ContractCase("After an outage workers get time before their leases are expired") {
                bench in
                let driver = try await bench.drive("a")
                let task = makeTask("t", job: "a", retry: .immediate)
                try await bench.add([task], driver)
                let lease = try await bench.claimOne(lease: 20)
                try await bench.pass(1_100)
                try equal(try await bench.claim("w-2").grants.count, 0, "silence was the store's")
                try equal(
                    try await bench.heartbeat("w-1", [lease]),
                    HeartbeatReply(lost: [], cancelled: []))
                try await bench.pass(600)
                try equal(try await bench.claim("w-2").grants.count, 1, "the grace is over")
            },
            ContractCase("After an outage attempts get time before their deadlines strike") {
                bench in
                let driver = try await bench.drive("a")
                let limits = Deadlines(startToClose: 500)
                try await bench.add([makeTask("t", job: "a", deadlines: limits)], driver)
                let lease = try await bench.claimOne()
                try await bench.pass(1_100)
                try equal(try await bench.heartbeat("w-1", [lease]), .fine)
                try equal(
                    try await bench.finish(lease, .succeeded(.inline([]))), .committed)
            },
            ContractCase("When the clock is set back, leases and delays still end") { bench in
                try await bench.pass(10_000_000)
                let driver = try await bench.drive("a")
                var policy = RetryPolicy.immediate
                policy.delayInMilliseconds = 20_000
                try await bench.add(
                    [makeTask("t", job: "a", retry: policy), makeTask("u", job: "a")], driver)
                let delayed = try await bench.claimOne()
                _ = try await bench.finish(delayed, .failed(message: "x"))
                _ = try await bench.claimOne(lease: 1_000)
                let build = try await bench.store.beginBuild("k", by: WorkerID(rawValue: "w-1"))
                try await bench.pass(-5_000_000)
                _ = try await bench.claim("w-2", max: 0)
                let other = try await bench.store.beginBuild("k", by: WorkerID(rawValue: "w-2"))
                guard case .granted(let first, _) = build, case .granted(let second, _) = other
                else { throw ContractFailure(description: "the builder is gone") }
                try check(second > first, "tokens grow whatever the clock does")
                try await bench.pass(700_000)
                let names = try await bench.claim("w-2").grants.map(\.task.spec.name)
                try equal(names, ["t"], "the delayed one; leases have a grace after the silence")
                try await bench.pass(900)
                try equal(try await bench.claim("w-2").grants.count, 0, "lost, due in 100 ms")
                try await bench.pass(100)
                try equal(try await bench.claim("w-2").grants.map(\.task.spec.name), ["u"])
            },
            ContractCase(
                "Everything of a job that is over expires", { $0.retention = .seconds(60) }
            ) {
                bench in
                for (job, outcome) in [
                    ("a", AttemptOutcome.succeeded(.inline([1]))), ("b", .cancelled(by: "x")),
                ] {
                    let driver = try await bench.drive(job)
                    try await bench.add([makeTask("t", job: job), makeTask("u", job: job)], driver)
                    let lease = try await bench.claimOne()
                    _ = try await bench.finish(driver, .succeeded(.inline([])))
                    let before = try await bench.lifetimes(of: "job:\(job)")
                    try check(before.count >= 4 && before.values.allSatisfy { $0 > 0 }, "\(before)")
                    _ = try await bench.finish(lease, outcome)
                    try equal(
                        try await bench.lifetimes(of: "job:\(job)").filter { $0.value <= 0 }, [:],
                        "a late \(outcome)")
                }
                let line = LogLine(stream: .out, prefix: "", text: "x", time: 0)
                try await bench.store.appendLogs([line], to: .a)
                try equal(
                    try await bench.lifetimes(of: "job:a").filter { $0.value <= 0 }, [:],
                    "a late line")
            },
            ContractCase("A schedule that was changed meanwhile is not fired as it was") { bench in
                let (client, keys) = try bench.parts()
                let schedule = Schedule(name: "s", cron: "*/10 * * * *", job: newJob("template"))
                _ = try await bench.store.put(schedule)
                try await bench.pass(200_000)
                guard let redis = bench.redis else { return }
                let kept = try await client.send(
                    RedisCommand("HGET", keys.name(.schedules), "s"))
                for (bytes, due) in [([1], 1_200_000), (kept.bytes ?? [], 1_199_999)] {
                    var arguments = RedisCommand("s")
                    arguments.append(bytes)
                    for moment in [due, 1_200_000, 1_800_000] { arguments.append(moment) }
                    try redis.append(newJob("fired"), to: &arguments)
                    let reply = try await redis.run(redis.scripts.fire, arguments)
                    try equal(reply.array?.first?.string, "gone")
                }
                try equal(try await bench.store.jobs(limit: 9), [])
            },
            ContractCase("Nothing of a job that is retried expires") { bench in
                let driver = try await bench.drive("a")
                let line = LogLine(stream: .out, prefix: "", text: "x", time: 0)
                try await bench.store.appendLogs([line], to: .a)
                try await bench.add([makeTask("t", job: "a"), makeTask("u", job: "a")], driver)
                _ = try await bench.finish(try await bench.claimOne(), .failed(message: "x"))
                _ = try await bench.finish(try await bench.claimOne(), .succeeded(.inline([1])))
                _ = try await bench.finish(driver, .failed(message: "x"))
                _ = try await bench.store.retry(job: .a)
                let kept = try await bench.lifetimes(of: "job:a")
                try check(kept.count >= 8, "\(kept)")
                try equal(kept.filter { $0.value != -1 }, [:])
            },
            ContractCase(
                "A late result's key expires with its job", { $0.retention = .seconds(60) }
            ) {
                bench in
                let driver = try await bench.drive("a")
                try await bench.add([makeTask("t", job: "a")], driver)
                let lease = try await bench.claimOne()
                _ = try await bench.finish(driver, .failed(message: "x"))
                _ = try await bench.finish(lease, .succeeded(.inline([1])))
                try equal(
                    try await bench.lifetimes(of: "job:a").filter { $0.value <= 0 }, [:])
            },
            ContractCase("What is not ours is corrupt, never a trap") { bench in
                let (client, keys) = try bench.parts()
                let driver = try await bench.drive("a")
                let task = makeTask("t", job: "a")
                try await bench.add([task], driver)
                for junk in ["", "junk", "\u{93}\u{1}"] {
                    _ = try await client.send(
                        RedisCommand("HSET", keys.name(.tasks, "a"), task.id.rawValue, junk))
                    try await bench.isCorrupt { _ = try await bench.store.tasks([task.id]) }
                }
                for (field, junk) in [("spec", "{}"), ("state", "odd"), ("phase", "odd")] {
                    let job = "j-\(field)"
                    _ = try await bench.submit(job)
                    _ = try await client.send(
                        RedisCommand("HSET", keys.name(.job, job), field, junk))
                    try await bench.isCorrupt { _ = try await bench.state(job) }
                }
                _ = try await client.send(RedisCommand("SET", keys.name(.job, "k"), "no hash"))
                try await bench.isCorrupt { _ = try await bench.state("k") }
            },
        ] + blobs + originCases

    private static let blobs: [ContractCase] = [
        ContractCase(
            "Blobs have a budget; each counts once; unused ones make room",
            {
                $0.retention = .seconds(150)
            }
        ) { bench in
            let store = try bench.blobStore(budget: 100)
            let first = try await store.put([UInt8](repeating: 1, count: 60))
            for _ in 0..<3 { _ = try await store.put([UInt8](repeating: 1, count: 60)) }
            let second = try await store.put([UInt8](repeating: 2, count: 40))
            try await bench.isBlobsFull { _ = try await store.put([3]) }
            try check(try await !store.contains(BlobFiles.digest(of: [3])), "it is not kept")
            try await bench.pass(100_000)
            try check(try await store.contains(first), "used by asking")
            try await bench.pass(80_000)
            _ = try await store.put([3])
            try check(try await store.contains(first), "the used one is kept")
            try check(try await !store.contains(second), "the unused one is gone")
        },
        ContractCase("Reading a blob is a use", { $0.retention = .seconds(150) }) { bench in
            let store = try bench.blobStore(budget: 100)
            let first = try await store.put([1, 2])
            try await bench.pass(100_000)
            try equal(try await store.get(first), [1, 2])
            try await bench.pass(80_000)
            _ = try await store.put([3])
            try equal(try await store.get(first), [1, 2])
        },
        ContractCase("Putting a blob again is a use", { $0.retention = .seconds(150) }) { bench in
            let store = try bench.blobStore(budget: 100)
            let first = try await store.put([1, 2])
            try await bench.pass(100_000)
            try equal(try await store.put([1, 2]), first)
            try await bench.pass(80_000)
            _ = try await store.put([3])
            try equal(try await store.get(first), [1, 2])
        },
    ]
}

extension StoreBench {
    func parts() throws -> (RedisClient, RedisKeys) {
        guard let redis else { throw ContractFailure(description: "this case needs Redis") }
        return (redis.client, redis.keys)
    }

    func blobStore(budget: Int, origin: String? = nil) throws -> RedisBlobStore {
        guard let redis else { throw ContractFailure(description: "this case needs Redis") }
        return RedisBlobStore(
            client: redis.client, namespace: String(redis.keys.prefix.dropLast()),
            origin: origin.map { .directory($0) }, budgetInBytes: budget, smallMax: 100,
            scripts: redis.scripts)
    }

    /// Milliseconds that each key with this beginning has left; -1 for ever.
    func lifetimes(of beginning: String) async throws -> [String: Int64] {
        let (client, keys) = try parts()
        let reply = try await client.send(RedisCommand("KEYS", keys.prefix + beginning + "*"))
        var lifetimes: [String: Int64] = [:]
        for key in (reply.array ?? []).compactMap(\.string) {
            lifetimes[key] = try await client.send(RedisCommand("PTTL", key)).integer
        }
        return lifetimes
    }

    func isCorrupt(_ body: () async throws -> Void) async throws {
        do { try await body() } catch JobStoreError.corrupt { return }
        try check(false, "expected .corrupt")
    }

    func isBlobsFull(_ body: () async throws -> Void) async throws {
        do { try await body() } catch BlobStoreError.full { return }
        try check(false, "expected .full")
    }
}
