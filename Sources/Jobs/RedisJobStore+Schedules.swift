import Redis

/// Submissions, by people and by schedules.
extension RedisJobStore {
    /// - Throws: `.full` for a job that no store takes.
    func append(_ job: NewJob, to arguments: inout RedisCommand) throws(JobStoreError) {
        let spec = try StoreCoding.encode(job)
        try limits.check(jobSizeInBytes: spec.count)
        try limits.check(job)
        let driver = job.driver
        arguments.append(job.id.rawValue)
        arguments.append(spec)
        switch job.entrypoint {
        case .script: arguments.append("script")
        case .command: arguments.append("command")
        }
        arguments.append(driver.id.rawValue)
        arguments.append(TaskShape(driver).text)
        arguments.append(driver.effectivePriority)
        arguments.append(driver.retry.attemptsMax)
        arguments.append(driver.retry.delayInMilliseconds)
        arguments.append(driver.deadlines.text)
        arguments.append(driver.pool == Pool.defaultName ? "" : driver.pool)
        arguments.append(job.after?.count ?? 0)
        for id in job.after ?? [] { arguments.append(id.rawValue) }
    }

    /// What a submission's reply means.
    func submitted(_ reply: RESPValue) throws(JobStoreError) -> JobRecord {
        switch reply.array?.first?.string {
        case "full": throw full(reply)
        case "unknown":
            throw .unknownJobs((reply.array ?? []).dropFirst().compactMap(\.string))
        default: break
        }
        guard let record = try RedisJobCoding.job(reply.array?.last) else {
            throw .corrupt("the reply to a submission")
        }
        return record
    }

    // MARK: Schedules

    package func put(_ schedule: Schedule) async throws -> ScheduleRecord {
        let cron = try schedule.checked(limits)
        let known = try await readSchedules()
        let next = cron.next(after: known.now) ?? ScheduleRecord.never
        var arguments = RedisCommand(schedule.name)
        arguments.append(try StoreCoding.encode(schedule))
        arguments.append(next)
        let reply = try await run(scripts.putSchedule, arguments)
        guard reply.string == "ok" else {
            throw JobStoreError.full("\(limits.schedulesMax) schedules are kept")
        }
        let kept = try await readSchedules().rows.first { $0.record.schedule.name == schedule.name }
        // One that was deleted meanwhile was put nevertheless.
        return kept?.record ?? ScheduleRecord(schedule: schedule, nextFire: next)
    }

    package func schedules() async throws -> [ScheduleRecord] {
        try await readSchedules().rows.map(\.record)
    }

    package func deleteSchedule(_ name: String) async throws -> Bool {
        // A repetition would answer that there was none.
        let reply = try await run(scripts.deleteSchedule, RedisCommand(name), isRepeatable: false)
        return reply.integer == 1
    }

    package func fireSchedules() async throws -> [JobRecord] {
        let known = try await readSchedules()
        var jobs: [JobRecord] = []
        for (record, bytes) in known.rows {
            guard let (job, after) = try record.firing(at: known.now) else { continue }
            var arguments = RedisCommand(record.schedule.name)
            arguments.append(bytes)
            arguments.append(record.nextFire)
            arguments.append(after.lastFire ?? 0)
            arguments.append(after.nextFire)
            try append(job, to: &arguments)
            let reply = try await run(scripts.fire, arguments)
            switch reply.array?.first?.string {
            case "gone", "full": continue
            default: jobs.append(try submitted(reply))
            }
        }
        return jobs
    }

    /// The store's time, and all schedules by name, each with the bytes that stand for it.
    private func readSchedules() async throws(JobStoreError)
        -> (now: Int64, rows: [(record: ScheduleRecord, bytes: [UInt8])])
    {
        let reply = try await run(scripts.readSchedules, RedisCommand()).array ?? []
        guard let now = reply.first?.integer else { throw .corrupt("the schedules") }
        var rows: [(record: ScheduleRecord, bytes: [UInt8])] = []
        for value in reply.dropFirst() {
            guard let parts = value.array, parts.count == 4, let bytes = parts[1].bytes,
                let next = parts[2].integer, let last = parts[3].integer
            else { throw .corrupt("a schedule") }
            let schedule = try StoreCoding.decode(Schedule.self, from: bytes)
            let record = ScheduleRecord(
                schedule: schedule, nextFire: next, lastFire: last == 0 ? nil : last)
            rows.append((record, bytes))
        }
        return (now, rows.sorted { $0.record.schedule.name < $1.record.schedule.name })
    }
}
