/// Schedules of the in-memory store.
extension JobShelf {
    mutating func put(
        _ schedule: Schedule, at now: Int64
    ) throws(JobStoreError) -> ScheduleRecord {
        let cron = try schedule.checked(limits)
        let known = schedules[schedule.name]
        if let known, known.schedule == schedule { return known }
        guard known != nil || schedules.count < limits.schedulesMax else {
            throw .full("\(limits.schedulesMax) schedules are kept")
        }
        let record = ScheduleRecord(
            schedule: schedule, nextFire: cron.next(after: now) ?? ScheduleRecord.never,
            lastFire: known?.lastFire)
        schedules[schedule.name] = record
        return record
    }

    mutating func fireSchedules(at now: Int64) throws(JobStoreError) -> [JobRecord] {
        var submitted: [JobRecord] = []
        for (name, record) in schedules.sorted(by: { $0.key < $1.key }) {
            guard let (job, after) = try lives.firing(record, now) else { continue }
            do throws(JobStoreError) {
                submitted.append(try submit(job, at: now))
                schedules[name] = after
            } catch {
                // A full store is tried again by the next call; all else is the caller's to know.
                guard case .full = error else { throw error }
            }
        }
        return submitted
    }
}
