import Jobs

/// A schedule that fires every minute, and when it does next.
struct ScheduleAccount {
    let schedule: Schedule
    var next: Int64
    var last: Int64?
}

/// Schedules. All fire at every full minute, which is counted here without `CronExpression`.
extension HistoryChecker {
    private static let minute: Int64 = 60_000

    private func minute(upTo time: Int64) -> Int64 {
        time / HistoryChecker.minute * HistoryChecker.minute
    }

    mutating func put(_ schedule: Schedule, _ record: ScheduleRecord) {
        let known = schedules[schedule.name]
        var account = ScheduleAccount(
            schedule: schedule, next: minute(upTo: now) + HistoryChecker.minute, last: known?.last)
        if let known, known.schedule == schedule { account = known }
        schedules[schedule.name] = account
        expect(
            record.nextFire == account.next && record.lastFire == account.last, .fires,
            "\(schedule.name) fires next at \(record.nextFire), not at \(account.next)")
    }

    /// Of several fires that were missed only the latest is made up for.
    mutating func fired(_ records: [JobRecord]) {
        var expected: [String] = []
        for (name, account) in schedules where account.next <= now {
            let fire = minute(upTo: now)
            schedules[name]?.last = fire
            schedules[name]?.next = fire + HistoryChecker.minute
            expected.append("\(name)-19700101T00\(fire / HistoryChecker.minute)Z")
        }
        let actual = records.map(\.spec.id.rawValue)
        expect(
            actual.sorted() == expected.sorted(), .fires,
            "\(actual) are submitted, not \(expected)")
        for record in records {
            counts[.fires] += 1
            submitted(record.spec)
            see(record)
        }
    }
}
