/// A job that is submitted again and again, whenever its cron expression says so (UTC).
package struct Schedule: Hashable, Sendable, Codable {
    /// Like a pool's: `Pool.isValid`.
    package var name: String
    package var cron: String
    /// What is submitted. Its id is replaced (`submission(at:)`); it may come after no other job.
    package var job: NewJob

    package init(name: String, cron: String, job: NewJob) {
        self.name = name
        self.cron = cron
        self.job = job
    }

    /// The job that is submitted for the fire at `moment` (milliseconds since 1970).
    ///
    /// Its id is made of the schedule's name and the moment, "nightly-20261121T0300Z": however
    /// often a fire is repeated, and by whomever, it is one job.
    package func submission(at moment: Int64) throws(JobStoreError) -> NewJob {
        let date = CivilDate(daysSince1970: moment / 86_400_000)
        let minute = Int(moment / 60_000 % 1_440)
        func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let day = "\(date.year)\(padded(date.month))\(padded(date.day))"
        let text = "\(name)-\(day)T\(padded(minute / 60))\(padded(minute % 60))Z"
        guard let id = JobID(rawValue: text) else { throw .corrupt("the schedule '\(name)'") }
        var fired = job
        fired.id = id
        return fired
    }

    /// The expression, once everything else is checked.
    ///
    /// - Throws: `.refused` in words for the person who wrote it, `.full`.
    func checked(_ limits: StoreLimits) throws(JobStoreError) -> CronExpression {
        guard Pool.isValid(name) else {
            throw .refused("a schedule's name matches [A-Za-z0-9][A-Za-z0-9._-]{0,63}: \(name)")
        }
        guard job.after?.isEmpty ?? true else {
            throw .refused("a job that is submitted on a schedule comes after no other")
        }
        try limits.check(job)
        try limits.check(jobSizeInBytes: StoreCoding.encode(job).count)
        do throws(CronError) { return try CronExpression(cron) } catch {
            throw .refused("\(error)")
        }
    }
}

/// A schedule and where it stands. Times are the store's clock, milliseconds since 1970.
package struct ScheduleRecord: Hashable, Sendable, Codable {
    package let schedule: Schedule
    package var nextFire: Int64
    package var lastFire: Int64?

    package init(schedule: Schedule, nextFire: Int64, lastFire: Int64? = nil) {
        self.schedule = schedule
        self.nextFire = nextFire
        self.lastFire = lastFire
    }

    /// What is to be submitted at `now`, and the schedule afterwards; nil when nothing is due.
    ///
    /// Of several fires that were missed only the latest is made up for.
    func firing(at now: Int64) throws(JobStoreError) -> (job: NewJob, after: ScheduleRecord)? {
        guard nextFire <= now else { return nil }
        guard let cron = try? CronExpression(schedule.cron) else {
            throw .corrupt("the schedule '\(schedule.name)'")
        }
        let fire = cron.last(after: nextFire - 1, upTo: now) ?? nextFire
        var next = self
        next.lastFire = fire
        next.nextFire = cron.next(after: now) ?? ScheduleRecord.never
        return (try schedule.submission(at: fire), next)
    }

    /// For an expression that fires no more: the end of the year 9999.
    package static let never: Int64 = 253_402_300_799_000
}
