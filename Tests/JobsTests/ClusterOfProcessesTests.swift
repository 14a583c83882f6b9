import Foundation
import Processes
import Redis
import TestSupport
import Testing

@testable import Jobs

/// Many processes at one real store, on the server's own clock: some are killed, some sleep past
/// their leases, all end attempts in every way there is.
///
/// The processes are this test binary again, filtered to this test; `MANTA_TEST_HAMMER` makes it a
/// worker instead of the supervisor.
@Suite struct ClusterOfProcessesTests {
    private static let processCount = 8
    private static let taskCount = 300
    private static let variable = "MANTA_TEST_HAMMER"

    @Test("Eight processes, two of them killed: every task ends once, no leases overlap")
    func hammer() async throws {
        if let role = ProcessInfo.processInfo.environment[ClusterOfProcessesTests.variable] {
            try await HammerWorker(role).run()
        } else {
            try await supervise()
        }
    }

    private func supervise() async throws {
        let server = try await RedisServer.shared()
        let namespace = "hammer-\(UInt64.random(in: 0 ... .max))"
        let client = RedisClient(try RedisEndpoint(url: server.socketURL))
        defer { client.close() }
        let store = RedisJobStore(client: client, namespace: namespace)
        let bench = StoreBench(store: store, pass: { _ in }, redis: store)
        var policy = RetryPolicy.immediate
        policy.attemptsMax = 1_000
        let driver = try await bench.drive("a")
        try await bench.add(
            (0..<ClusterOfProcessesTests.taskCount).map {
                makeTask("t\($0)", job: "a", retry: policy)
            }, driver)

        let children = try (0..<ClusterOfProcessesTests.processCount).map {
            try ClusterOfProcessesTests.spawn("\(server.socketURL) \(namespace) w-\($0)")
        }
        defer { for child in children { child.signal(SIGKILL) } }
        try await wait(for: store) { $0.tasksSucceeded > ClusterOfProcessesTests.taskCount / 4 }
        children[0].signal(SIGKILL)
        children[1].signal(SIGKILL)
        try await wait(for: store) { $0.tasksSucceeded >= ClusterOfProcessesTests.taskCount }
        for child in children[2...] {
            let ending = await child.wait()
            #expect(ending == .code(0))
        }
        try await examine(store, namespace)
    }

    private func wait(for store: RedisJobStore, until isReached: (JobRecord) -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(120)
        while ContinuousClock.now < deadline {
            if let job = try await store.job(.a), isReached(job) { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        Issue.record("the processes make no progress: \(try await store.job(.a) as Any)")
    }

    private func examine(_ store: RedisJobStore, _ namespace: String) async throws {
        let job = try #require(try await store.job(.a))
        #expect(job.tasksSucceeded == ClusterOfProcessesTests.taskCount)
        #expect(job.tasksFailed == 0)
        let tasks = try await store.tasks(of: .a, limit: 10_000).dropFirst()
        #expect(
            tasks.allSatisfy { if case .succeeded = $0.state { true } else { false } })
        let reply = try await store.client.send(
            RedisCommand("LRANGE", HammerEvent.key(namespace), "0", "-1"))
        let events = (reply.array ?? []).compactMap { $0.string.flatMap(HammerEvent.init) }
        let successes = Dictionary(grouping: events.filter { $0.word == "succeeded" }, by: \.task)
        #expect(successes.values.allSatisfy { $0.count == 1 }, "committed once")
        #expect(events.contains { $0.word == "leaseLost" }, "some were too late")
        let grants = Dictionary(grouping: events.filter { $0.word == "granted" }, by: \.task)
        let ended = Set(
            events.filter { ["succeeded", "released", "failed"].contains($0.word) }.map(\.token))
        for list in grants.values {
            let inOrder = list.sorted { $0.token < $1.token }
            for (earlier, later) in zip(inOrder, inOrder.dropFirst()) {
                #expect(
                    ended.contains(earlier.token) || later.start >= earlier.expiry,
                    "the leases \(earlier) and \(later) overlap")
            }
        }
    }

