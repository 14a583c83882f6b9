import Glibc

/// A moment on the wall clock, to the microsecond: what log lines and replies show.
///
/// Durations are measured on a monotonic clock, never as the difference of two of these.
package struct WallTime: Sendable, Hashable, Comparable {
    /// Since 1970-01-01T00:00:00Z; negative before.
    package let microseconds: Int64

    package init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// The clock's reading.
    package static func now() -> WallTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    }

    package static func < (left: WallTime, right: WallTime) -> Bool {
        left.microseconds < right.microseconds
    }

    /// As `2025-12-14T06:47:43.226366+00:00`, in UTC, which Python, Go and JavaScript all read.
    package var iso8601: String {
        let (secondOfAll, microsecond) = Self.floored(microseconds, by: 1_000_000)
        let (day, secondOfDay) = Self.floored(secondOfAll, by: 86_400)
        let date = Self.civilDate(day: day)
        var text = ""
        text.reserveCapacity(32)
        Self.append(date.year, digits: 4, to: &text)
        text += "-"
        Self.append(date.month, digits: 2, to: &text)
        text += "-"
        Self.append(date.day, digits: 2, to: &text)
        text += "T"
        Self.append(secondOfDay / 3_600, digits: 2, to: &text)
        text += ":"
        Self.append(secondOfDay / 60 % 60, digits: 2, to: &text)
        text += ":"
        Self.append(secondOfDay % 60, digits: 2, to: &text)
        text += "."
        Self.append(microsecond, digits: 6, to: &text)
        return text + "+00:00"
    }

    private static func floored(_ value: Int64, by unit: Int64) -> (Int64, Int64) {
        let quotient = value / unit - (value % unit < 0 ? 1 : 0)
        return (quotient, value - quotient * unit)
    }

    /// The Gregorian date of a day counted from 1970-01-01: eras of 400 years that begin in March,
    /// so that the leap day is a year's last (H. Hinnant, "chrono-compatible low-level date
    /// algorithms").
    private static func civilDate(day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = floored(day + 719_468, by: 146_097)
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }

    private static func append(_ value: Int64, digits: Int, to text: inout String) {
        let plain = String(value)
        for _ in 0..<max(0, digits - plain.utf8.count) { text += "0" }
        text += plain
    }
}
