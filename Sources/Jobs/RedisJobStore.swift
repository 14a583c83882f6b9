package import Redis
import Synchronization

/// The job store that processes share: one function in Lua per transition, Redis's own clock.
///
/// The functions stand in `Lua/`, the keys in `RedisKeys`; `docs/REDIS.md` shows the data.
/// Connections come back by themselves; while Redis is away every method throws `.unavailable`
/// after the client's patience.
package final class RedisJobStore: JobStore {
    let client: RedisClient
    let keys: RedisKeys
    let limits: StoreLimits
    let scripts: RedisScripts
    let grantedJobs = GrantedJobs()
    private let ownsClient: Bool
    private let hub = SignalHub()
    private let subscription = Mutex<RedisSubscription?>(nil)

    /// A store over a client that others may use too; checks nothing.
    package init(
        client: RedisClient, namespace: String, limits: StoreLimits = StoreLimits(),
        scripts: RedisScripts? = nil, ownsClient: Bool = false
    ) {
        self.client = client
        self.limits = limits
        self.scripts = scripts ?? RedisScripts(limits: limits)
        self.ownsClient = ownsClient
        keys = RedisKeys(namespace: namespace)
    }

    /// Connects and checks that this Redis can be a control store.
    ///
    /// - Throws: `StoreConfigurationError` when it cannot, `JobStoreError.unavailable` when nobody
    ///   answers.
    package static func open(
        _ endpoint: RedisEndpoint, _ configuration: StoreConfiguration
    ) async throws -> RedisJobStore {
        let client = RedisClient(endpoint)
        do {
            try await RedisRequirements.check(client)
            try await StoreFormat.agree(
                client, RedisKeys(namespace: configuration.namespace),
                program: configuration.program)
            return RedisJobStore(
                client: client, namespace: configuration.namespace, limits: configuration.limits,
                scripts: RedisScripts(limits: configuration.limits),
                ownsClient: true)
        } catch {
            client.close()
            throw error
        }
    }

    // MARK: Submitting

    package func submit(_ job: NewJob) async throws -> JobRecord {
        var arguments = RedisCommand()
        try append(job, to: &arguments)
        let record = try submitted(await run(scripts.submit, arguments))
        guard record.spec == job else { throw JobStoreError.conflictingSubmission(job.id) }
        return record
    }

    package func job(_ id: JobID) async throws -> JobRecord? {
        try RedisJobCoding.job(
            await send(RedisCommand("HGETALL", keys.name(.job, id.rawValue))))
    }

    package func jobs(limit: Int) async throws -> [JobRecord] {
        let last = max(0, min(limit, limits.activeJobsMax + limits.endedJobsMax)) - 1
        guard last >= 0 else { return [] }
        let ids = try await send(RedisCommand("ZREVRANGE", keys.name(.jobs), "0", String(last)))
        let commands = (ids.array ?? []).compactMap(\.string).map {
            RedisCommand("HGETALL", keys.name(.job, $0))
        }
        // A job that is dropped between the two reads is left out.
        return try await send(commands).compactMap { reply in try RedisJobCoding.job(reply) }
    }

    package func stop(_ job: JobID, by whom: String) async throws -> JobRecord? {
        try RedisJobCoding.job(
            await run(
                scripts.stop,
                RedisCommand(
                    job.rawValue, TaskID.driver(of: job).rawValue,
                    whom.prefix(maxBytes: AttemptRecord.causeMaxInBytes))))
    }

    package func retry(job: JobID) async throws -> JobRecord? {
        try await retry(job, task: "") ? try await self.job(job) : nil
    }

    package func retry(task: TaskID) async throws -> TaskRecord? {
        guard let job = task.job, try await retry(job, task: task.rawValue) else { return nil }
        return try await tasks([task]).first ?? nil
    }

    /// Answers whether there is such a job and task.
    private func retry(_ job: JobID, task: String) async throws -> Bool {
        let reply = try await run(
            scripts.retry, RedisCommand(job.rawValue, TaskID.driver(of: job).rawValue, task))
        switch reply.array?.first?.string {
        case "ok": return true
        case "none": return false
        case "full": throw full(reply)
        case .some(let word): throw JobStoreError.retryRefused(word, job)
        case nil: throw JobStoreError.corrupt("the reply to retry")
        }
    }

    package func delete(_ job: JobID) async throws -> Bool {
        // A repetition would answer that there was none.
        try await run(scripts.delete, RedisCommand(job.rawValue), isRepeatable: false).integer == 1
    }

    package func report(_ phase: JobPhase, of job: JobID, under lease: Lease) async throws {
        guard lease.task == .driver(of: job) else { throw JobStoreError.leaseLost(lease.task) }
        var arguments = driverArguments(lease, of: job)
        let words = RedisJobCoding.words(of: phase)
        arguments.append(words.phase)
        arguments.append(words.worker.prefix(maxBytes: AttemptRecord.causeMaxInBytes))
        let reply = try await run(scripts.report, arguments)
        guard reply.string == "ok" else { throw JobStoreError.leaseLost(lease.task) }
    }

    func driverArguments(_ lease: Lease, of job: JobID) -> RedisCommand {
        var arguments = RedisCommand(job.rawValue, lease.task.rawValue)
        arguments.append(lease.token)
        arguments.append(lease.worker.rawValue)
        return arguments
    }

    // MARK: Waiting

    package func signals() -> AsyncStream<StoreSignal> {
        subscription.withLock { subscription in
            guard subscription == nil else { return }
            subscription = RedisSubscription(client.endpoint, channel: keys.name(.signals)) {
                [hub] event in
                switch event {
                case .connected: hub.publish(.anything)
                case .message(let bytes): StoreSignal.all(in: bytes).forEach(hub.publish)
                }
            }
        }
        return hub.signals()
    }

    package func close() async {
        hub.finish()
        subscription.withLock { subscription in
            subscription?.close()
            subscription = nil
        }
        if ownsClient { client.close() }
    }

    // MARK: Calling Redis

    func run(
        _ function: RedisFunction, _ arguments: RedisCommand, isRepeatable: Bool = true
    ) async throws(JobStoreError) -> RESPValue {
        do throws(RedisError) {
            return try await client.run(
                function, keys: [keys.prefix], arguments: arguments, isRepeatable: isRepeatable)
        } catch {
            throw JobStoreError(error, function.name)
        }
    }

    func send(_ command: RedisCommand) async throws(JobStoreError) -> RESPValue {
        do throws(RedisError) { return try await client.send(command) } catch {
            throw JobStoreError(error, "reading")
        }
    }

    private func send(_ commands: [RedisCommand]) async throws(JobStoreError) -> [RESPValue] {
        do throws(RedisError) { return try await client.send(commands) } catch {
            throw JobStoreError(error, "reading")
        }
    }

    /// What a script that answered 'full' and the bound's name means for people.
    func full(_ reply: RESPValue) -> JobStoreError {
        switch reply.array?.last?.string {
        case "activeJobs": .full("\(limits.activeJobsMax) jobs are active")
        case "chain": .full("at most \(limits.chainMax) jobs wait for one another in a row")
        case "tasksPerJob": .full("a job has at most \(limits.tasksPerJobMax) tasks")
        default: .full("\(limits.shapesMax) different combinations of resources and labels wait")
        }
    }
}

extension JobStoreError {
    init(_ error: RedisError, _ operation: String) {
        switch error {
        case .unavailable, .lost, .closed: self = .unavailable("\(error)")
        case .replyTooLarge, .unexpectedReply: self = .corrupt("\(operation): \(error)")
        case .server(let answer):
            switch answer.code {
            case .outOfMemory: self = .full("Redis's memory is used up; raise its maxmemory")
            case .other, .wrongType: self = .corrupt("\(operation): \(answer)")
            default: self = .unavailable("\(answer)")
            }
        }
    }
}

extension StoreSignal {
    /// Reads what scripts publish: one signal a line. What is not known is left out.
    static func all(in bytes: [UInt8]) -> [StoreSignal] {
        String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ", maxSplits: 1)
            let job = words.count == 2 ? JobID(rawValue: String(words[1])) : nil
            switch words.first {
            case "work": return .work
            case "builds": return .builds
            case "tasks": return job.map { .tasks($0) }
            case "job": return job.map { .job($0) }
            case "logs": return job.map { .logs($0) }
            default: return nil
            }
        }
    }
}
