/// Prometheus text format 0.0.4, line by line.
enum MetricText {
    static func header(_ description: MetricDescription, _ kind: MetricKind, to text: inout String)
    {
        text += "# HELP \(description.name) \(escaped(description.help, quotes: false))\n"
        text += "# TYPE \(description.name) \(kind.rawValue)\n"
    }

    static func sample(
        _ name: String, _ labelNames: [String], _ labelValues: [String], _ value: Double,
        to text: inout String
    ) {
        text += name
        if !labelNames.isEmpty {
            text += "{"
            for (index, (label, labelValue)) in zip(labelNames, labelValues).enumerated() {
                if index > 0 { text += "," }
                text += "\(label)=\"\(escaped(labelValue, quotes: true))\""
            }
            text += "}"
        }
        text += " \(number(value))\n"
    }

    /// Whole numbers without a fraction; `NaN`, `+Inf` and `-Inf` as the format spells them.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        if let whole = Int64(exactly: value) { return String(whole) }
        return "\(value)"
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        let needsNone = text.utf8.allSatisfy { $0 != 0x5C && $0 != 0x0A && $0 != 0x22 }
        if needsNone { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
