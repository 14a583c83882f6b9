import Foundation
import JobChannel
import Jobs
import Synchronization
import Testing

@testable import Cluster

/// A driver that is only a connection, its session, and a store.
final class SessionRig: Sendable {
    let hub: HubRig
    let store: StoreDouble
    let process: ChannelConnection
    let session: DriverSession
    let lease: Lease
    private let running: Task<Void, Never>
    private let losses = Losses()

    var lostCount: Int { losses.count.withLock { $0 } }

    /// A new driver of the job "j"; of the same store, the one that is run again.
    init(
        _ store: StoreDouble = StoreDouble(), fullPatience: Duration = .milliseconds(300)
    ) async throws {
        self.store = store
        hub = try HubRig()
        let id = try JobID("j")
        let script = Entrypoint.script(fileName: "a.swift", digest: "d", arguments: [])
        _ = try await store.inner.submit(NewJob(id: id, entrypoint: script))
        let reply = try await store.inner.claim(
            ClaimRequest(
                worker: WorkerID(name: "w"), free: Resources(), driverSlots: 1,
                leaseInMilliseconds: 600_000))
        lease = try #require(reply.grants.first?.lease)
        let (worker, process) = try await hub.connect()
        self.process = process
        let cache = try BlobCache(
            store: InMemoryBlobStore(), directory: hub.folder.path + "/cache")
        session = DriverSession(
            connection: worker, store: store, lease: lease, job: id,
            desk: BlobDesk(cache: cache, scratchDirectory: hub.folder.path),
            fullPatience: fullPatience, onLeaseLost: { [losses] in losses.add() })
        running = Task { [session] in await session.run() }
    }

    func enqueue(
        _ request: UInt64, _ name: String, input: String = "1", attemptsMax: Int = 4,
        milliCPUsMax: Int? = nil
    ) throws {
        try process.send(
            ChannelMessage(
                .enqueue(
                    request: request,
                    TaskRequest(
                        name: name, occurrence: 0, milliCPUsMax: milliCPUsMax,
                        attemptsMax: attemptsMax)),
                payload: Array(input.utf8)))
    }

    /// What belongs to an actor: its life, or a call.
    func enqueue(_ request: UInt64, _ role: ActorRole, occurrence: Int = 0) throws {
        var task = TaskRequest(
            name: "c/0", occurrence: occurrence, milliCPUs: 0, attemptsMax: 1)
        task.actor = role
        try process.send(ChannelMessage(.enqueue(request: request, task), payload: [49]))
    }

    func next() async throws -> ChannelMessage {
        for try await message in process.messages { return message }
        throw NeverHappened(what: "a message")
    }

    /// Claims one task as a worker with a toolchain does.
    func claim(
        milliCPUs: Int = 1_000, labels: Set<String> = ["toolchain"]
    ) async throws -> Grant {
        for _ in 0..<1_000 {
            let reply = try await store.inner.claim(
                ClaimRequest(
                    worker: WorkerID(name: "w"), free: Resources(milliCPUs: milliCPUs),
                    driverSlots: 0,
                    labels: labels, grantsMax: 1, leaseInMilliseconds: 600_000))
            if let grant = reply.grants.first { return grant }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw NeverHappened(what: "a task to claim")
    }

    func end(_ grant: Grant, _ outcome: AttemptOutcome) async throws {
        _ = try await store.inner.finish([AttemptEnding(lease: grant.lease, outcome: outcome)])
        await session.lookForAnswers()
    }

    /// A worker with so many free CPUs is up.
    func heartbeat(_ name: String, freeMilliCPUs: Int, labels: Set<String>) async throws {
        let worker = WorkerRecord(
            id: WorkerID(name: name), name: name, host: "h", pid: 1,
            total: Resources(milliCPUs: 64_000), free: Resources(milliCPUs: freeMilliCPUs),
            labels: labels, version: "1", runningTasks: 0)
        _ = try await store.inner.heartbeat(worker, leases: [])
    }

    /// The driver's process ends.
    func leave() async {
        process.close()
        await running.value
        await hub.close()
    }
}

/// How often the session said that its lease was lost.
private final class Losses: Sendable {
    let count = Mutex(0)
    func add() { count.withLock { $0 += 1 } }
}
