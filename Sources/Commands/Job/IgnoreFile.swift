import Foundation

/// What a working directory leaves at home: `.mantaignore`, else `.gitignore`, and `.git` always.
///
/// One file at the folder's root, with gitignore's rules: names anywhere, paths with a slash from
/// the root, `*`, `?`, `[a-z]`, `**`, `\` before a character that means itself, a trailing slash
/// for folders, `!` to take back. What lies in a folder that is left out cannot be taken back.
struct IgnoreFile {
    private struct Rule {
        let parts: [WildcardName]
        let isNegative: Bool
        let isForFolders: Bool
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

    /// Whether the last rule that fits leaves a file or folder out.
    ///
    /// - Parameter path: relative to the folder; the folders above it are not left out.
    func matches(_ path: String, isFolder: Bool) -> Bool {
        if path == ".git" { return true }
        let parts = path.split(separator: "/").map { Array($0.utf8) }
        let last = rules.last { rule in
            (isFolder || !rule.isForFolders) && IgnoreFile.match(rule.parts[...], parts[...])
        }
        return last.map { !$0.isNegative } ?? false
    }

    private static func parse(_ text: String) -> [Rule] {
        // As bytes: to a String, a carriage return and a line feed are one character.
        text.utf8.split(separator: UInt8(ascii: "\n")).compactMap { line in
            var line = Array(line)
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            dropTrailingSpaces(&line)
            guard let first = line.first, first != UInt8(ascii: "#") else { return nil }
            let isNegative = first == UInt8(ascii: "!")
            if isNegative { line.removeFirst() }
            let slash = UInt8(ascii: "/")
            let isForFolders = line.last == slash
            if isForFolders { line.removeLast() }
            let isRooted = line.contains(slash)
            if line.first == slash { line.removeFirst() }
            let names = line.split(separator: slash, omittingEmptySubsequences: false)
            // An empty name, as in "a//b", is no file's.
            guard !names.contains(where: \.isEmpty) else { return nil }
            var parts = names.map { WildcardName($0) }
            if !isRooted { parts.insert(.anyFolders, at: 0) }
            return Rule(parts: parts, isNegative: isNegative, isForFolders: isForFolders)
        }
    }

    /// Spaces at the end mean nothing unless a backslash stands before them.
    private static func dropTrailingSpaces(_ line: inout [UInt8]) {
        while line.last == UInt8(ascii: " "), line.dropLast().last != UInt8(ascii: "\\") {
            line.removeLast()
        }
    }

    private static func match(
        _ pattern: ArraySlice<WildcardName>, _ parts: ArraySlice<[UInt8]>
    ) -> Bool {
        guard let first = pattern.first else { return parts.isEmpty }
        guard first == .anyFolders else {
            guard let part = parts.first, first.matches(part) else { return false }
            return match(pattern.dropFirst(), parts.dropFirst())
        }
        // At the end `**` is everything inside, but not the folder itself.
        if pattern.count == 1 { return !parts.isEmpty }
        return (0..<max(1, parts.count)).contains {
            match(pattern.dropFirst(), parts.dropFirst($0))
        }
    }
}

/// One part of a path with wildcards, as `fnmatch` reads it.
struct WildcardName: Equatable {
    private enum Token: Equatable {
        case byte(UInt8)
        case anyByte
        case anyBytes
        case oneOf([ClosedRange<UInt8>], isNegative: Bool)
    }
    private let tokens: [Token]
    private let isAnyFolders: Bool

    /// `**`: any number of folders.
    static let anyFolders = WildcardName(Array("**".utf8)[...])

    init(_ text: ArraySlice<UInt8>) {
        isAnyFolders = text.elementsEqual("**".utf8)
        var tokens: [Token] = []
        var rest = text
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "*"): tokens.append(.anyBytes)
            case UInt8(ascii: "?"): tokens.append(.anyByte)
            case UInt8(ascii: "["): tokens.append(WildcardName.readSet(&rest) ?? .byte(byte))
            case UInt8(ascii: "\\"): tokens.append(.byte(rest.popFirst() ?? byte))
            default: tokens.append(.byte(byte))
            }
        }
        self.tokens = tokens
    }

    /// What follows a `[`, up to its `]`; nil, with nothing taken, when there is none.
    private static func readSet(_ rest: inout ArraySlice<UInt8>) -> Token? {
        var text = rest
        var isNegative = false
        if let first = text.first, first == UInt8(ascii: "!") || first == UInt8(ascii: "^") {
            isNegative = true
            text.removeFirst()
        }
        var ranges: [ClosedRange<UInt8>] = []
        while let byte = text.popFirst() {
            // A bracket that comes first is a member.
            if byte == UInt8(ascii: "]") && !ranges.isEmpty {
                rest = text
                return .oneOf(ranges, isNegative: isNegative)
            }
            let low = byte == UInt8(ascii: "\\") ? text.popFirst() ?? byte : byte
            var high = low
            if text.first == UInt8(ascii: "-"), let end = text.dropFirst().first,
                end != UInt8(ascii: "]")
            {
                text.removeFirst(2)
                high = end
            }
            if low <= high { ranges.append(low...high) } else { ranges.append(low...low) }
        }
        return nil
    }

    /// Goes back to the last `*` only, so that the time is at most the product of both lengths.
    func matches(_ name: [UInt8]) -> Bool {
        var (token, byte) = (0, 0)
        var star: (token: Int, byte: Int)?
        while byte < name.count {
            if token < tokens.count, tokens[token] == .anyBytes {
                star = (token, byte)
                token += 1
            } else if token < tokens.count, accepts(tokens[token], name[byte]) {
                token += 1
                byte += 1
            } else if let last = star {
                star = (last.token, last.byte + 1)
                (token, byte) = (last.token + 1, last.byte + 1)
            } else {
                return false
            }
        }
        return tokens[token...].allSatisfy { $0 == .anyBytes }
    }

    private func accepts(_ token: Token, _ byte: UInt8) -> Bool {
        switch token {
        case .byte(let wanted): byte == wanted
        case .anyByte: true
        case .oneOf(let ranges, let isNegative):
            ranges.contains { $0.contains(byte) } != isNegative
        case .anyBytes: false
        }
    }
}