    private static func spawn(_ role: String) throws -> ChildProcess {
        let path = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        var environment = ProcessInfo.processInfo.environment
        environment[variable] = role
        var specification = ChildProcess.Specification(
            path, ["--testing-library", "swift-testing", "--filter", "ClusterOfProcessesTests"],
            environment: environment)
        specification.standardOutput = .null
        specification.standardError = .null
        return try ChildProcess.spawn(specification)
    }
}

/// What a worker process did, as a line in a Redis list.
private struct HammerEvent: CustomStringConvertible {
    let word: String
    let task: String
    let token: Int64
    let start: Int64
    let expiry: Int64

    static func key(_ namespace: String) -> String { namespace + ":hammer" }

    init(_ word: String, _ lease: Lease) {
        self.word = word
        task = lease.task.rawValue
        token = lease.token
        start = lease.expiry - HammerWorker.leaseInMilliseconds
        expiry = lease.expiry
    }

    init?(_ line: String) {
        let parts = line.split(separator: " ").map(String.init)
        guard parts.count == 5, let token = Int64(parts[2]), let start = Int64(parts[3]),
            let expiry = Int64(parts[4])
        else { return nil }
        word = parts[0]
        task = parts[1]
        self.token = token
        self.start = start
        self.expiry = expiry
    }

    var description: String { "\(word) \(task) \(token) \(start) \(expiry)" }
}

/// One of the processes.
private struct HammerWorker {
    static let leaseInMilliseconds: Int64 = 120

    let url: String
    let namespace: String
    let name: String

    init(_ role: String) throws {
        let parts = role.split(separator: " ").map(String.init)
        try #require(parts.count == 3)
        (url, namespace, name) = (parts[0], parts[1], parts[2])
    }

    /// Claims and ends until the job has no more to do.
    func run() async throws {
        let client = RedisClient(try RedisEndpoint(url: url))
        let store = RedisJobStore(client: client, namespace: namespace)
        while let job = try await store.job(.a), job.tasksSucceeded < job.tasksTotal {
            let reply = try await store.claim(request(grantsMax: 4))
            if reply.grants.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
            for grant in reply.grants { try await record("granted", grant.lease, client) }
            for grant in reply.grants { try await end(grant.lease, store, client) }
        }
        client.close()
    }

    private func request(grantsMax: Int) -> ClaimRequest {
        ClaimRequest(
            worker: WorkerID(rawValue: name), free: Resources(milliCPUs: 4_000), driverSlots: 0,
            grantsMax: grantsMax, leaseInMilliseconds: HammerWorker.leaseInMilliseconds)
    }

    private func end(_ lease: Lease, _ store: RedisJobStore, _ client: RedisClient) async throws {
        let chance = Int.random(in: 0..<100)
        // Some sleep until others may have the task, which the next claim of anybody says.
        let oversleeps = chance < 4
        if oversleeps {
            try await Task.sleep(for: .milliseconds(2 * HammerWorker.leaseInMilliseconds))
            _ = try await store.claim(request(grantsMax: 0))
        }
        let (word, outcome): (String, AttemptOutcome) =
            switch chance {
            case 4..<10: ("released", .released)
            case 10..<20: ("failed", .crashed(message: "x", exitCode: 1, signal: nil))
            default: ("succeeded", .succeeded(.inline(Array(name.utf8))))
            }
        let ending = AttemptEnding(lease: lease, outcome: outcome)
        let reply = try await store.finish([ending])[0]
        try await record(reply == .committed ? word : reply.rawValue, lease, client)
        // A second commit would be a second line, which the supervisor finds.
        if chance > 90, try await store.finish([ending])[0] == .committed {
            try await record("succeeded", lease, client)
        }
    }

    private func record(_ word: String, _ lease: Lease, _ client: RedisClient) async throws {
        _ = try await client.send(
            RedisCommand(
                "RPUSH", HammerEvent.key(namespace), HammerEvent(word, lease).description),
            isRepeatable: false)
    }
}
