/// Hands out the lines of one part, many at a time.
final class LineFeed {
    private static let pieceSize = 1 << 20

    private let file: String
    private let source: any ByteSource
    private var buffer: UnsafeMutableBufferPointer<UInt8>
    /// Bytes of the lines given last, and of the unfinished one behind them.
    private var used = 0
    private var held = 0
    private var isLast = false
    /// The number of the next line that is given.
    private var line = 1

    init(_ part: DataPart, limits: ReadOptions.Limits) throws(DatasetError) {
        file = part.name
        source = try part.open(limits: limits)
        buffer = .allocate(capacity: CSVDialect.recordLengthMax + Self.pieceSize + 1)
    }

    deinit { buffer.deallocate() }

    /// The next lines, each with its line feed; they stay until the next call. Nil at the end.
    func next() throws(DatasetError) -> UnsafeBufferPointer<UInt8>? {
        guard let base = buffer.baseAddress, !isLast else { return nil }
        held -= used
        if held > 0 { base.update(from: base + used, count: held) }
        used = 0
        while used == 0, !isLast {
            guard held <= CSVDialect.recordLengthMax else {
                throw .line(file: file, line: line, problem: CSVFeed.overlong)
            }
            let got = try source.readFully(into: base + held, count: Self.pieceSize)
            held += got
            isLast = got < Self.pieceSize
            if isLast, held > 0, base[held - 1] != CSVByte.lineFeed {
                base[held] = CSVByte.lineFeed
                held += 1
            }
            used = TextSearch.last(CSVByte.lineFeed, in: base, 0..<held).map { $0 + 1 } ?? 0
        }
        let lines = UnsafeBufferPointer(start: base, count: used)
        line += lines.count { $0 == CSVByte.lineFeed }
        return used == 0 ? nil : lines
    }
}
