import Redis

/// Tasks, claims and workers.
extension RedisJobStore {
    /// How many tasks one script reads or adds, so that none holds Redis for long and no reply
    /// outgrows the client's bound.
    private static let batchMax = 128

    package func enqueue(
        _ tasks: [NewTask], under driverLease: Lease
    ) async throws -> [TaskRecord] {
        guard let job = driverLease.task.job, driverLease.task == .driver(of: job) else {
            throw JobStoreError.leaseLost(driverLease.task)
        }
        for task in tasks { try limits.check(task, of: job) }
        var records: [TaskRecord] = []
        for batch in tasks.batches(of: RedisJobStore.batchMax) {
            var arguments = driverArguments(driverLease, of: job)
            RedisTaskForm.append(batch, to: &arguments)
            let reply = try await run(scripts.enqueue, arguments)
            switch reply.array?.first?.string {
            case "ok":
                records += try RedisJobStore.enqueued(batch, reply.array?.last ?? .null)
            case "leaseLost": throw JobStoreError.leaseLost(driverLease.task)
            case "jobOver": throw JobStoreError.jobOver(job)
            case "full": throw full(reply)
            default: throw JobStoreError.corrupt("the reply to enqueue")
            }
        }
        return records
    }

    /// Tasks as they stand after `enqueue`: since the time that it answers all wait as they were
    /// sent, or each is told of.
    private static func enqueued(
        _ batch: some Collection<NewTask>, _ reply: RESPValue
    ) throws(JobStoreError) -> [TaskRecord] {
        if let time = reply.integer { return batch.map { TaskRecord(new: $0, at: time) } }
        let values = reply.array ?? []
        guard values.count == batch.count else { throw .corrupt("the reply to enqueue") }
        var records: [TaskRecord] = []
        for value in values { records.append(try RedisTaskCoding.task(value)) }
        return records
    }

    package func cancel(
        _ tasks: [TaskID], by whom: String, under driverLease: Lease
    ) async throws {
        guard let job = driverLease.task.job, driverLease.task == .driver(of: job) else {
            throw JobStoreError.leaseLost(driverLease.task)
        }
        let own = tasks.filter { $0.job == job && $0 != driverLease.task }
        for batch in own.batches(of: RedisJobStore.batchMax) {
            var arguments = driverArguments(driverLease, of: job)
            arguments.append(whom.prefix(maxBytes: AttemptRecord.causeMaxInBytes))
            arguments.append(batch.count)
            for task in batch { arguments.append(task.rawValue) }
            switch try await run(scripts.cancel, arguments).string {
            case "ok": continue
            case "leaseLost": throw JobStoreError.leaseLost(driverLease.task)
            case "jobOver": throw JobStoreError.jobOver(job)
            default: throw JobStoreError.corrupt("the reply to cancel")
            }
        }
    }

    package func cancelTask(_ task: TaskID, by whom: String) async throws -> TaskRecord? {
        if let job = task.job, task == .driver(of: job) {
            _ = try await stop(job, by: whom)
            return try await tasks([task]).first ?? nil
        }
        let reply = try await run(
            scripts.cancelTask,
            RedisCommand(task.rawValue, whom.prefix(maxBytes: AttemptRecord.causeMaxInBytes)))
        return reply.isNull ? nil : try RedisTaskCoding.task(reply)
    }

    package func deadTasks(of job: JobID, limit: Int) async throws -> [TaskRecord] {
        try await tasks(in: .dead, of: job, limit: limit, by: "ZRANGE")
    }

    package func tasks(_ ids: [TaskID]) async throws -> [TaskRecord?] {
        var records: [TaskRecord?] = []
        for batch in ids.batches(of: RedisJobStore.batchMax) {
            var arguments = RedisCommand(String(batch.count))
            for id in batch { arguments.append(id.rawValue) }
            let values = try await run(scripts.read, arguments).array ?? []
            guard values.count == batch.count else {
                throw JobStoreError.corrupt("the reply to read")
            }
            for value in values {
                records.append(value.isNull ? nil : try RedisTaskCoding.task(value))
            }
        }
        return records
    }

