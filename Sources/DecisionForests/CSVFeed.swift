/// A stretch of one part: whole records, with room behind them for reading words at a time.
final class TextBlock {
    /// What may be read behind the last byte, whatever it holds.
    static let padding = 64

    private(set) var bytes: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    /// The first record starts here and the last one ends here, with a line feed.
    fileprivate(set) var range = 0..<0
    /// The part the records come from.
    fileprivate(set) var part = 0
    /// The first record's line, for the first block of a part. Later ones follow their forerunner.
    fileprivate(set) var firstLine: Int?
    /// The records are no table: the first one does not end.
    fileprivate(set) var isEndless = false

    init() {
        capacity = TextBlock.padding
        bytes = .allocate(capacity: capacity)
        bytes.initialize(repeating: 0, count: capacity)
    }

    deinit { bytes.deallocate() }

    /// Makes room for `count` bytes and the padding; the first `held` keep their values.
    fileprivate func reserve(_ count: Int, keeping held: Int) {
        guard count + TextBlock.padding > capacity else { return }
        let wider = UnsafeMutablePointer<UInt8>.allocate(capacity: count + TextBlock.padding)
        wider.update(from: bytes, count: held)
        // Untouched memory costs nothing; only what words at a time may meet is set.
        (wider + count).initialize(repeating: 0, count: TextBlock.padding)
        bytes.deallocate()
        bytes = wider
        capacity = count + TextBlock.padding
    }
}

/// Hands out the records of all parts, block by block, and holds their headers against each other.
///
/// Beside the block it fills it keeps only the bytes of one unfinished record.
final class CSVFeed {
    private let parts: [DataPart]
    private let dialect: CSVDialect
    private let limits: ReadOptions.Limits
    private let pieceSize: Int
    private var nextPart = 0
    private var source: (any ByteSource)?
    private var isAtStart = true
    /// The start of a record whose end has not been read.
    private var carry: [UInt8] = []

    /// The columns' names; empty until the first block is read.
    private(set) var names: [String] = []

    init(
        _ parts: [DataPart], dialect: CSVDialect, limits: ReadOptions.Limits, pieceSize: Int
    ) {
        self.parts = parts
        self.dialect = dialect
        self.limits = limits
        self.pieceSize = pieceSize
    }

    /// Fills `block` with the next records; false after the last part.
    func next(into block: TextBlock) throws(DatasetError) -> Bool {
        while true {
            if source == nil {
                guard nextPart < parts.count else { return false }
                source = try parts[nextPart].open(limits: limits)
                nextPart += 1
                isAtStart = true
            }
            try fill(block)
            if !block.range.isEmpty { return true }
        }
    }

    private func fill(_ block: TextBlock) throws(DatasetError) {
        guard let source else { return }
        block.part = nextPart - 1
        block.firstLine = nil
        block.isEndless = false
        var held = carry.count
        block.reserve(held + pieceSize + 1, keeping: 0)
        carry.withUnsafeBufferPointer { old in
            if let base = old.baseAddress { block.bytes.update(from: base, count: held) }
        }
        carry.removeAll(keepingCapacity: true)
        var start = 0
        while true {
            block.reserve(held + pieceSize + 1, keeping: held)
            let got = try source.readFully(into: block.bytes + held, count: pieceSize)
            held += got
            let isLast = got < pieceSize
            if isLast, held > 0, block.bytes[held - 1] != CSVByte.lineFeed {
                block.bytes[held] = CSVByte.lineFeed
                held += 1
            }
            if isAtStart {
                guard let behind = try openPart(block, count: held, isLast: isLast) else {
                    continue
                }
                start = behind
                isAtStart = false
            }
            let end =
                isLast
                ? held
                : start + dialect.endOfLastRecord(block.bytes + start, count: held - start)
            block.isEndless = end == start && held - start > CSVDialect.recordLengthMax
            guard end > start || isLast || block.isEndless else { continue }
            block.range = start..<(block.isEndless ? held : end)
            if isLast {
                self.source = nil
            } else {
                carry.append(
                    contentsOf: UnsafeBufferPointer(start: block.bytes + end, count: held - end))
            }
            return
        }
    }

    /// Reads what stands before a part's rows; where they start, nil if more bytes are needed.
    private func openPart(
        _ block: TextBlock, count: Int, isLast: Bool
    ) throws(DatasetError) -> Int? {
        let bytes = UnsafeBufferPointer(start: block.bytes, count: count)
        var at = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        let start = at
        var line = 1
        var tokenizer = CSVTokenizer(delimiter: dialect.delimiter)
        let file = parts[block.part].name
        while at < count {
            switch tokenizer.next(bytes, from: at, isLast: isLast) {
            case .incomplete:
                guard count < CSVDialect.recordLengthMax else {
                    throw .header(file: file, problem: Self.overlong)
                }
                return nil
            case .failed(let problem):
                throw .header(file: file, problem: problem)
            case .record(let next):
                line += 1 + tokenizer.innerLineEnds
                at = next
            }
            guard !tokenizer.isBlank else { continue }
            let cells = tokenizer.cells.map { tokenizer.text($0, in: bytes) }
            try take(header: cells, of: file)
            block.firstLine = dialect.hasHeader ? line : 1
            return dialect.hasHeader ? at : start
        }
        guard isLast else { return nil }
        throw .header(
            file: file, problem: dialect.hasHeader ? "there is no header line" : "it is empty")
    }

    private func take(header cells: [String], of file: String) throws(DatasetError) {
        let found =
            dialect.hasHeader ? cells : cells.indices.map { ReadOptions.columnName($0) }
        if names.isEmpty {
            try checkNames(found, of: file)
            names = found
        } else if found != names {
            throw .header(file: file, problem: difference(of: found))
        }
    }

    private func checkNames(_ names: [String], of file: String) throws(DatasetError) {
        if let unnamed = names.firstIndex(of: "") {
            throw .header(
                file: file, problem: "column \(unnamed + 1) has no name; each column needs one")
        }
        var seen = Set<String>()
        if let twice = names.first(where: { !seen.insert($0).inserted }) {
            throw .header(file: file, problem: "the column name '\(twice)' occurs twice")
        }
    }

    /// In what a later part's columns are not those of the first part.
    private func difference(of found: [String]) -> String {
        let first = parts[0].name
        guard found.count == names.count else {
            return "it has \(found.count) columns, \(first) has \(names.count)"
        }
        let column = found.indices.first { found[$0] != names[$0] } ?? 0
        return "column \(column + 1) is '\(found[column])', in \(first) it is '\(names[column])'"
    }

    static let overlong = "the line is longer than \(CSVDialect.recordLengthMax) bytes"
}
