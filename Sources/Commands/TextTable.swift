import Foundation

/// Columns as wide as their widest cell.
enum TextTable {
    static func render(_ header: [String], _ rows: [[String]]) -> String {
        let lines = ([header] + rows).map { $0.map(plain) }
        var widths = header.map { _ in 0 }
        for line in lines {
            for (index, cell) in line.enumerated() {
                widths[index] = max(widths[index], cell.count)
            }
        }
        return lines.map { line in
            let cells = line.enumerated().map { index, cell in
                let padding = index == line.count - 1 ? 0 : widths[index] - cell.count
                return cell + String(repeating: " ", count: padding)
            }
            return cells.joined(separator: "  ") + "\n"
        }.joined()
    }

    /// A cell in one line, without what a terminal would act on.
    static func plain(_ cell: String) -> String {
        guard cell.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { return cell }
        let scalars = cell.unicodeScalars.map { scalar -> Unicode.Scalar in
            scalar.properties.generalCategory == .control ? "\u{FFFD}" : scalar
        }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars)
        return String(text)
    }

    /// Date and time in UTC of milliseconds since 1970.
    static func time(_ milliseconds: Int64?) -> String {
        guard let milliseconds else { return "-" }
        return Date(timeIntervalSince1970: Double(milliseconds) / 1_000)
            .formatted(.iso8601.dateSeparator(.dash).timeSeparator(.colon))
    }
}
