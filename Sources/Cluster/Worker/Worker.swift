import Foundation
import JobChannel
package import Jobs
package import Logging
import Processes

/// Claims work that fits this machine, runs it, and tells the store how it ended.
///
/// The only process of a node that holds the store's credentials. It keeps leases and caches and
/// nothing else: killed, its tasks run elsewhere when their leases end.
package actor Worker {
    private let configuration: WorkerConfiguration
    private let id: WorkerID
    private let store: any JobStore
    private let context: WorkerContext
    private let logger: Logger

    private var free: Resources
    private var freeDriverSlots: Int
    private var running: [Int64: Running] = [:]
    private var drivers: [JobID: DriverRun] = [:]
    private var pools: [JobID: ExecutorPool] = [:]
    private var logs: [JobID: JobLog] = [:]
    private var endings: [AttemptEnding] = []
    private var isClaiming = true
    private let wake = Wakeup()

    /// An attempt this worker holds a lease for.
    private struct Running {
        var lease: Lease
        let job: JobID
        let kind: NewTask.Kind
        let resources: Resources
    }

    package init(
        _ configuration: WorkerConfiguration, store: any JobStore, blobs: any BlobStore,
        logger: Logger
    ) throws {
        self.configuration = configuration
        self.store = store
        self.logger = logger
        id = WorkerID(name: configuration.name)
        free = configuration.resources
        freeDriverSlots = configuration.driverSlots
        try FileManager.default.createDirectory(
            atPath: configuration.runtimeDirectory, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        let cache = try BlobCache(
            store: blobs, directory: "\(configuration.cacheDirectory)/blobs")
        let builder = JobBuilder(
            configuration: configuration, worker: id, store: store, blobs: blobs, cache: cache)
        context = WorkerContext(
            configuration: configuration, id: id, store: store, cache: cache, builder: builder,
            hub: try ChannelHub(path: "\(configuration.runtimeDirectory)/channel.sock"))
    }

    /// Works until the task is cancelled, then hands back what runs, within the stop grace.
    package func run() async {
        logger.info(
            "worker started",
            metadata: [
                "worker": "\(configuration.name)",
                "cpus": "\(configuration.resources.milliCPUs / 1_000)",
                "toolchain": "\(configuration.sdk != nil)",
            ])
        await withDiscardingTaskGroup { group in
            group.addTask { await self.context.hub.run() }
            group.addTask { await self.claimLoop() }
            group.addTask { await self.heartbeatLoop() }
            group.addTask { await self.signalLoop() }
            while !Task.isCancelled { try? await Task.sleep(for: .seconds(3_600)) }
            await self.shutDown()
            group.cancelAll()
        }
    }

    // MARK: Claiming

    private func claimLoop() async {
        var pause = Duration.zero
        while !Task.isCancelled {
            if pause > .zero { await wake.wait(atMost: pause) }
            do {
                pause = try await claim()
            } catch {
                // Results wait here until the store is back; nothing is lost.
                logger.warning("the store cannot be reached", metadata: ["cause": "\(error)"])
                pause = .seconds(1)
            }
        }
    }

    /// One round; answers how long to wait for a wake-up before the next.
    private func claim() async throws -> Duration {
        guard isClaiming || !endings.isEmpty else { return .seconds(1) }
        let sent = endings
        let request = ClaimRequest(
            worker: id, free: isClaiming ? free : Resources(),
            driverSlots: isClaiming ? freeDriverSlots : 0, labels: configuration.labels,
            grantsMax: isClaiming ? 64 : 0,
            leaseInMilliseconds: configuration.leaseDuration.inMilliseconds, endings: sent,
            preferredJobs: Array(pools.keys))
        let reply = try await store.claim(request)
        endings.removeFirst(sent.count)
        for grant in reply.grants { start(grant) }
        if !endings.isEmpty || !reply.grants.isEmpty { return .zero }
        let due = reply.nextDueInMilliseconds.map { Duration.milliseconds($0 + 1) } ?? .seconds(1)
        return min(.seconds(1), max(.milliseconds(1), due))
    }

    private func start(_ grant: Grant) {
        let resources = grant.task.spec.resources
        free.milliCPUs -= resources.milliCPUs
        free.memoryInBytes -= resources.memoryInBytes
        free.gpus -= resources.gpus
        running[grant.lease.token] = Running(
            lease: grant.lease, job: grant.job.id, kind: grant.task.spec.kind, resources: resources)
        switch grant.task.spec.kind {
        case .driver:
            freeDriverSlots -= 1
            let run = DriverRun(grant, context: context, log: log(of: grant.job.id))
            drivers[grant.job.id] = run
            Task { finish(grant, await run.run()) }
        case .task:
            let pool = pool(of: grant.job)
            Task { finish(grant, await pool.run(grant)) }
        }
    }

    /// Frees what the attempt held and queues its ending, unless the lease was lost.
    private func finish(_ grant: Grant, _ outcome: AttemptOutcome?) {
        guard let held = running.removeValue(forKey: grant.lease.token) else { return }
        free.milliCPUs += held.resources.milliCPUs
        free.memoryInBytes += held.resources.memoryInBytes
        free.gpus += held.resources.gpus
        if held.kind == .driver {
            freeDriverSlots += 1
            drivers[held.job] = nil
        }
        if let outcome { endings.append(AttemptEnding(lease: held.lease, outcome: outcome)) }
        logger.debug(
            "attempt ended",
            metadata: ["task": "\(grant.task.spec.id)", "attempt": "\(grant.task.attempt)"])
        wake.wake()
    }

    private func log(of job: JobID) -> JobLog {
        if let log = logs[job] { return log }
        let log = JobLog(job: job, store: store)
        logs[job] = log
        return log
    }

    private func pool(of job: NewJob) -> ExecutorPool {
        if let pool = pools[job.id] { return pool }
        let pool = ExecutorPool(job: job, context: context, log: log(of: job.id))
        pools[job.id] = pool
        return pool
    }

    // MARK: Leases

    private func heartbeatLoop() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: configuration.heartbeatInterval)
            await heartbeat()
        }
    }

    private func heartbeat() async {
        let record = WorkerRecord(
            id: id, name: configuration.name, host: configuration.host, pid: getpid(),
            total: configuration.resources, free: free, labels: configuration.labels,
            version: configuration.version, runningTasks: running.count)
        do {
            let reply = try await store.heartbeat(record, leases: running.values.map(\.lease))
            for lease in reply.lost { await lose(lease) }
            for lease in reply.cancelled { await cancel(lease) }
        } catch {
            logger.warning("heartbeat failed", metadata: ["cause": "\(error)"])
        }
        await tidy()
    }

    /// The task was given to someone else: end the attempt and keep nothing of it.
    private func lose(_ lease: Lease) async {
        guard let held = running[lease.token] else { return }
        logger.warning("lost lease", metadata: ["task": "\(lease.task)"])
        switch held.kind {
        case .driver: await drivers[held.job]?.end(.leaseLost)
        case .task: await pools[held.job]?.cancel(token: lease.token)
        }
    }

    private func cancel(_ lease: Lease) async {
        guard let held = running[lease.token] else { return }
        switch held.kind {
        case .driver:
            guard let driver = drivers[held.job] else { return }
            Task { await driver.end(.stop) }
        case .task: await pools[held.job]?.cancel(token: lease.token)
        }
    }

    /// Ends idle executors and forgets jobs that are over.
    private func tidy() async {
        for pool in pools.values { await pool.endIdle(olderThan: configuration.executorIdleMax) }
        let active = Set(running.values.map(\.job))
        for job in Set(logs.keys).union(pools.keys).subtracting(active) {
            guard let record = try? await store.job(job), record.state.isTerminal,
                !running.values.contains(where: { $0.job == job })
            else { continue }
            let pool = pools.removeValue(forKey: job)
            logs[job] = nil
            let workspace = JobWorkspace(configuration: configuration, job: record.spec)
            Task {
                await pool?.close()
                workspace.remove()
            }
        }
    }

    // MARK: Signals

    private func signalLoop() async {
        for await signal in store.signals() {
            switch signal {
            case .work: wake.wake()
            case .tasks(let job): await drivers[job]?.session?.lookForAnswers()
            case .job(let job):
                if drivers[job] != nil || pools[job] != nil { await heartbeat() }
            case .anything:
                wake.wake()
                for driver in drivers.values { await driver.session?.lookForAnswers() }
            case .logs, .builds: break
            }
        }
    }

    // MARK: Shutting down

    /// Stops claiming, hands running attempts back unharmed, ends their processes and leaves the list.
    private func shutDown() async {
        isClaiming = false
        let held = running
        running = [:]
        endings += held.values.map { AttemptEnding(lease: $0.lease, outcome: .released) }
        let drivers = drivers.values
        let pools = pools.values
        await withDiscardingTaskGroup { group in
            for driver in drivers { group.addTask { await driver.end(.leaseLost) } }
            for pool in pools { group.addTask { await pool.close() } }
        }
        _ = try? await store.finish(endings)
        try? await store.remove(id)
        context.hub.close()
        try? FileManager.default.removeItem(atPath: configuration.runtimeDirectory)
        logger.info("worker stopped", metadata: ["worker": "\(configuration.name)"])
    }
}
