import Foundation
import Testing

@testable import Jobs

@Suite struct CronTests {
    /// "2026-11-21T22:13:05Z" in milliseconds since 1970.
    private static func moment(_ text: String) throws -> Int64 {
        let date = try Date(text, strategy: .iso8601)
        return Int64(date.timeIntervalSince1970 * 1_000)
    }

    @Test(
        "The next fire",
        arguments: [
            ("* * * * *", "2026-11-21T22:13:05Z", "2026-11-21T22:14:00Z"),
            ("* * * * *", "2026-11-21T22:13:00Z", "2026-11-21T22:14:00Z"),
            ("*/15 * * * *", "2026-11-21T22:50:00Z", "2026-11-21T23:00:00Z"),
            ("0 3 * * *", "2026-11-21T03:00:00Z", "2026-11-22T03:00:00Z"),
            ("@hourly", "2026-12-31T23:30:00Z", "2027-01-01T00:00:00Z"),
            ("@weekly", "2026-11-21T22:13:05Z", "2026-11-22T00:00:00Z"),
            ("@monthly", "2026-11-21T22:13:05Z", "2026-12-01T00:00:00Z"),
            ("@yearly", "2026-11-21T22:13:05Z", "2027-01-01T00:00:00Z"),
            ("30 9-17/4 * * mon-fri", "2026-11-21T22:13:05Z", "2026-11-23T09:30:00Z"),
            ("30 9-17/4 * * MON-FRI", "2026-11-23T09:30:00Z", "2026-11-23T13:30:00Z"),
            ("5,10 0 1 jan,jul *", "2026-11-21T22:13:05Z", "2027-01-01T00:05:00Z"),
            ("0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"),
            ("0 0 31 * *", "2026-11-21T22:13:05Z", "2026-12-31T00:00:00Z"),
            ("0 0 * * 7", "2026-11-21T22:13:05Z", "2026-11-22T00:00:00Z"),
            ("0 0 * * 5-7", "2026-11-21T22:13:05Z", "2026-11-22T00:00:00Z"),
            // Either day field suffices when both are restricted, …
            ("0 0 13 * fri", "2026-11-21T22:13:05Z", "2026-11-27T00:00:00Z"),
            // … and both must match when one begins with a star.
            ("0 0 */2 * mon", "2026-11-21T22:13:05Z", "2026-11-23T00:00:00Z"),
            ("0 0 */2 * sun", "2026-11-21T22:13:05Z", "2026-11-29T00:00:00Z"),
            ("58/1 * * * *", "2026-11-21T22:58:30Z", "2026-11-21T22:59:00Z"),
        ])
    func next(_ text: String, _ from: String, _ expected: String) throws {
        let cron = try CronExpression(text)
        let moment = try CronTests.moment(from)
        let fire = try CronTests.moment(expected)
        #expect(cron.next(after: moment) == fire)
        #expect(cron.last(after: moment, upTo: fire) == fire)
        #expect(cron.last(after: moment, upTo: fire - 1) == nil)
        #expect(cron.description == text)
    }

    @Test("Of missed fires the latest is found at once, also after years")
    func missed() throws {
        let cron = try CronExpression("*/5 2 * * *")
        let start = try CronTests.moment("2020-01-01T00:00:00Z")
        let now = try CronTests.moment("2026-11-21T01:59:59Z")
        let latest = try CronTests.moment("2026-11-20T02:55:00Z")
        #expect(cron.last(after: start, upTo: now) == latest)
    }

    @Test("The search backward finds what the search forward found")
    func backward() throws {
        let texts = [
            "7 */6 * * *", "*/13 1,3 * * *", "0 12 1-7 * 2", "59 23 28-31 * *", "1 1 * 3 0",
            "*/30 * 15 */2 *",
        ]
        let start = try CronTests.moment("2027-02-20T10:11:12Z")
        for text in texts {
            let cron = try CronExpression(text)
            var fires: [Int64] = []
            var cursor = start
            while let fire = cron.next(after: cursor), fire < start + 40 * 86_400_000 {
                fires.append(fire)
                cursor = fire
            }
            for (before, fire) in zip([start] + fires, fires) {
                #expect(cron.last(after: before, upTo: fire + 59_999) == fire, "\(text)")
            }
            #expect(fires.allSatisfy { $0 % 60_000 == 0 }, "\(text)")
        }
    }

    @Test("Days and dates agree with Foundation's calendar")
    func calendar() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(identifier: "UTC"))
        for day in stride(from: Int64(0), to: 60_000, by: 37) {
            let date = Date(timeIntervalSince1970: Double(day) * 86_400)
            let parts = calendar.dateComponents([.year, .month, .day], from: date)
            let own = CivilDate(daysSince1970: day)
            #expect(Int(own.year) == parts.year && own.month == parts.month && own.day == parts.day)
        }
    }

    @Test(
        "What is no schedule is refused in words",
        arguments: [
            "", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *",
            "* * * 13 *", "* * * * 8", "-1 * * * *", "+1 * * * *", "5-1 * * * *", "*/0 * * * *",
            "*/ * * * *", "/2 * * * *", "1,,2 * * * *", "1- * * * *", "1-2-3 * * * *",
            "1/2/3 * * * *", "* * * foo *", "@reboot", "@", "0 0 30 2 *", "0 0 31 4,6,9,11 *",
            "99999999999999999999 * * * *", "٣ * * * *", "\u{0} * * * *",
        ])
    func refused(_ text: String) {
        #expect(throws: CronError.self) { try CronExpression(text) }
    }

    @Test("An endless expression, and moments no calendar has, are refused")
    func bounds() throws {
        #expect(throws: CronError.self) {
            try CronExpression(String(repeating: "1,", count: 500) + "1 * * * *")
        }
        let cron = try CronExpression("* * * * *")
        for moment in [Int64.min, -1, .max] {
            #expect(cron.next(after: moment) == nil)
            #expect(cron.last(after: 0, upTo: moment) == nil)
        }
    }
}
