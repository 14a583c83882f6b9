package import Jobs

/// `PUT /api/schedules/{name}`. Unknown fields are refused.
package struct ScheduleRequest: Codable, Sendable, Hashable {
    /// Five fields, in UTC; see `CronExpression`.
    package var cron: String
    /// As a submission; ids are made of the schedule's name.
    package var job: SubmitRequest

    package init(cron: String, job: SubmitRequest) {
        self.cron = cron
        self.job = job
    }
}

/// `GET /api/schedules/{name}`.
package struct ScheduleDetails: Codable, Sendable, Hashable {
    package var name: String
    package var cron: String
    package var entrypoint: String
    package var pool: String
    /// Milliseconds since 1970; nil when it fires no more.
    package var nextFire: Int64?
    package var lastFire: Int64?
    /// The job of the last fire.
    package var lastJob: String?

    enum CodingKeys: String, CodingKey {
        case name, cron, entrypoint, pool
        case nextFire = "next_fire"
        case lastFire = "last_fire"
        case lastJob = "last_job"
    }

    package init(_ record: ScheduleRecord) {
        let schedule = record.schedule
        name = schedule.name
        cron = schedule.cron
        entrypoint = schedule.job.entrypoint.description
        pool = schedule.job.poolName
        nextFire = record.nextFire == ScheduleRecord.never ? nil : record.nextFire
        lastFire = record.lastFire
        lastJob = record.lastFire.flatMap { try? schedule.submission(at: $0).id.rawValue }
    }
}
