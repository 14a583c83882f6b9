/// A job's log in memory: the newest lines, numbered from 1.
struct LogShelf: Sendable {
    private var lines: ArraySlice<LogLine> = []
    private var sizeInBytes = 0
    /// The number of the last line ever appended.
    private var last = 0

    mutating func append(_ new: [LogLine], limits: StoreLimits) {
        for line in new {
            let line = line.bounded
            lines.append(line)
            sizeInBytes += line.sizeInBytes
            last += 1
        }
        while lines.count > limits.logLinesMax || sizeInBytes > limits.logMaxInBytes {
            guard let oldest = lines.popFirst() else { break }
            sizeInBytes -= oldest.sizeInBytes
        }
    }

    func page(after cursor: LogCursor?, limit: Int) -> LogPage {
        let seen = min(last, cursor?.lineNumber ?? 0)
        let first = last - lines.count + 1
        let begin = max(seen + 1, first)
        let page = lines.dropFirst(begin - first).prefix(max(0, limit))
        guard !page.isEmpty else { return LogPage(lines: [], next: cursor, droppedCount: 0) }
        return LogPage(
            lines: Array(page), next: LogCursor(lineNumber: begin + page.count - 1),
            droppedCount: begin - seen - 1)
    }
}

extension LogCursor {
    init(lineNumber: Int) { self.init(rawValue: String(lineNumber)) }

    /// A cursor that is not one of ours reads from the oldest line.
    var lineNumber: Int { max(0, Int(rawValue) ?? 0) }
}

extension LogLine {
    /// The line with its text cut to `LogLine.textMax` bytes.
    var bounded: LogLine {
        guard text.utf8.count > LogLine.textMax || prefix.utf8.count > LogLine.textMax else {
            return self
        }
        var line = self
        line.prefix = prefix.prefix(maxBytes: LogLine.textMax)
        if text.utf8.count > LogLine.textMax {
            line.text = text.prefix(maxBytes: LogLine.textMax)
            line.endsWithLineFeed = false
        }
        return line
    }

    /// What the line counts for against the log's bound.
    var sizeInBytes: Int { text.utf8.count + prefix.utf8.count + 32 }
}
