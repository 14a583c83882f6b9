/// Retries, and jobs that wait for others, of the in-memory store.
extension JobShelf {
    mutating func retry(job id: JobID, at now: Int64) throws(JobStoreError) -> JobRecord? {
        guard let job = jobs[id], let driver = job.tasks[.driver(of: id)] else { return nil }
        if case .active = job.record.state { return job.record }
        let record = try job.record.retrying()
        guard job.running.isEmpty else { throw .retryRefused("running", id) }
        try checkActiveJobs()
        try checkShapes(adding: [driver.spec])
        guard let waiting = try? lives.reviving(driver, record.lives, now) else {
            throw .corrupt("the driver of job \(id), which is over, is not")
        }
        jobs[id]?.record = record
        apply(waiting, was: driver, at: now)
        raised.insert(.job(id))
        return jobs[id]?.record
    }

    mutating func retry(task id: TaskID, at now: Int64) throws(JobStoreError) -> TaskRecord? {
        guard let task = task(id) else { return nil }
        switch task.state {
        case .failed, .cancelled: break
        case .waiting, .running, .succeeded: return task
        }
        if case .active = jobs[task.spec.job]?.record.state {
            try checkShapes(adding: [task.spec])
        } else {
            _ = try retry(job: task.spec.job, at: now)
        }
        let life = jobs[task.spec.job]?.record.lives ?? 1
        if task.spec.kind == .task, let waiting = try? lives.reviving(task, life, now) {
            apply(waiting, was: task, at: now)
        }
        return self.task(id)
    }

    /// Where a job stands that comes after others: those that are open, one that will never
    /// succeed, and how many wait in a row.
    func place(
        after ids: [JobID]
    ) throws(JobStoreError) -> (open: [JobID], obstacle: String?, depth: Int) {
        let unknown = ids.filter { jobs[$0] == nil }
        guard unknown.isEmpty else { throw .unknownJobs(unknown.map(\.rawValue)) }
        var open: [JobID] = []
        var obstacle: String?
        var depth = 0
        for job in ids.compactMap({ jobs[$0] }) {
            switch job.record.state {
            case .succeeded: continue
            case .failed, .stopped: obstacle = obstacle ?? job.record.reasonForFollowers
            case .active, .stopping:
                if !open.contains(job.record.spec.id) { open.append(job.record.spec.id) }
                depth = max(depth, job.depth + 1)
            }
        }
        guard depth <= limits.chainMax else {
            throw .full("at most \(limits.chainMax) jobs wait for one another in a row")
        }
        return (obstacle == nil ? open : [], obstacle, depth)
    }

    /// Lets go, or stops, the jobs that waited for one that is over.
    mutating func tellFollowers(of ended: JobRecord, at now: Int64) {
        let id = ended.spec.id
        let followers = jobs.values.filter { $0.record.waitsFor.contains(id) }
        for job in followers.sorted(by: { $0.number < $1.number }) {
            let follower = job.record.spec.id
            guard case .succeeded = ended.state else {
                _ = stop(follower, by: ended.reasonForFollowers, at: now)
                continue
            }
            let open = job.record.waitsFor.filter { $0 != id }
            jobs[follower]?.record.waitsFor = open
            raised.insert(.job(follower))
            guard open.isEmpty, let driver = job.tasks[.driver(of: follower)] else { continue }
            apply(driver.releasing(at: now), was: driver, at: now)
        }
    }
}
