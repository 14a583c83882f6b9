/// When a schedule fires: five fields (minute, hour, day of month, month, day of week), in UTC.
///
/// The form is that of Vixie cron: `*`, values, ranges `a-b`, steps `*/n` and `a-b/n`, lists with
/// commas, English names of months and days (`jan`, `mon`), 7 as another Sunday, and `@hourly`,
/// `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly`, `@annually`. Where both day fields are
/// restricted, a day that matches either fires, as POSIX has it. UTC has no summer time, so every
/// moment comes once.
package struct CronExpression: Sendable, Hashable, CustomStringConvertible {
    /// As it was written.
    package let description: String
    /// Bit n stands for the value n.
    private let minutes: UInt64
    private let hours: UInt64
    private let daysOfMonth: UInt64
    private let months: UInt64
    /// Sunday is bit 0.
    private let daysOfWeek: UInt64
    /// Whether a day must match both day fields, because one of them is `*`.
    private let needsBothDays: Bool

    /// An expression of more bytes is refused.
    package static let lengthMax = 256

    /// - Throws: `CronError`, in words for the person who wrote it.
    package init(_ text: String) throws(CronError) {
        guard text.utf8.count <= CronExpression.lengthMax else {
            throw CronError("a schedule has at most \(CronExpression.lengthMax) bytes")
        }
        let fields = try CronExpression.expanded(text).split { $0 == " " || $0 == "\t" }
        guard fields.count == 5 else {
            throw CronError(
                "'\(text)' has \(fields.count) fields; a schedule has five: minute, hour, day of "
                    + "month, month, day of week")
        }
        description = text
        minutes = try CronField.minute.bits(of: fields[0])
        hours = try CronField.hour.bits(of: fields[1])
        daysOfMonth = try CronField.dayOfMonth.bits(of: fields[2])
        months = try CronField.month.bits(of: fields[3])
        let days = try CronField.dayOfWeek.bits(of: fields[4])
        daysOfWeek = (days | days >> 7) & 0x7F
        needsBothDays = fields[2].first == "*" || fields[4].first == "*"
        guard next(after: 0) != nil else {
            throw CronError("'\(text)' names no day that any year has")
        }
    }

    private static func expanded(_ text: String) throws(CronError) -> String {
        guard text.hasPrefix("@") else { return text }
        switch text.lowercased() {
        case "@hourly": return "0 * * * *"
        case "@daily", "@midnight": return "0 0 * * *"
        case "@weekly": return "0 0 * * 0"
        case "@monthly": return "0 0 1 * *"
        case "@yearly", "@annually": return "0 0 1 1 *"
        default:
            throw CronError(
                "'\(text)' is none of @hourly, @daily, @midnight, @weekly, @monthly, @yearly, "
                    + "@annually")
        }
    }

    /// The first moment after `moment` at which the schedule fires; both in milliseconds
    /// since 1970.
    ///
    /// Nil when there is none within nine years, or beyond the year 9999.
    package func next(after moment: Int64) -> Int64? {
        guard (0...CronExpression.momentMax).contains(moment) else { return nil }
        let minute = moment / 60_000 + 1
        var day = minute / 1_440
        // On the first day only what is left of it counts.
        var from = Int(minute % 1_440)
        for _ in 0..<CronExpression.daysMax {
            if matches(day: day), let found = firstMinute(from: from) {
                return (day * 1_440 + Int64(found)) * 60_000
            }
            day += 1
            from = 0
        }
        return nil
    }

    /// The last moment up to `moment` at which the schedule fires, but after `start`; nil when it
    /// does not. Costs no more for a schedule that slept for a year.
    package func last(after start: Int64, upTo moment: Int64) -> Int64? {
        guard (0...CronExpression.momentMax).contains(moment), start >= 0 else { return nil }
        var day = moment / 86_400_000
        // On the last day only what is past of it counts.
        var until = Int(moment / 60_000 % 1_440)
        for _ in 0..<CronExpression.daysMax where day >= start / 86_400_000 {
            if matches(day: day), let found = lastMinute(until: until) {
                let fire = (day * 1_440 + Int64(found)) * 60_000
                return fire > start ? fire : nil
            }
            day -= 1
            until = 1_439
        }
        return nil
    }

    /// 29 February may be eight years away (2096 to 2104); both day fields can only be restricted
    /// together where either suffices, so nothing is further.
    private static let daysMax = 9 * 366
    /// The year 9999.
    private static let momentMax: Int64 = 253_402_300_799_000

    private func firstMinute(from start: Int) -> Int? {
        for hour in start / 60..<24 where hours & 1 << UInt64(hour) != 0 {
            let first = hour == start / 60 ? start % 60 : 0
            for minute in first..<60 where minutes & 1 << UInt64(minute) != 0 {
                return hour * 60 + minute
            }
        }
        return nil
    }

    private func lastMinute(until end: Int) -> Int? {
        for hour in (0...end / 60).reversed() where hours & 1 << UInt64(hour) != 0 {
            let last = hour == end / 60 ? end % 60 : 59
            for minute in (0...last).reversed() where minutes & 1 << UInt64(minute) != 0 {
                return hour * 60 + minute
            }
        }
        return nil
    }

    private func matches(day: Int64) -> Bool {
        let date = CivilDate(daysSince1970: day)
        guard months & 1 << UInt64(date.month) != 0 else { return false }
        let isDayOfMonth = daysOfMonth & 1 << UInt64(date.day) != 0
        // 1970-01-01 was a Thursday.
        let isDayOfWeek = daysOfWeek & 1 << UInt64((day + 4) % 7) != 0
        return needsBothDays ? isDayOfMonth && isDayOfWeek : isDayOfMonth || isDayOfWeek
    }
}

/// A schedule that cannot be used, in words that say what to write instead.
package struct CronError: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}

/// A day of the Gregorian calendar.
struct CivilDate: Hashable, Sendable {
    let year: Int64
    /// 1 ... 12
    let month: Int
    /// 1 ... 31
    let day: Int

    /// Howard Hinnant's `civil_from_days` ("chrono-Compatible Low-Level Date Algorithms"), for days
    /// from 1970 on: years begin in March, so that the leap day is a year's last.
    init(daysSince1970 days: Int64) {
        let shifted = days + 719_468  // Days since 0000-03-01.
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let leaps = dayOfEra / 1_460 - dayOfEra / 36_524 + dayOfEra / 146_096
        let yearOfEra = (dayOfEra - leaps) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = Int(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
        month = Int(shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9)
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }
}
