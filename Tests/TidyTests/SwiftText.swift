/// A Swift file as the rules see it: comments and the insides of string literals are blanks, so that a
/// search finds code only. Line breaks stay, so a line's number is the file's.
struct SwiftText {
    let path: String
    /// The file as written.
    let lines: [Substring]
    /// The code alone, line by line.
    let codeLines: [Substring]
    let code: [Character]

    init(path: String) throws {
        self.init(path: path, text: try Repository.text(of: path))
    }

    init(path: String, text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        var blanker = Blanker(Array(text))
        code = blanker.run()
        codeLines = String(code).split(separator: "\n", omittingEmptySubsequences: false)
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

/// Replaces comments and the insides of string literals by spaces.
private struct Blanker {
    private let input: [Character]
    private var output: [Character]
    private var at = 0

    init(_ input: [Character]) {
        self.input = input
        output = input
    }

    mutating func run() -> [Character] {
        while at < input.count { step() }
        return output
    }

    private func starts(with text: String, at index: Int) -> Bool {
        let wanted = Array(text)
        return index + wanted.count <= input.count
            && input[index..<(index + wanted.count)].elementsEqual(wanted)
    }

    private mutating func blank(_ count: Int = 1) {
        for index in at..<min(at + count, input.count) where input[index] != "\n" {
            output[index] = " "
        }
        at += count
    }

    /// One comment, one literal, or one character of code.
    private mutating func step() {
        if starts(with: "//", at: at) {
            while at < input.count, input[at] != "\n" { blank() }
        } else if starts(with: "/*", at: at) {
            blockComment()
        } else if let hashes = literalHashes() {
            literal(hashes: hashes)
        } else {
            at += 1
        }
    }

    private mutating func blockComment() {
        var depth = 0
        repeat {
            if starts(with: "/*", at: at) {
                depth += 1
                blank(2)
            } else if starts(with: "*/", at: at) {
                depth -= 1
                blank(2)
            } else {
                blank()
            }
        } while depth > 0 && at < input.count
    }

    /// The number of `#` in front of a string literal that starts here; nil when none does.
    private func literalHashes() -> Int? {
        var index = at
        while index < input.count, input[index] == "#" { index += 1 }
        return index < input.count && input[index] == "\"" ? index - at : nil
    }

    private mutating func literal(hashes: Int) {
        at += hashes
        let isLong = starts(with: "\"\"\"", at: at)
        let close = (isLong ? "\"\"\"" : "\"") + String(repeating: "#", count: hashes)
        let escape = "\\" + String(repeating: "#", count: hashes)
        at += isLong ? 3 : 1
        while at < input.count {
            if starts(with: close, at: at) {
                at += close.count
                return
            } else if starts(with: escape + "(", at: at) {
                blank(escape.count)
                interpolation()
            } else if starts(with: escape, at: at) {
                blank(escape.count + 1)
            } else if !isLong, input[at] == "\n" {
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
            if input[at] == "(" { depth += 1 }
            if input[at] == ")" { depth -= 1 }
            step()
        } while depth > 0 && at < input.count
    }
}
