/// Finds the cells of one record (RFC 4180: quotes doubled inside quotes, LF or CRLF).
///
/// For headers, samples and messages. The rows themselves are read by `CSVSlot`, which follows the
/// same rules without a list of cells.
struct CSVTokenizer {
    let delimiter: UInt8

    init(delimiter: UInt8) {
        self.delimiter = delimiter
    }

    /// One cell: its bytes without the outer quotes.
    struct Cell {
        var start: Int
        var end: Int
        var isQuoted = false
        /// The bytes hold doubled quotes that stand for one.
        var hasEscapes = false
    }

    enum Outcome {
        /// The record's cells are in `cells`; the next record starts here.
        case record(next: Int)
        /// The bytes end before the record does.
        case incomplete
        case failed(String)
    }

    /// The cells of the record read last.
    private(set) var cells: [Cell] = []
    /// Line ends inside quotes of the record read last.
    private(set) var innerLineEnds = 0

    /// Reads the record that starts at `start`; `isLast` means that no bytes come after these.
    mutating func next(
        _ bytes: UnsafeBufferPointer<UInt8>, from start: Int, isLast: Bool
    ) -> Outcome {
        cells.removeAll(keepingCapacity: true)
        innerLineEnds = 0
        var at = start
        while true {
            guard cells.count < CSVDialect.columnCountMax else {
                return .failed("more than \(CSVDialect.columnCountMax) cells")
            }
            let isQuoted = at < bytes.count && bytes[at] == UInt8(ascii: "\"")
            if isQuoted {
                guard let end = quotedCell(bytes, from: at) else {
                    return isLast ? .failed("a quote is not closed") : .incomplete
                }
                at = end
            } else {
                at = plainCell(bytes, from: at)
            }
            guard at < bytes.count else { return isLast ? .record(next: at) : .incomplete }
            switch bytes[at] {
            case delimiter:
                at += 1
            case UInt8(ascii: "\n"):
                return .record(next: at + 1)
            case UInt8(ascii: "\r"):
                guard at + 1 < bytes.count else {
                    return isLast ? .record(next: at + 1) : .incomplete
                }
                guard bytes[at + 1] == UInt8(ascii: "\n") else {
                    return .failed("a carriage return without a line feed")
                }
                return .record(next: at + 2)
            default:
                return .failed("text after a closing quote")
            }
        }
    }

    /// Whether the record read last is nothing but blanks, which is no row.
    var isBlank: Bool {
        guard cells.count == 1, let cell = cells.first else { return false }
        return !cell.isQuoted && cell.start == cell.end
    }

    /// The cell's text, for names, labels and messages.
    func text(_ cell: Cell, in bytes: UnsafeBufferPointer<UInt8>) -> String {
        let text = String(decoding: bytes[cell.start..<cell.end], as: UTF8.self)
        guard cell.hasEscapes else { return text }
        var plain = ""
        var wasQuote = false
        for character in text.unicodeScalars {
            if character == "\"" && wasQuote {
                wasQuote = false
                continue
            }
            wasQuote = character == "\""
            plain.unicodeScalars.append(character)
        }
        return plain
    }

    /// Appends an unquoted cell without the blanks around it; returns where its delimiter stands.
    private mutating func plainCell(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        var at = start
        while at < bytes.count {
            let byte = bytes[at]
            if byte == delimiter || byte == CSVByte.lineFeed || byte == CSVByte.carriageReturn {
                break
            }
            at += 1
        }
        var (first, end) = (start, at)
        while first < end, CSVByte.isBlank(bytes[first]) { first += 1 }
        while end > first, CSVByte.isBlank(bytes[end - 1]) { end -= 1 }
        cells.append(Cell(start: first, end: end))
        return at
    }

    /// Appends a quoted cell; returns where its delimiter must stand, nil if the quote stays open.
    private mutating func quotedCell(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        var cell = Cell(start: start + 1, end: start + 1, isQuoted: true)
        var at = start + 1
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "\"") {
                guard at + 1 < bytes.count, bytes[at + 1] == UInt8(ascii: "\"") else {
                    cell.end = at
                    cells.append(cell)
                    return at + 1
                }
                cell.hasEscapes = true
                at += 1
            } else if bytes[at] == UInt8(ascii: "\n") {
                innerLineEnds += 1
            }
            at += 1
        }
        return nil
    }
}
