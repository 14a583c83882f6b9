import Testing

@testable import Commands

/// What of a job's output reaches a terminal or a file.
@Suite struct TerminalTextTests {
    private let terminal = TerminalText(keepsColours: true)
    private let file = TerminalText(keepsColours: false)

    @Test("Text without control characters stays as it is, tabs and line feeds too")
    func plainText() {
        for text in ["", "a\tb\nc", "größe 日本 👩‍👩‍👧", String(repeating: "x", count: 70_000)] {
            #expect(terminal.shown(text) == text && file.shown(text) == text)
        }
    }

    @Test("Colours are kept on a terminal, end with the line, and are left out of a file")
    func colours() {
        #expect(terminal.shown("\u{1B}[1;31mred\u{1B}[0m x") == "\u{1B}[1;31mred\u{1B}[0m x")
        #expect(terminal.shown("\u{1B}[38;2;1;2;3mred") == "\u{1B}[38;2;1;2;3mred\u{1B}[0m")
        #expect(terminal.shown("\u{9B}4:3mx\u{1B}[m") == "\u{1B}[4:3mx\u{1B}[m")
        #expect(file.shown("\u{1B}[1;31mred\u{1B}[0m x") == "red x")
    }

    @Test(
        "Nothing else reaches a terminal: cursor, screen, title, links, clipboard, questions, keys",
        arguments: [
            "\u{1B}[2J", "\u{1B}[1;1H", "\u{1B}[3A", "\u{1B}[?1049h", "\u{1B}[>4m", "\u{1B}[?4m",
            "\u{1B}[6n", "\u{1B}[!p", "\u{1B}[1 m", "\u{1B}]0;title\u{7}", "\u{1B}]2;t\u{1B}\\",
            "\u{1B}]52;c;ZXZpbA==\u{7}", "\u{1B}]8;;http://x\u{1B}\\", "\u{1B}P$q\"p\u{1B}\\",
            "\u{1B}Xa\u{9C}", "\u{1B}^a\u{1B}\\", "\u{1B}_a\u{1B}\\", "\u{1B}c", "\u{1B}(0",
            "\u{1B} F", "\u{1B}#8", "\u{9B}2J", "\u{9D}0;title\u{9C}", "\u{90}q\u{9C}",
        ])
    func sequences(_ sequence: String) {
        #expect(terminal.shown("a\(sequence)b") == "ab")
        #expect(file.shown("a\(sequence)b") == "ab")
    }

    @Test("Control characters outside of sequences are marked, never passed")
    func controls() {
        #expect(terminal.shown("a\u{7}b\u{8}c\u{0}\u{7F}\u{85}") == "a�b�c���")
        #expect(terminal.shown("a\u{1B}") == "a�")
        #expect(terminal.shown("\u{1B}\u{1B}[2Jx") == "�x")
        #expect(terminal.shown("\u{1B}é") == "�é")
    }

    @Test("What never ends hides nothing behind it")
    func unterminated() {
        #expect(terminal.shown("\u{1B}]0;evil") == "0;evil")
        #expect(terminal.shown("\u{1B}]0;evil\nnext") == "0;evil\nnext")
        #expect(terminal.shown("\u{1B}Pq\u{1B}[31mred") == "q\u{1B}[31mred\u{1B}[0m")
        #expect(terminal.shown("\u{1B}[12") == "")
        #expect(terminal.shown("\u{1B}[12\u{7}m") == "�m")
    }

    @Test("No control character is left, whatever the bytes are, and no colour but a number's")
    func anyBytes() {
        var generator = SystemRandomNumberGenerator()
        let marks: [Unicode.Scalar] = [
            "\u{1B}", "\u{1B}", "[", "]", "P", "m", "0", ";", "?", ">", " ", "\\", "\u{7}",
            "\u{9B}",
            "\u{9C}", "\r", "\u{8}", "a", "é",
        ]
        for _ in 0..<2_000 {
            var text = String.UnicodeScalarView()
            for _ in 0..<12 { text.append(marks.randomElement(using: &generator) ?? "a") }
            let shown = terminal.shown(String(text))
            let rest = shown.replacing(/\u{1B}\[[0-9:;]*m/, with: "")
            #expect(
                !rest.unicodeScalars.contains { $0.properties.generalCategory == .control },
                "\(String(text).debugDescription)")
            #expect(
                !file.shown(String(text)).unicodeScalars.contains {
                    $0.properties.generalCategory == .control
                })
        }
    }

    @Test("A line that returned to its start is what it was last; its prefix cannot be overwritten")
    func lines() {
        func line(_ text: String, prefix: String = "(t pid=1) ") -> String {
            terminal.line(prefix: prefix, text: text, endsWithLineFeed: true)
        }
        #expect(line("10 %\r50 %\r100 %") == "(t pid=1) 100 %\n")
        #expect(line("100 %\r") == "(t pid=1) 100 %\n")
        #expect(line("\r\r") == "(t pid=1) \n")
        #expect(line("x\r\u{1B}[2Kdone") == "(t pid=1) done\n")
        #expect(line("x", prefix: "(a\rb\u{1B}[31m) ") == "(a�b) x\n")
        #expect(terminal.line(prefix: "", text: "cut", endsWithLineFeed: false) == "cut")
    }
}
