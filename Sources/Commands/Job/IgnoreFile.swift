import Foundation

/// What a working directory leaves at home: `.mantaignore`, else `.gitignore`, and `.git` always.
///
/// The common part of gitignore's rules: names anywhere, paths with a slash from the folder's root,
/// `*`, `?`, `**`, a trailing slash for folders, `!` to take back.
struct IgnoreFile {
    private struct Rule {
        let pattern: [Substring]
        let isNegative: Bool
    }
    private var rules: [Rule] = []

    init(folder: String) {
        for name in [".mantaignore", ".gitignore"] {
            if let data = FileManager.default.contents(atPath: "\(folder)/\(name)") {
                rules = IgnoreFile.parse(String(decoding: data, as: UTF8.self))
                break
            }
        }
    }

    init(text: String) { rules = IgnoreFile.parse(text) }

    /// - Parameter path: relative to the folder, of a file or folder.
    func matches(_ path: String) -> Bool {
        if path == ".git" { return true }
        let parts = path.split(separator: "/")
        var isIgnored = false
        for rule in rules where IgnoreFile.match(rule.pattern[...], parts[...]) {
            isIgnored = !rule.isNegative
        }
        return isIgnored
    }

    private static func parse(_ text: String) -> [Rule] {
        text.split(whereSeparator: \.isNewline).compactMap { line in
            var line = line.trimmingCharacters(in: .whitespaces)
            if line.isEmpty || line.hasPrefix("#") { return nil }
            let isNegative = line.hasPrefix("!")
            if isNegative { line.removeFirst() }
            if line.hasSuffix("/") { line.removeLast() }
            let isRooted = line.contains("/")
            if line.hasPrefix("/") { line.removeFirst() }
            let pattern = line.split(separator: "/").map { Substring($0) }
            guard !pattern.isEmpty else { return nil }
            return Rule(pattern: isRooted ? pattern : ["**"] + pattern, isNegative: isNegative)
        }
    }

    private static func match(_ pattern: ArraySlice<Substring>, _ parts: ArraySlice<Substring>) -> Bool {
        guard let first = pattern.first else { return parts.isEmpty }
        if first == "**" {
            return (0...parts.count).contains { match(pattern.dropFirst(), parts.dropFirst($0)) }
        }
        guard let part = parts.first else { return false }
        return matchName(Array(first.utf8)[...], Array(part.utf8)[...])
            && match(pattern.dropFirst(), parts.dropFirst())
    }

    private static func matchName(_ pattern: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
        guard let first = pattern.first else { return name.isEmpty }
        switch first {
        case UInt8(ascii: "*"):
            return (0...name.count).contains { matchName(pattern.dropFirst(), name.dropFirst($0)) }
        case UInt8(ascii: "?"):
            return !name.isEmpty && matchName(pattern.dropFirst(), name.dropFirst())
        default:
            return name.first == first && matchName(pattern.dropFirst(), name.dropFirst())
        }
    }
}