    package func tasks(of job: JobID, limit: Int) async throws -> [TaskRecord] {
        try await tasks(in: .order, of: job, limit: limit, by: "LRANGE")
    }

    /// The first tasks whose ids stand in a list or a sorted set of the job.
    private func tasks(
        in key: RedisKey, of job: JobID, limit: Int, by command: String
    ) async throws -> [TaskRecord] {
        guard limit > 0 else { return [] }
        let last = min(limit, limits.tasksPerJobMax + 1) - 1
        let ids = try await send(
            RedisCommand(command, keys.name(key, job.rawValue), "0", String(last)))
        return try await tasks(
            (ids.array ?? []).compactMap { $0.string.map { TaskID(rawValue: $0) } }
        ).compactMap { $0 }
    }

    package func claim(_ request: ClaimRequest) async throws -> ClaimReply {
        // More endings than one script should take go ahead of it.
        let ahead = request.endings.dropLast(RedisJobStore.batchMax)
        let replies = try await finish(Array(ahead))
        let endings = request.endings.dropFirst(ahead.count)
        let parts = try await run(
            scripts.claim, arguments(for: request, endings: endings), isRepeatable: false
        ).array
        guard let parts, parts.count == 6, let expiry = parts[5].integer else {
            throw JobStoreError.corrupt("the reply to claim")
        }
        let early = Set((parts[4].array ?? []).compactMap { $0.integer.map { Int($0) - 1 } })
        return ClaimReply(
            endings: replies
                + (try RedisTaskCoding.endingReplies(parts[0], count: endings.count)),
            grants: try grants(parts[1], to: request.worker, expiry, jobs: parts[2], ahead: early),
            nextDueInMilliseconds: parts[3].integer)
    }

    private func arguments(
        for request: ClaimRequest, endings: ArraySlice<AttemptEnding>
    ) throws(JobStoreError) -> RedisCommand {
        var arguments = RedisCommand(request.worker.rawValue)
        arguments.append(request.free.milliCPUs)
        arguments.append(request.free.memoryInBytes)
        arguments.append(request.free.gpus)
        arguments.append(request.driverSlots)
        arguments.append(TaskShape.text(of: request.labels))
        arguments.append(TaskShape.text(of: request.free.custom))
        arguments.append(request.pools.filter(Pool.isValid).sorted().joined(separator: ","))
        arguments.append(min(request.grantsMax, 2 * RedisJobStore.batchMax))
        arguments.append(
            min(request.leaseInMilliseconds, ClaimRequest.leaseMaxInMilliseconds))
        try RedisTaskCoding.append(endings, to: &arguments)
        arguments.append(request.ahead.count)
        for offer in request.ahead {
            arguments.append(offer.job.rawValue)
            arguments.append(offer.shape)
            arguments.append(offer.count)
        }
        return arguments
    }

    /// - Parameter expiry: when the leases of plain tasks end.
    private func grants(
        _ tasks: RESPValue, to worker: WorkerID, _ expiry: Int64, jobs: RESPValue, ahead: Set<Int>
    ) throws(JobStoreError) -> [Grant] {
        var specs: [JobID: NewJob] = [:]
        let flat = jobs.array ?? []
        for index in stride(from: 0, to: flat.count - 1, by: 2) {
            guard let bytes = flat[index + 1].bytes else { throw .corrupt("a granted task's job") }
            let spec = try grantedJobs.job(bytes)
            specs[spec.id] = spec
        }
        var reader = RedisTaskForm.Reader()
        var grants: [Grant] = []
        for (index, value) in (tasks.array ?? []).enumerated() {
            let task: TaskRecord
            if let fields = value.array, fields.count == 3 {
                guard let id = fields[0].string.map(TaskID.init(rawValue:)),
                    let spec = fields[1].bytes, let token = fields[2].integer
                else { throw .corrupt("a grant") }
                let lease = Lease(task: id, worker: worker, token: token, expiry: expiry)
                task = try reader.task(id, spec: spec, state: .running(lease), attempt: 1)
            } else {
                task = try RedisTaskCoding.task(value)
            }
            guard case .running(let lease) = task.state, let job = specs[task.spec.job] else {
                throw .corrupt("the grant of task \(task.spec.id)")
            }
            grants.append(
                Grant(task: task, lease: lease, job: job, isAhead: ahead.contains(index)))
        }
        return grants
    }

