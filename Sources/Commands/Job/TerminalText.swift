import Foundation
import Jobs

/// What a job printed, as it may be shown: text, and on a terminal its colours.
///
/// A job's output is whatever its code, or the data that it printed, says. A terminal obeys it: it
/// moves the cursor over what stood there, sets its title, answers questions as if keys were
/// pressed. So nothing but colours (SGR, `ESC [ … m`) reaches it. Sequences are those of ECMA-48.
struct TerminalText {
    /// Whether colours are kept; each line ends without one.
    let keepsColours: Bool

    /// For what is no line of a log: causes, messages.
    static let plain = TerminalText(keepsColours: false)

    init(keepsColours: Bool) { self.keepsColours = keepsColours }

    /// - Parameter descriptor: where the text will be written; colours are for terminals.
    init(descriptor: Int32, environment: Environment = .current()) {
        keepsColours = isatty(descriptor) == 1 && environment["TERM"] != "dumb"
    }

    /// A line of a log, what stands before it, and its line feed.
    func line(prefix: String, text: String, endsWithLineFeed: Bool) -> String {
        TerminalText.plain.shown(prefix) + shown(TerminalText.last(of: text))
            + (endsWithLineFeed ? "\n" : "")
    }

    /// The text without what a terminal would act on. Tabs and line feeds stay, sequences go, any
    /// other control character becomes U+FFFD.
    func shown(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: TerminalText.isControl) else { return text }
        var shown = String.UnicodeScalarView()
        var rest = Substring(text).unicodeScalars
        var isColoured = false
        while let scalar = rest.popFirst() {
            guard TerminalText.isControl(scalar) else {
                shown.append(scalar)
                continue
            }
            if let colour = TerminalText.skipSequence(scalar, &rest) {
                guard keepsColours, let colour else { continue }
                shown.append(contentsOf: "\u{1B}[\(colour)m".unicodeScalars)
                isColoured = !(colour.isEmpty || colour == "0")
            } else {
                shown.append("\u{FFFD}")
            }
        }
        // What follows is somebody else's.
        return String(shown) + (isColoured ? "\u{1B}[0m" : "")
    }

    /// What a terminal shows in the end of a line that returned to its start: a progress bar is its
    /// last state.
    private static func last(of text: String) -> String {
        guard text.utf8.contains(13) else { return text }
        let parts = text.unicodeScalars.split(separator: "\r", omittingEmptySubsequences: true)
        return parts.last.map { String($0) } ?? ""
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .control && scalar != "\n" && scalar != "\t"
    }

    // MARK: Sequences

    /// Removes what belongs to the sequence that `first` begins.
    ///
    /// - Returns: nil when it begins none; else the parameters of a colour, or nil for any other
    ///   sequence.
    private static func skipSequence(
        _ first: Unicode.Scalar, _ rest: inout Substring.UnicodeScalarView
    ) -> String?? {
        guard first == "\u{1B}" else {
            // The same in one character, which some terminals obey too.
            guard (0x80...0x9F).contains(first.value),
                let second = Unicode.Scalar(first.value - 0x40)
            else { return .none }
            return isOpening(second) ? skip(openedBy: second, &rest) : .none
        }
        guard let second = rest.first, (0x20...0x7E).contains(second.value) else { return .none }
        rest.removeFirst()
        if isOpening(second) { return skip(openedBy: second, &rest) }
        // Two characters, or more with intermediate ones: "ESC c", "ESC ( 0".
        var last = second
        while (0x20...0x2F).contains(last.value), let next = rest.first,
            (0x20...0x7E).contains(next.value)
        {
            last = rest.removeFirst()
        }
        return .some(nil)
    }

    private static func isOpening(_ second: Unicode.Scalar) -> Bool {
        ["[", "]", "P", "X", "^", "_"].contains(second)
    }

    private static func skip(
        openedBy second: Unicode.Scalar, _ rest: inout Substring.UnicodeScalarView
    ) -> String?? {
        if second == "[" { return .some(skipControlSequence(&rest)) }
        skipString(&rest)
        return .some(nil)
    }

    /// Parameters, intermediate characters, and one that says what is done; a colour's is "m", its
    /// parameters are numbers, and it has nothing between.
    private static func skipControlSequence(_ rest: inout Substring.UnicodeScalarView) -> String? {
        let parameters = rest.prefix { (0x30...0x3F).contains($0.value) }
        rest.removeFirst(parameters.count)
        let between = rest.prefix { (0x20...0x2F).contains($0.value) }
        rest.removeFirst(between.count)
        guard let final = rest.first, (0x40...0x7E).contains(final.value) else { return nil }
        rest.removeFirst()
        let isColour =
            final == "m" && between.isEmpty && parameters.count <= 64
            && parameters.allSatisfy { (0x30...0x3B).contains($0.value) }
        return isColour ? String(parameters) : nil
    }

    /// A string for the terminal, a title or a link, ends with BEL or ST. Of one that never ends
    /// only its beginning is gone, so that it hides nothing.
    private static func skipString(_ rest: inout Substring.UnicodeScalarView) {
        var ahead = rest
        while let scalar = ahead.popFirst() {
            switch scalar {
            case "\u{7}", "\u{9C}":
                rest = ahead
                return
            case "\u{1B}":
                if ahead.first == "\\" { rest = ahead.dropFirst() }
                return
            case "\n": return
            default: continue
            }
        }
    }
}

extension TerminalText {
    func line(_ line: LogLine) -> String {
        self.line(prefix: line.prefix, text: line.text, endsWithLineFeed: line.endsWithLineFeed)
    }
}
