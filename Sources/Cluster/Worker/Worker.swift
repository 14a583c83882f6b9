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
    private let store: any JobStore
    nonisolated let context: WorkerContext
    private let folder: RuntimeFolder
    private let logger: Logger

    /// What it holds and may say next; everything here carries its decisions out.
    private var life: WorkerLife
    /// By the token of the lease: a job's next attempt may begin here while the lost one still
    /// ends.
    private var drivers: [Int64: DriverRun] = [:]
    private var pools: [JobID: ExecutorPool] = [:]
    private var actorPools: [JobID: ActorPool] = [:]
    private var logs: [JobID: JobLog] = [:]
    /// When the last heartbeat was sent that the store took.
    private var heardAt = ContinuousClock.now
    private let wake = Wakeup()

    /// How long a task waits here for its slot before another worker may have it.
    private static let aheadMax = Duration.milliseconds(50)
    /// How long endings of short tasks wait for company, and how often while there is more to do:
    /// a claim costs the store as much as several tasks.
    private static let gatherTime = Duration.milliseconds(3)
    private static let gatherMax = 3

    package init(
        _ configuration: WorkerConfiguration, store: any JobStore, blobs: any BlobStore,
        replayer: (any SpoolReplayer)? = nil, logger: Logger
    ) throws {
        self.configuration = configuration
        self.store = store
        self.logger = logger
        let id = WorkerID(name: configuration.name)
        life = WorkerLife(id: id, offer: configuration.offer)
        folder = try RuntimeFolder(configuration.runtimeDirectory)
        let shelf = try BlobShelf(directory: "\(configuration.cacheDirectory)/blobs")
        let peers = try Peers(
            configuration, store: store, blobs: blobs, shelf: shelf, logger: logger)
        let blobs: any BlobStore = peers?.blobs ?? blobs
        let cache = BlobCache(store: blobs, shelf: shelf)
        let builder = JobBuilder(
            configuration: configuration, worker: id, store: store, blobs: blobs, cache: cache)
        context = WorkerContext(
            configuration: configuration, id: id, store: store, cache: cache, builder: builder,
            downloads: PackageDownload(configuration.downloads),
            hub: try ChannelHub(path: "\(configuration.runtimeDirectory)/channel.sock"),
            memory: MemoryGroups(
                totalInBytes: configuration.resources.memoryInBytes > 0
                    ? configuration.resources.memoryInBytes : nil,
                mayUseControlGroups: configuration.mayUseControlGroups),
            spools: replayer.map {
                SpoolKeeper(configuration, store: store, replayer: $0, logger: logger)
            }, peers: peers)
    }

    /// Works until the task is cancelled, then hands back what runs, within the stop grace.
    package func run() async {
        logger.info(
            "worker started",
            metadata: [
                "worker": "\(configuration.name)",
                "cpus": "\(configuration.resources.milliCPUs / 1_000)",
                "toolchain": "\(configuration.sdk != nil)",
                "memory": "\(context.memory.kind)",
            ])
        await withDiscardingTaskGroup { group in
            group.addTask { await self.context.hub.run() }
            group.addTask { await self.heartbeatLoop() }
            group.addTask { await self.tidyLoop() }
            group.addTask { await self.context.spools?.run() }
            group.addTask { await self.context.peers?.run() }
            group.addTask { await self.signalLoop() }
            // Not cancelled with the rest: what its last claim is granted must be handed back.
            let claiming = Task { await claimLoop() }
            while !Task.isCancelled { try? await Task.sleep(for: .seconds(3_600)) }
            life.stopClaiming()
            wake.wake()
            await claiming.value
            await shutDown()
            group.cancelAll()
        }
    }

    // MARK: Claiming

    private func claimLoop() async {
        var pause = Duration.zero
        while life.isClaiming {
            if pause > .zero { await wake.wait(atMost: pause) }
            for _ in 0..<Worker.gatherMax where life.mayGather {
                try? await Task.sleep(for: Worker.gatherTime)
            }
            do {
                pause = try await claim()
            } catch {
                // Results wait here until the store is back; nothing is lost.
                logger.warning("the store cannot be reached", metadata: ["cause": "\(error)"])
                pause = .milliseconds(Int64.random(in: 500...1_500))
            }
        }
    }

    /// One round; answers how long to wait for a wake-up before the next.
    private func claim() async throws -> Duration {
        guard life.isClaiming else { return .zero }
        life.areLeasesCertain = ContinuousClock.now - heardAt < configuration.leaseDuration / 2
        let request = life.claimRequest
        let reply = try await store.claim(request)
        tellDrivers(request.endings, reply.endings)
        for (ending, answer) in zip(request.endings, reply.endings) where answer == .leaseLost {
            logger.warning(
                "lost lease",
                metadata: ["task": "\(ending.lease.task)", "result": "not kept"])
        }
        for grant in life.claimed(reply, sent: request.endings.count) { start(grant) }
        let ahead = reply.grants.lazy.filter(\.isAhead).map(\.lease.token)
        if !ahead.isEmpty { handBack(Array(ahead), after: Worker.aheadMax) }
        return .milliseconds(life.pauseInMilliseconds(after: reply))
    }

    /// Brings results to the drivers that run here, which need not ask the store for them.
    private func tellDrivers(_ endings: [AttemptEnding], _ replies: [EndingReply]) {
        guard !drivers.isEmpty else { return }
        var ends: [JobID: [EndedTasks.End]] = [:]
        for (ending, reply) in zip(endings, replies) where reply == .committed {
            guard case .succeeded(let payload) = ending.outcome, let job = ending.lease.task.job
            else { continue }
            ends[job, default: []].append(.succeeded(ending.lease.task, payload))
        }
        for (token, driver) in drivers {
            guard let job = life.running[token]?.job, let ends = ends[job] else { continue }
            Task { await driver.session?.hear(ends) }
        }
    }

    private func start(_ grant: Grant) {
        let start = ContinuousClock.now
        switch grant.task.spec.kind {
        case .driver:
            let run = DriverRun(grant, context: context, log: log(of: grant.job.id))
            drivers[grant.lease.token] = run
            Task { finish(grant, await run.run(), await run.lastLines, since: start) }
        case .task:
            if let task = ActorTask(grant.task.spec) {
                let pool = actorPool(of: grant.job)
                Task {
                    let end = await pool.run(grant, task)
                    finish(grant, end.outcome, end.lastLines, since: start)
                }
                return
            }
            let pool = pool(of: grant.job)
            Task {
                let end = await pool.run(grant)
                finish(grant, end.outcome, end.lastLines, since: start)
            }
        }
    }

    /// Keeps the attempt's ending for the next claim, and starts what waits for its place or frees
    /// that.
    private func finish(
        _ grant: Grant, _ outcome: AttemptOutcome?, _ lastLines: [String],
        since start: ContinuousClock.Instant
    ) {
        guard let attempt = life.ended(grant.lease.token, outcome, lastLines: lastLines) else {
            return
        }
        drivers[grant.lease.token] = nil
        let time = ContinuousClock.now - start
        if let next = life.next(after: attempt, microseconds: Int64(time / .microseconds(1))) {
            self.start(next)
        }
        logger.debug(
            "attempt ended",
            metadata: ["task": "\(grant.task.spec.id)", "attempt": "\(grant.task.attempt)"])
        wake.wake()
    }

    /// Hands back what waits for its slot for too long.
    private func handBack(_ tokens: [Int64], after limit: Duration) {
        Task {
            try? await Task.sleep(for: limit)
            if life.handBackWaiting(tokens) > 0 { wake.wake() }
        }
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

    private func actorPool(of job: NewJob) -> ActorPool {
        if let pool = actorPools[job.id] { return pool }
        let pool = ActorPool(job: job, context: context, log: log(of: job.id)) {
            [weak self] instance, isHome in await self?.isHome(of: instance, job.id, isHome)
        }
        actorPools[job.id] = pool
        return pool
    }

    /// Calls of an actor that came or went may be claimed here from now on, or not any more.
    private func isHome(of instance: String, _ job: JobID, _ isHome: Bool) {
        life.isHome(of: instance, job, isHome)
        wake.wake()
    }

    // MARK: Leases

    /// The first one lists the worker: a cluster is ready as soon as its workers are.
    private func heartbeatLoop() async {
        while !Task.isCancelled {
            await heartbeat()
            try? await Task.sleep(for: configuration.heartbeatInterval)
        }
    }

    /// Waits for nothing but the store: whatever else takes its time must not cost leases.
    private func heartbeat() async {
        do {
            let now = ContinuousClock.now
            let reply = try await store.heartbeat(record, leases: life.leases)
            heardAt = max(heardAt, now)
            let lost = reply.lost.compactMap { life.running[$0.token] }
            if !lost.isEmpty { Task { await tellOfForgotten(lost) } }
            for lease in reply.lost {
                guard let attempt = life.running[lease.token] else { continue }
                tell(of: attempt, isOverdue: reply.overdue.contains(lease))
                // The attempt is over for the store: nothing of it is kept.
                end(lease, .leaseLost)
            }
            for lease in reply.cancelled { end(lease, .stop) }
        } catch {
            logger.warning("heartbeat failed", metadata: ["cause": "\(error)"])
        }
    }

    private var record: WorkerRecord {
        var record = WorkerRecord(
            id: life.id, name: configuration.name, host: configuration.host, pid: getpid(),
            total: configuration.resources, free: life.free, labels: life.offer.labels,
            version: configuration.version, runningTasks: life.running.count,
            pools: configuration.pools)
        record.driverSlots = configuration.driverSlots
        record.freeDriverSlots = life.freeDriverSlots
        record.succeededCount = life.succeededCount
        record.failedCount = life.failedCount
        record.tracking = context.spools?.backlogs
        record.peer = context.peers?.offer
        return record
    }

    /// Says why the store took an attempt away: it took too long, or runs elsewhere.
    private func tell(of attempt: WorkerLife.Attempt, isOverdue: Bool) {
        guard isOverdue else {
            return logger.warning("lost lease", metadata: ["task": "\(attempt.lease.task)"])
        }
        let text = "passed its \(attempt.deadline ?? "deadline")"
        logger.warning("task \(text)", metadata: ["task": "\(attempt.lease.task)"])
        log(of: attempt.job).note("task \(attempt.lease.task) \(text) and is ended")
    }

    /// Says in a job's log when the store has forgotten what it granted: work is repeated then, and
    /// nobody else could say why.
    private func tellOfForgotten(_ lost: [WorkerLife.Attempt]) async {
        guard let records = try? await store.tasks(lost.map(\.lease.task)) else { return }
        let forgotten = zip(lost, records).filter { $1?.hasForgotten($0) ?? true }.map(\.0)
        for (job, attempts) in Dictionary(grouping: forgotten, by: \.job) {
            // A job that somebody deleted is forgotten on purpose.
            guard (try? await store.job(job)) != nil else { continue }
            logger.warning(
                "the store has forgotten its last writes",
                metadata: ["job": "\(job)", "attempts": "\(attempts.count)"])
            log(of: job).note(
                "The store came back without its last writes: what ran on \(configuration.name) "
                    + "(attempts: \(attempts.count)) is unknown to it and may run again.")
        }
    }

    /// Begins to end an attempt. Heard again while it ends, it changes nothing.
    private func end(_ lease: Lease, _ reason: DriverRun.Ending) {
        guard let held = life.running[lease.token] else { return }
        if life.isWaiting(lease.token) {
            life.ended(lease.token, reason == .stop ? .cancelled(by: "stop") : nil)
            wake.wake()
        } else if let driver = drivers[lease.token] {
            Task { await driver.end(reason) }
        } else {
            let (pool, actors) = (pools[held.job], actorPools[held.job])
            Task {
                await pool?.cancel(token: lease.token)
                await actors?.cancel(token: lease.token)
            }
        }
    }

    // MARK: Tidying

    private func tidyLoop() async {
        var lastTrim: ContinuousClock.Instant?
        while !Task.isCancelled {
            try? await Task.sleep(for: configuration.heartbeatInterval)
            if lastTrim.map({ ContinuousClock.now - $0 > .seconds(600) }) ?? true {
                lastTrim = .now
                await context.trimCache(logger)
            }
            for pool in pools.values {
                await pool.endIdle(olderThan: configuration.executorIdleMax)
            }
            for job in Set(logs.keys).union(pools.keys).union(actorPools.keys) { await tidy(job) }
        }
    }

    /// Forgets a job that is over, or that the store no longer knows.
    private func tidy(_ job: JobID) async {
        guard !life.isRunning(job) else { return }
        do {
            if let record = try await store.job(job), !record.state.isTerminal { return }
        } catch {
            // Unknown for now: asked again a second later.
            return
        }
        guard !life.isRunning(job) else { return }
        let pool = pools.removeValue(forKey: job)
        let actors = actorPools.removeValue(forKey: job)
        logs[job] = nil
        Task {
            await pool?.close()
            await actors?.close()
            await JobWorkspace.remove(job, configuration)
        }
    }

    // MARK: Signals

    private func signalLoop() async {
        for await signal in store.signals() {
            switch signal {
            case .work: wake.wake()
            case .tasks(let job):
                for (token, driver) in drivers where life.running[token]?.job == job {
                    await driver.session?.lookForAnswers()
                }
            case .job(let job):
                if life.isRunning(job) { await heartbeat() }
            case .anything:
                wake.wake()
                for driver in drivers.values { await driver.session?.lookForAnswers() }
            case .logs, .builds: break
            }
        }
    }

    // MARK: Shutting down

    /// Ends what runs, hands it back unharmed, and leaves the list.
    private func shutDown() async {
        let endings = life.handBack()
        await withDiscardingTaskGroup { group in
            for driver in drivers.values { group.addTask { await driver.end(.leaseLost) } }
            for pool in pools.values { group.addTask { await pool.close() } }
            for pool in actorPools.values { group.addTask { await pool.close() } }
        }
        await withDiscardingTaskGroup { group in
            for log in logs.values { group.addTask { await log.flush(within: .seconds(2)) } }
        }
        do {
            _ = try await store.finish(endings)
            try await store.remove(life.id)
        } catch {
            logger.warning(
                "attempts could not be handed back; their leases end by themselves",
                metadata: ["cause": "\(error)"])
        }
        context.hub.close()
        context.memory.close()
        folder.remove()
        logger.info("worker stopped", metadata: ["worker": "\(configuration.name)"])
    }
}
