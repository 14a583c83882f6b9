import Redis
import Synchronization
import TestSupport
import Testing

@testable import Jobs

/// The stores that have to pass the contract.
enum StoreKind: String, CaseIterable, Sendable {
    case memory, redis
}

/// What a contract case finds wrong. Thrown rather than recorded, so that the mutation test can run
/// the cases and expect a failure.
struct ContractFailure: Error, CustomStringConvertible {
    let description: String
}

func check(
    _ condition: Bool, _ what: String, line: Int = #line, file: String = #fileID
) throws {
    guard condition else { throw ContractFailure(description: "\(what) (\(file):\(line))") }
}

func equal<Value: Equatable & Sendable>(
    _ actual: Value, _ expected: Value, _ what: String = "", line: Int = #line,
    file: String = #fileID
) throws {
    try check(
        actual == expected, "\(what): expected \(expected), got \(actual)", line: line, file: file)
}

func refuses(
    _ expected: JobStoreError, line: Int = #line, file: String = #fileID,
    _ body: () async throws -> Void
) async throws {
    do { try await body() } catch let error as JobStoreError {
        return try equal(error, expected, "error", line: line, file: file)
    }
    try check(false, "expected \(expected)", line: line, file: file)
}

func isFull(line: Int = #line, file: String = #fileID, _ body: () async throws -> Void) async throws
{
    do { try await body() } catch JobStoreError.full { return }
    try check(false, "expected .full", line: line, file: file)
}

/// One store in a world of its own, and the words in which contract cases speak to it.
struct StoreBench: Sendable {
    let store: any JobStore
    /// Lets milliseconds pass on the store's clock.
    let pass: @Sendable (Int64) async throws -> Void
    /// Set for the Redis store.
    let redis: RedisJobStore?

    static func make(
        _ kind: StoreKind, _ limits: StoreLimits, without mutation: String? = nil
    ) async throws -> StoreBench {
        switch kind {
        case .memory:
            let clock = ManualClock()
            return StoreBench(
                store: InMemoryJobStore(limits: limits, now: { clock.now }),
                pass: { clock.advance(by: $0) }, redis: nil)
        case .redis:
            let client = try await SharedRedis.client()
            let namespace = "t\(UInt64.random(in: 0 ... .max))"
            let clockKey = namespace + ":test-clock"
            _ = try await client.send(RedisCommand("SET", clockKey, "1000000"))
            let store = RedisJobStore(
                client: client, namespace: namespace, limits: limits,
                scripts: TestScripts.scripts(limits, without: mutation))
            return StoreBench(
                store: store,
                pass: {
                    _ = try await client.send(
                        RedisCommand("INCRBY", clockKey, String($0)), isRepeatable: false)
                }, redis: store)
        }
    }

    // MARK: Short words

    func submit(
        _ id: String, _ entrypoint: Entrypoint = .command("true"), priority: Int = 0
    ) async throws -> JobRecord {
        try await store.submit(newJob(id, entrypoint, priority: priority))
    }

    /// Submits a job and claims its driver for the worker "driver-host".
    func drive(_ id: String, priority: Int = 0) async throws -> Lease {
        _ = try await submit(id, priority: priority)
        let grants = try await claim("driver-host", cpus: 0, drivers: 64).grants
        guard let grant = grants.first(where: { $0.task.spec.job.rawValue == id }) else {
            throw ContractFailure(description: "the driver of \(id) is not granted")
        }
        for other in grants where other != grant { _ = try await finish(other.lease, .released) }
        return grant.lease
    }

    func add(_ tasks: [NewTask], _ driver: Lease) async throws {
        _ = try await store.enqueue(tasks, under: driver)
    }

    func claim(
        _ worker: String = "w-1", cpus: Int = 64_000, memory: Int64 = 0, gpus: Int = 0,
        drivers: Int = 0, labels: Set<String> = [], max: Int = 64, lease: Int64 = 60_000,
        endings: [AttemptEnding] = [], ahead: [AheadOffer] = [], custom: [String: Int] = [:],
        pools: Set<String> = [Pool.defaultName]
    ) async throws -> ClaimReply {
        try await store.claim(
            ClaimRequest(
                worker: WorkerID(rawValue: worker),
                free: Resources(
                    milliCPUs: cpus, memoryInBytes: memory, gpus: gpus, custom: custom),
                driverSlots: drivers, labels: labels, grantsMax: max, leaseInMilliseconds: lease,
                endings: endings, ahead: ahead, pools: pools))
    }

    /// Claims exactly one task.
    func claimOne(
        _ worker: String = "w-1", drivers: Int = 0, labels: Set<String> = [],
        lease: Int64 = 60_000, pools: Set<String> = [Pool.defaultName], line: Int = #line
    ) async throws -> Lease {
        let reply = try await claim(
            worker, drivers: drivers, labels: labels, max: 1, lease: lease, pools: pools)
        guard let grant = reply.grants.first else {
            throw ContractFailure(description: "nothing is granted (line \(line))")
        }
        return grant.lease
    }

    func finish(_ lease: Lease, _ outcome: AttemptOutcome) async throws -> EndingReply {
        try await store.finish([AttemptEnding(lease: lease, outcome: outcome)])[0]
    }

    func state(_ task: NewTask) async throws -> TaskState? {
        try await store.tasks([task.id])[0]?.state
    }

    func state(_ job: String) async throws -> JobState? {
        guard let id = JobID(rawValue: job) else { return nil }
        return try await store.job(id)?.state
    }

    func heartbeat(_ worker: String, _ leases: [Lease] = []) async throws -> HeartbeatReply {
        try await store.heartbeat(workerRecord(worker), leases: leases)
    }
}

func newJob(
    _ id: String, _ entrypoint: Entrypoint = .command("true"), priority: Int = 0
) -> NewJob {
    NewJob(id: JobID(rawValue: id) ?? .fallback, entrypoint: entrypoint, priority: priority)
}

func workerRecord(_ id: String) -> WorkerRecord {
    WorkerRecord(
        id: WorkerID(rawValue: id), name: id, host: "localhost", pid: 1, total: Resources(),
        free: Resources(milliCPUs: 1), labels: ["a"], version: "1", runningTasks: 0)
}

/// A clock that stands still until it is told to move.
final class ManualClock: Sendable {
    private let value = Mutex<Int64>(1_000_000)

    var now: Int64 { value.withLock { $0 } }

    func advance(by milliseconds: Int64) { value.withLock { $0 += milliseconds } }
}

/// One client of the shared server for all tests of this process.
enum SharedRedis {
    private static let made = Task { () async throws -> RedisClient in
        let server = try await RedisServer.shared()
        var options = RedisOptions()
        options.laneCount = 4
        return RedisClient(try RedisEndpoint(url: server.socketURL), options)
    }

    static func client() async throws -> RedisClient { try await made.value }
}

/// The scripts of tests, put together once for each combination of bounds and mutation.
enum TestScripts {
    private struct Key: Hashable {
        let limits: StoreLimits
        let mutation: String?
    }
    private static let known = Mutex<[Key: RedisScripts]>([:])

    /// A clock in a key, so that no case sleeps. `ClusterOfProcessesTests` has the server's clock.
    private static let movableClock = #"""
        now = tonumber(redis.call('GET', P .. 'test-clock'))
        micros = now * 1000
        """#

    static func scripts(_ limits: StoreLimits, without mutation: String?) -> RedisScripts {
        known.withLock { known in
            let key = Key(limits: limits, mutation: mutation)
            if let scripts = known[key] { return scripts }
            var timing = StoreTiming()
            timing.pulseGapInMilliseconds = 1_000
            timing.graceInMilliseconds = 500
            let made = RedisScripts(
                limits: limits, timing: timing, clock: movableClock, without: mutation)
            known[key] = made
            return made
        }
    }
}
