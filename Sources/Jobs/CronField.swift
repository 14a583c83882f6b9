/// One of the five fields of a cron expression: its name, its range, the names of its values.
struct CronField: Sendable {
    let name: String
    let range: ClosedRange<Int>
    /// The names of values from `range.lowerBound` on.
    let names: [String]

    static let minute = CronField(name: "minute", range: 0...59, names: [])
    static let hour = CronField(name: "hour", range: 0...23, names: [])
    static let dayOfMonth = CronField(name: "day of month", range: 1...31, names: [])
    static let month = CronField(
        name: "month", range: 1...12,
        names: [
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ])
    static let dayOfWeek = CronField(
        name: "day of week", range: 0...7,
        names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"])

    /// The values that a field's text names, bit n for the value n.
    func bits(of text: Substring) throws(CronError) -> UInt64 {
        var bits: UInt64 = 0
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            bits |= try self.bits(ofPart: part)
        }
        return bits
    }

    /// `*`, `a`, `a-b`, and each with a step: `/n`. `a/n` goes from a to the end, as in Vixie cron.
    private func bits(ofPart part: Substring) throws(CronError) -> UInt64 {
        let halves = part.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(halves.count) else { throw wrong(part) }
        var step = 1
        if halves.count == 2 {
            guard let number = self.number(halves[1]), (1...range.upperBound).contains(number)
            else {
                throw wrong(part)
            }
            step = number
        }
        var bits: UInt64 = 0
        let span = try self.span(halves[0], isOpen: halves.count == 2, in: part)
        for value in stride(from: span.lowerBound, through: span.upperBound, by: step) {
            bits |= 1 << UInt64(value)
        }
        return bits
    }

    private func span(
        _ text: Substring, isOpen: Bool, in part: Substring
    ) throws(CronError) -> ClosedRange<Int> {
        // Sunday is 0 and 7; every day of the week is named once by 0 to 6.
        let last = names.count == 7 ? 6 : range.upperBound
        if text == "*" { return range.lowerBound...last }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
        guard (1...2).contains(ends.count), let first = value(ends[0]) else { throw wrong(part) }
        if ends.count == 1 { return first...(isOpen ? max(first, last) : first) }
        guard let end = value(ends[1]), first <= end else { throw wrong(part) }
        return first...end
    }

    private func value(_ text: Substring) -> Int? {
        if let index = names.firstIndex(of: text.lowercased()) { return range.lowerBound + index }
        return number(text).flatMap { range.contains($0) ? $0 : nil }
    }

    /// Digits only: `Int` alone would take a sign.
    private func number(_ text: Substring) -> Int? {
        text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            ? Int(text) : nil
    }

    private func wrong(_ part: Substring) -> CronError {
        CronError(
            "'\(part)' is no \(name): it takes \(range.lowerBound) to \(range.upperBound)"
                + (names.isEmpty ? "" : " or \(names.joined(separator: ", "))")
                + ", ranges a-b, steps /n, lists a,b")
    }
}