    package func ended(
        of job: JobID, from start: Int?, limit: Int
    ) async throws -> EndedTasks {
        var arguments = RedisCommand(job.rawValue)
        arguments.append(start.map { max(0, $0) } ?? -1)
        arguments.append(min(limit, EndedTasks.tasksMax))
        let reply = try await run(scripts.ended, arguments).array ?? []
        guard reply.count == 2, let next = reply[0].integer, let values = reply[1].array else {
            throw JobStoreError.corrupt("the reply to ended")
        }
        var tasks: [EndedTasks.End] = []
        for value in values {
            if let end = try RedisTaskCoding.end(value) { tasks.append(end) }
        }
        return EndedTasks(tasks: tasks, next: Int(next))
    }

    package func finish(_ endings: [AttemptEnding]) async throws -> [EndingReply] {
        var replies: [EndingReply] = []
        for batch in endings.batches(of: RedisJobStore.batchMax) {
            var arguments = RedisCommand()
            try RedisTaskCoding.append(batch, to: &arguments)
            replies += try RedisTaskCoding.endingReplies(
                await run(scripts.finish, arguments), count: batch.count)
        }
        return replies
    }

    package func counters() async throws -> StoreCounters {
        let reply = try await send(
            RedisCommand("HMGET", keys.name(.counters), "duplicate", "leaseLost"))
        var counters = StoreCounters()
        counters.duplicateCommits = Int(reply.array?.first?.integer ?? 0)
        counters.refusedCommits = Int(reply.array?.last?.integer ?? 0)
        return counters
    }

    // MARK: Workers

    package func heartbeat(
        _ worker: WorkerRecord, leases: [Lease]
    ) async throws -> HeartbeatReply {
        var arguments = RedisCommand(worker.id.rawValue)
        arguments.append(try StoreCoding.encode(worker))
        arguments.append(limits.workerLifetime.inMilliseconds)
        // A lease of another worker is lost to this one; the script is not asked.
        let own = leases.filter { $0.worker == worker.id }
        arguments.append(own.count)
        for lease in own {
            arguments.append(lease.task.rawValue)
            arguments.append(lease.token)
        }
        let reply = try await run(scripts.heartbeat, arguments)
        let lists = (reply.array ?? []).map { list in
            (list.array ?? []).compactMap { $0.integer.map { Int($0) - 1 } }
        }
        guard lists.count == 3, lists.joined().allSatisfy(own.indices.contains) else {
            throw JobStoreError.corrupt("the reply to heartbeat")
        }
        return HeartbeatReply(
            lost: leases.filter { $0.worker != worker.id } + lists[0].map { own[$0] },
            cancelled: lists[1].map { own[$0] }, overdue: lists[2].map { own[$0] })
    }

    package func workers() async throws -> [WorkerRecord] {
        try workers(
            await run(
                scripts.workers, RedisCommand(String(limits.workerLifetime.inMilliseconds))))
    }

    /// By name.
    func workers(_ reply: RESPValue) throws(JobStoreError) -> [WorkerRecord] {
        var records: [WorkerRecord] = []
        for bytes in (reply.array ?? []).compactMap(\.bytes) {
            records.append(try StoreCoding.decode(WorkerRecord.self, from: bytes))
        }
        return records.sorted { ($0.name, $0.id.rawValue) < ($1.name, $1.id.rawValue) }
    }

    package func remove(_ worker: WorkerID) async throws {
        _ = try await run(scripts.removeWorker, RedisCommand(worker.rawValue))
    }
}

extension Collection where Index == Int {
    /// The elements in order, at most `size` at a time.
    func batches(of size: Int) -> [SubSequence] {
        stride(from: startIndex, to: endIndex, by: size).map { start in
            self[start..<Swift.min(start + size, endIndex)]
        }
    }
}
