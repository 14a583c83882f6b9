import Synchronization

/// A Swift file as the rules see it: comments and the insides of string literals are blanks, so
/// that a search finds code only. Line breaks stay, so a line's number is the file's.
struct SwiftText: Sendable {
    let path: String
    /// The file as written.
    let lines: [Substring]
    /// The code alone, as ASCII; other characters are blanks too.
    let code: [UInt8]
    /// The code alone, line by line.
    let codeLines: [Substring]

    /// Every suite looks at every file; each is scanned once.
    private static let scanned = Mutex<[String: SwiftText]>([:])

    init(path: String) throws {
        if let known = Self.scanned.withLock({ $0[path] }) {
            self = known
        } else {
            self.init(path: path, text: try Repository.text(of: path))
            Self.scanned.withLock { $0[path] = self }
        }
    }

    init(path: String, text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        var blanker = Blanker(Array(text.utf8))
        code = blanker.run()
        codeLines = String(decoding: code, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// Modules named by `import` lines, each with its line number.
    var imports: [(module: String, line: Int)] {
        codeLines.enumerated().compactMap { index, line in
            let words = line.split(separator: " ")
            guard let at = words.firstIndex(of: "import"), at + 1 < words.count,
                words[..<at].allSatisfy({ SwiftText.importModifiers.contains(String($0)) })
            else { return nil }
            var name = words[at + 1]
            if SwiftText.importKinds.contains(String(name)), at + 2 < words.count {
                name = words[at + 2]
            }
            return (String(name.prefix { $0 != "." }), index + 1)
        }
    }

    private static let importModifiers: Set<String> = [
        "public", "package", "internal", "fileprivate", "private", "@_exported", "@testable",
        "@preconcurrency",
    ]
    private static let importKinds: Set<String> = [
        "struct", "class", "enum", "protocol", "func", "var", "let", "typealias",
    ]
}

/// Replaces comments, the insides of string literals and whatever is not ASCII by spaces.
private struct Blanker {
    private let input: [UInt8]
    private var output: [UInt8]
    private var at = 0

    private static let quote = UInt8(ascii: "\"")
    private static let hash = UInt8(ascii: "#")
    private static let slash = UInt8(ascii: "/")
    private static let star = UInt8(ascii: "*")
    private static let backslash = UInt8(ascii: "\\")
    private static let lineFeed = UInt8(ascii: "\n")

    init(_ input: [UInt8]) {
        self.input = input
        output = input
    }

    mutating func run() -> [UInt8] {
        while at < input.count { step() }
        return output
    }

    /// The byte `offset` places on; 0 beyond the end.
    private func byte(_ offset: Int) -> UInt8 {
        at + offset < input.count ? input[at + offset] : 0
    }

    /// How many of `wanted` stand one after the other, `offset` places on.
    private func run(of wanted: UInt8, at offset: Int) -> Int {
        var count = 0
        while byte(offset + count) == wanted { count += 1 }
        return count
    }

    private mutating func blank(_ count: Int = 1) {
        for index in at..<min(at + count, input.count) where input[index] != Self.lineFeed {
            output[index] = UInt8(ascii: " ")
        }
        at += count
    }

    /// One comment, one literal, or one byte of code.
    private mutating func step() {
        switch byte(0) {
        case Self.slash where byte(1) == Self.slash:
            while at < input.count, input[at] != Self.lineFeed { blank() }
        case Self.slash where byte(1) == Self.star: blockComment()
        case Self.quote: literal(hashes: 0)
        case Self.hash:
            let hashes = run(of: Self.hash, at: 0)
            if byte(hashes) == Self.quote { literal(hashes: hashes) } else { at += hashes }
        case 128...: blank()
        default: at += 1
        }
    }

    private mutating func blockComment() {
        var depth = 0
        repeat {
            if byte(0) == Self.slash && byte(1) == Self.star {
                depth += 1
                blank(2)
            } else if byte(0) == Self.star && byte(1) == Self.slash {
                depth -= 1
                blank(2)
            } else {
                blank()
            }
        } while depth > 0 && at < input.count
    }

    private mutating func literal(hashes: Int) {
        at += hashes
        let quotes = run(of: Self.quote, at: 0) >= 3 ? 3 : 1
        at += quotes
        while at < input.count {
            if run(of: Self.quote, at: 0) >= quotes, run(of: Self.hash, at: quotes) >= hashes {
                at += quotes + hashes
                return
            } else if byte(0) == Self.backslash, run(of: Self.hash, at: 1) >= hashes {
                if byte(1 + hashes) == UInt8(ascii: "(") {
                    blank(1 + hashes)
                    interpolation()
                } else {
                    blank(2 + hashes)
                }
            } else if quotes == 1, byte(0) == Self.lineFeed {
                return  // Not a literal after all (a regex, say); the next line is code again.
            } else {
                blank()
            }
        }
    }

    /// The code inside `\(…)`, parentheses included.
    private mutating func interpolation() {
        var depth = 0
        repeat {
            if byte(0) == UInt8(ascii: "(") { depth += 1 }
            if byte(0) == UInt8(ascii: ")") { depth -= 1 }
            step()
        } while depth > 0 && at < input.count
    }
}
