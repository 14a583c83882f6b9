import Processes
import Testing

@Suite struct LineSplitterTests {
    private func lines(_ chunks: [[UInt8]], lineMax: Int = 64 << 10) -> [LineSplitter.Line] {
        var splitter = LineSplitter(lineMax: lineMax)
        var lines: [LineSplitter.Line] = []
        for chunk in chunks { lines += chunk.withUnsafeBytes { splitter.take($0) } }
        if let last = splitter.finish() { lines.append(last) }
        return lines
    }

    @Test("Lines are the same however the bytes arrive")
    func chunking() {
        let text = Array("a\n\nbüc\r\nlast".utf8)
        let whole = lines([text])
        #expect(whole.map(\.text) == ["a", "", "büc", "last"])
        #expect(whole.map(\.endsWithLineFeed) == [true, true, true, false])
        #expect(lines(text.map { [$0] }) == whole)
    }

    @Test("A long line is cut at a character boundary and loses nothing")
    func long() {
        let text = String(repeating: "ü", count: 1_000)
        let parts = lines([Array(text.utf8)], lineMax: 33)
        #expect(parts.allSatisfy { $0.text.utf8.count <= 33 && !$0.text.contains("\u{FFFD}") })
        #expect(parts.map(\.text).joined() == text)
        #expect(parts.allSatisfy { !$0.endsWithLineFeed })
    }

    @Test("Invalid bytes become replacement characters, also without any boundary")
    func invalid() {
        let parts = lines([[UInt8](repeating: 0x80, count: 100), [0x0A]], lineMax: 10)
        #expect(parts.count >= 10)
        #expect(parts.allSatisfy { $0.text.allSatisfy { $0 == "\u{FFFD}" } })
        let lead = lines([[UInt8](repeating: 0xF0, count: 100)], lineMax: 1)
        #expect(lead.count == 100)
    }
}
