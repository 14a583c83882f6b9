import Foundation

/// `KEY=value` lines, as in a shell, with nothing expanded: quotes around a value are dropped, and
/// `#` starts a comment at the start of a line or after a space.
enum DotEnv {
    static let sizeMax = 64 << 10

    /// Empty when there is no such file.
    static func read(_ path: String) -> [String: String] {
        guard let data = FileManager.default.contents(atPath: path), data.count <= sizeMax else {
            return [:]
        }
        return parse(String(decoding: data, as: UTF8.self))
    }

    static func parse(_ text: String) -> [String: String] {
        var values: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            var line = line.trimmingCharacters(in: .whitespaces)
            if line.hasPrefix("export ") { line = String(line.dropFirst(7)) }
            guard !line.hasPrefix("#"), let equals = line.firstIndex(of: "=") else { continue }
            let name = line[..<equals].trimmingCharacters(in: .whitespaces)
            let rest = line[line.index(after: equals)...].trimmingCharacters(in: .whitespaces)
            if !name.isEmpty { values[name] = value(rest) }
        }
        return values
    }

    private static func value(_ text: String) -> String {
        if let quote = text.first, quote == "\"" || quote == "'",
            let end = text.dropFirst().firstIndex(of: quote)
        {
            return String(text[text.index(after: text.startIndex)..<end])
        }
        if text.hasPrefix("#") { return "" }
        guard let comment = text.range(of: " #") else { return text }
        return text[..<comment.lowerBound].trimmingCharacters(in: .whitespaces)
    }
}
