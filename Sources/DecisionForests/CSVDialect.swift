/// How the cells of a text table are divided and which of them say nothing.
struct CSVDialect: Sendable {
    /// Bytes of one record. Wide enough for `columnCountMax` cells of 60 characters.
    static let recordLengthMax = 4 << 20
    /// Cells of one record.
    static let columnCountMax = 65_536

    /// Between two cells of a record.
    let delimiter: UInt8
    /// Whether the first record of every part holds the columns' names.
    let hasHeader: Bool
    /// Texts that stand for a missing value, besides nothing at all.
    private let missing: [[UInt8]]
    private let missingLengthMax: Int

    init(delimiter: UInt8 = UInt8(ascii: ","), hasHeader: Bool = true, missing: Set<String>) {
        self.delimiter = delimiter
        self.hasHeader = hasHeader
        self.missing = missing.map { Array($0.utf8) }
        missingLengthMax = self.missing.map(\.count).max() ?? 0
    }

    func isMissing(_ bytes: UnsafePointer<UInt8>, count: Int) -> Bool {
        if count == 0 { return true }
        guard count <= missingLengthMax else { return false }
        return missing.contains { marker in
            marker.count == count
                && marker.indices.allSatisfy { marker[$0] == bytes[$0] }
        }
    }

    /// Where the last whole record of `bytes` ends, 0 if not one does. `bytes` start with a record.
    ///
    /// Only quotes that open or close a cell matter, so the walk goes from quote to quote; text
    /// without any costs two searches.
    func endOfLastRecord(_ bytes: UnsafePointer<UInt8>, count: Int) -> Int {
        var end = 0
        var at = 0
        while let quote = TextSearch.first(UInt8(ascii: "\""), in: bytes, at..<count) {
            let isOpening =
                quote == 0 || bytes[quote - 1] == delimiter || bytes[quote - 1] == CSVByte.lineFeed
            guard isOpening else {
                // A quote inside a cell that does not start with one is text.
                if let found = TextSearch.last(CSVByte.lineFeed, in: bytes, at..<quote) {
                    end = found + 1
                }
                at = quote + 1
                continue
            }
            if let found = TextSearch.last(CSVByte.lineFeed, in: bytes, at..<quote) {
                end = found + 1
            }
            guard let close = TextSearch.closingQuote(in: bytes, quote + 1..<count) else {
                return end
            }
            at = close + 1
        }
        return TextSearch.last(CSVByte.lineFeed, in: bytes, at..<count).map { $0 + 1 } ?? end
    }
}

/// The characters that make a table of text.
enum CSVByte {
    static let lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let quote = UInt8(ascii: "\"")

    static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}
