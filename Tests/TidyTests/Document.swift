/// A Markdown file taken apart: fenced blocks, code spans, links, headings.
struct Document {
    struct Block {
        let language: String
        let firstLine: Int
        let lines: [String]
        var text: String { lines.joined(separator: "\n") + "\n" }
    }

    struct Mention {
        let text: String
        let line: Int
    }

    let path: String
    private(set) var blocks: [Block] = []
    /// What stands between single backticks, outside fenced blocks.
    private(set) var spans: [Mention] = []
    /// Targets of `[text](target)`, outside fenced blocks and spans.
    private(set) var links: [Mention] = []
    /// Code spans that begin a row of a table.
    private(set) var tableHeads: [String] = []
    /// As a link's fragment names them.
    private(set) var anchors: Set<String> = []

    init(path: String) throws { self.init(path: path, text: try Repository.text(of: path)) }

    init(path: String, text: String) {
        self.path = path
        var fence: (language: String, line: Int, lines: [String])?
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            let trimmed = line.drop { $0 == " " }
            if trimmed.hasPrefix("```") {
                if let open = fence {
                    blocks.append(
                        Block(language: open.language, firstLine: open.line, lines: open.lines))
                    fence = nil
                } else {
                    fence = (String(trimmed.dropFirst(3)), index + 2, [])
                }
            } else if fence != nil {
                fence?.lines.append(String(line))
            } else {
                readProse(line, line: index + 1)
            }
        }
    }

    private mutating func readProse(_ line: Substring, line number: Int) {
        if line.hasPrefix("#") {
            anchors.insert(Document.anchor(of: line.drop { $0 == "#" || $0 == " " }))
        }
        if let head = line.firstMatch(of: /^\| *`([^`]+)` *\|/) {
            tableHeads.append(String(head.1))
        }
        spans += line.matches(of: /`([^`]+)`/).map { Mention(text: String($0.1), line: number) }
        let prose = line.replacing(/`[^`]*`/, with: "code")
        links += prose.matches(of: /\]\(([^)\s]+)\)/).map {
            Mention(text: String($0.1), line: number)
        }
    }

    /// Lower case, letters, digits, "-" and "_" kept, spaces as "-".
    private static func anchor(of heading: Substring) -> String {
        String(
            heading.lowercased().compactMap { character -> Character? in
                if character == " " { return "-" }
                let isKept = character.isLetter || character.isNumber || "-_".contains(character)
                return isKept ? character : nil
            })
    }
}
