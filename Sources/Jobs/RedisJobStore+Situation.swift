import Redis

/// What people are told of a job and of the whole cluster.
extension RedisJobStore {
    package func situation(of job: JobID) async throws -> JobSituation? {
        var arguments = RedisCommand(job.rawValue, TaskID.driver(of: job).rawValue)
        arguments.append(limits.workerLifetime.inMilliseconds)
        arguments.append(JobSituation.waitingMax)
        arguments.append(JobSituation.tasksMax)
        arguments.append(JobSituation.delayedScanMax)
        arguments.append(JobSituation.queueScanMax)
        let reply = try await run(scripts.situation, arguments)
        if reply.isNull { return nil }
        guard let parts = reply.array, parts.count == 11, let now = parts[0].integer,
            let record = try RedisJobCoding.job(parts[1]), let running = parts[3].integer,
            let deadCount = parts[8].integer, let ahead = parts[9].integer
        else { throw JobStoreError.corrupt("the situation of job \(job)") }
        return JobSituation(
            now: now, job: record,
            driver: parts[2].isNull ? nil : try RedisTaskCoding.task(parts[2]),
            runningCount: Int(running),
            before: try (parts[4].array ?? []).compactMap { try RedisJobCoding.job($0) },
            waiting: try waiting(parts[5]), delayed: try tasks(parts[6]), dead: try tasks(parts[7]),
            deadCount: Int(deadCount), jobsAhead: Int(ahead), workers: try workers(parts[10]))
    }

    private func tasks(_ value: RESPValue) throws -> [TaskRecord] {
        try (value.array ?? []).map { try RedisTaskCoding.task($0) }
    }

    private func waiting(_ value: RESPValue) throws -> [JobSituation.Waiting] {
        try (value.array ?? []).map { entry in
            guard let parts = entry.array, parts.count == 2, let count = parts[0].integer else {
                throw JobStoreError.corrupt("what waits of a job")
            }
            return JobSituation.Waiting(
                first: try RedisTaskCoding.task(parts[1]), count: Int(count))
        }
    }

    package func load() async throws -> ClusterLoad {
        let reply = try await run(
            scripts.load, RedisCommand(String(JobSituation.queueScanMax)))
        guard let parts = reply.array, parts.count == 8 else {
            throw JobStoreError.corrupt("the cluster's load")
        }
        let counts = parts.prefix(7).compactMap { $0.integer.map { Int($0) } }
        guard counts.count == 7 else { throw JobStoreError.corrupt("the cluster's load") }
        var load = ClusterLoad()
        load.pendingJobs = counts[0]
        load.runningJobs = counts[1]
        load.stoppingJobs = counts[2]
        load.endedJobs = counts[3]
        load.leases = counts[4]
        load.delayedTasks = counts[5]
        load.schedules = counts[6]
        load.pools = try (parts[7].array ?? []).map { entry in
            guard let parts = entry.array, parts.count == 3, let name = parts[0].string,
                let drivers = parts[1].integer, let tasks = parts[2].integer
            else { throw JobStoreError.corrupt("the load of a pool") }
            return ClusterLoad.PoolLoad(
                name: name, waitingDrivers: Int(drivers), waitingTasks: Int(tasks))
        }.sorted { $0.name < $1.name }
        return load
    }
}
