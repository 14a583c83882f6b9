/// Cuts a stream of bytes into lines that are safe to store: valid UTF-8, bounded in length.
///
/// A line longer than `lineMax` is cut into several, marked as not ending with a line feed.
/// Carriage returns before a line feed are dropped; other control bytes are kept for whoever shows
/// the line.
package struct LineSplitter: Sendable {
    package struct Line: Sendable, Hashable {
        package let text: String
        /// False for the last line of a stream without a line feed, and for the parts of a cut one.
        package let endsWithLineFeed: Bool
    }

    package let lineMax: Int
    private var pending: [UInt8] = []

    package init(lineMax: Int = 64 << 10) {
        self.lineMax = lineMax
    }

    package var hasPending: Bool { !pending.isEmpty }

    /// Takes the next bytes of the stream and answers the lines they complete.
    package mutating func take(_ bytes: UnsafeRawBufferPointer) -> [Line] {
        var lines: [Line] = []
        var start = 0
        while start < bytes.count {
            let room = lineMax - pending.count
            let end = min(bytes.count, start + room)
            if let feed = bytes[start..<end].firstIndex(of: UInt8(ascii: "\n")) {
                pending.append(contentsOf: bytes[start..<feed])
                if pending.last == UInt8(ascii: "\r") { pending.removeLast() }
                lines.append(emit(endsWithLineFeed: true))
                start = feed + 1
            } else {
                pending.append(contentsOf: bytes[start..<end])
                start = end
                if pending.count >= lineMax { lines.append(cut()) }
            }
        }
        return lines
    }

    /// What is left when the stream has ended; nil when it ended with a line feed.
    package mutating func finish() -> Line? {
        pending.isEmpty ? nil : emit(endsWithLineFeed: false)
    }

    /// Cuts a full buffer, at a character boundary so that no character is broken in two.
    private mutating func cut() -> Line {
        var end = pending.count
        var back = 0
        while back < 4, end > 1, pending[end - 1] & 0xC0 == 0x80 {
            end -= 1
            back += 1
        }
        if pending[end - 1] >= 0xC0 { end -= 1 } else { end = pending.count }
        if end == 0 { end = pending.count }
        let rest = Array(pending[end...])
        pending.removeSubrange(end...)
        let line = emit(endsWithLineFeed: false)
        pending = rest
        return line
    }

    private mutating func emit(endsWithLineFeed: Bool) -> Line {
        defer { pending.removeAll(keepingCapacity: true) }
        // Invalid sequences become U+FFFD.
        return Line(
            text: String(decoding: pending, as: UTF8.self), endsWithLineFeed: endsWithLineFeed)
    }
}
