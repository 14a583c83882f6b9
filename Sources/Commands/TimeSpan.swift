import Foundation

/// A length of time as people write it: "90s", "10m", "1h30m", "500ms", "2d".
struct TimeSpan {
    let seconds: Double

    private static let units: [(String, Double)] = [
        ("ms", 0.001), ("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400),
    ]

    /// - Throws: `SettingError`; a bare number is refused, because Slurm would take it for minutes
    ///   and others for seconds.
    init(_ text: String) throws {
        var rest = text[...]
        var total = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            let letters = rest.dropFirst(digits.count).prefix { $0.isASCII && $0.isLetter }
            guard let number = Double(digits),
                let factor = TimeSpan.units.first(where: { $0.0 == letters })?.1
            else { throw TimeSpan.refusal(of: text) }
            total += number * factor
            rest = rest.dropFirst(digits.count + letters.count)
        }
        guard !text.isEmpty, total.isFinite else { throw TimeSpan.refusal(of: text) }
        seconds = total
    }

    private static func refusal(of text: String) -> SettingError {
        if Double(text) != nil {
            return SettingError("a time needs a unit; did you mean \(text)s or \(text)m?")
        }
        return SettingError("'\(text.prefix(64))' is no time; write 90s, 10m, 1h30m or 2d.")
    }
}
