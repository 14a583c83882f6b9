/// What the in-memory store tells people of a job and of the whole cluster.
extension JobShelf {
    mutating func situation(of id: JobID, at now: Int64) -> JobSituation? {
        let workers = listedWorkers(at: now)
        guard let job = jobs[id] else { return nil }
        let dead = deadTasks(of: id)
        return JobSituation(
            now: now, job: job.record, driver: job.tasks[.driver(of: id)],
            runningCount: job.running.count,
            before: job.record.waitsFor.compactMap { jobs[$0]?.record },
            waiting: waitingGroups(of: job, at: now), delayed: delayedTasks(of: job, at: now),
            dead: Array(dead.prefix(JobSituation.tasksMax)), deadCount: dead.count,
            jobsAhead: jobsAhead(of: job, at: now), workers: workers)
    }

    private func waitingGroups(of job: Job, at now: Int64) -> [JobSituation.Waiting] {
        var groups: [TaskShape: (first: TaskRecord, count: Int)] = [:]
        for task in claimable(of: job, at: now) {
            groups[TaskShape(task.spec), default: (task, 0)].count += 1
        }
        let sorted = groups.sorted { ($1.value.count, $0.key.text) < ($0.value.count, $1.key.text) }
        return sorted.prefix(JobSituation.waitingMax).map {
            JobSituation.Waiting(first: $0.value.first, count: $0.value.count)
        }
    }

    private func claimable(of job: Job, at now: Int64) -> some Sequence<TaskRecord> {
        job.waiting.lazy.compactMap { entry in
            guard let task = job.tasks[entry.task], case .waiting(let notBefore) = task.state,
                notBefore <= now
            else { return nil }
            return task
        }
    }

    private func delayedTasks(of job: Job, at now: Int64) -> [TaskRecord] {
        let delayed = job.waiting.compactMap { entry -> (at: Int64, task: TaskRecord)? in
            guard let task = job.tasks[entry.task], case .waiting(let notBefore) = task.state,
                notBefore > now
            else { return nil }
            return (notBefore, task)
        }
        return delayed.sorted {
            ($0.at, $0.task.spec.id.rawValue) < ($1.at, $1.task.spec.id.rawValue)
        }
        .prefix(JobSituation.tasksMax).map(\.task)
    }

    /// As `nextTask(for:at:)` orders jobs.
    private func jobsAhead(of job: Job, at now: Int64) -> Int {
        guard let mine = rank(of: job, at: now) else { return 0 }
        let pool = job.record.spec.poolName
        return jobs.values.count { other in
            guard other.record.spec.poolName == pool, let rank = rank(of: other, at: now) else {
                return false
            }
            return rank < mine
        }
    }

    private func rank(of job: Job, at now: Int64) -> (Int, Int, Int)? {
        guard let first = claimable(of: job, at: now).first(where: { _ in true }),
            let entry = job.waiting.first(where: { $0.task == first.spec.id })
        else { return nil }
        return (-entry.priority, job.running.count, entry.age)
    }

    func load(at now: Int64) -> ClusterLoad {
        var load = ClusterLoad()
        load.schedules = schedules.count
        var pools: [String: (drivers: Int, tasks: Int)] = [:]
        for job in jobs.values {
            switch job.record.state {
            case .active(.running): load.runningJobs += 1
            case .active: load.pendingJobs += 1
            case .stopping: load.stoppingJobs += 1
            case .succeeded, .failed, .stopped: load.endedJobs += 1
            }
            load.leases += job.running.count
            var claimableCount = 0
            for task in claimable(of: job, at: now) {
                claimableCount += 1
                let isDriver = task.spec.kind == .driver
                pools[task.spec.pool, default: (0, 0)].drivers += isDriver ? 1 : 0
                pools[task.spec.pool, default: (0, 0)].tasks += isDriver ? 0 : 1
            }
            load.delayedTasks += job.waiting.count - claimableCount
        }
        load.pools = pools.sorted { $0.key < $1.key }.map { name, counts in
            ClusterLoad.PoolLoad(
                name: name, waitingDrivers: counts.drivers, waitingTasks: counts.tasks)
        }
        return load
    }
}
