/// Parses one block of records at a time, so that several slots can work at once.
///
/// One walk over the bytes finds the cells and turns them into values, column by column in a buffer
/// of its own. Numbers of the usual forms never leave `record`; whatever else a cell holds is the
/// matter of `cell`. Texts are numbered by this slot alone; `CSVTable` translates.
final class CSVSlot: @unchecked Sendable {
    /// This slot's number among those that work together.
    let index: Int
    let block: TextBlock
    private let dialect: CSVDialect
    /// What the block was parsed as.
    private(set) var columns: [CSVColumn] = []

    /// The k-th column that is read has row r's value at `values[k * stride + r]`.
    private(set) var values = UnsafeMutablePointer<Float>.allocate(capacity: 1)
    private var valueCapacity = 1
    private(set) var stride = 0
    private(set) var rowCount = 0
    private(set) var lineCount = 0
    private(set) var fault: CSVFault?
    /// The first cell of each column that should have been a number.
    private(set) var misfits: [CSVMisfit] = []

    /// The texts of each text column, from all blocks of this slot.
    private(set) var levels: [LevelTable] = []
    /// The value that each text of a column stands for: its number, NaN if it means missing.
    private(set) var codes: [[Float]] = []
    /// Lines of the texts that this block brought, per column.
    private(set) var newLines: [[Int]] = []

    private let modes: UnsafeMutablePointer<UInt8>
    private let terminators: UnsafeMutablePointer<UInt8>
    private var innerLineEnds = 0
    private var unescaped: [UInt8] = []

    init(index: Int, block: TextBlock, columnCount: Int, dialect: CSVDialect) {
        self.index = index
        self.block = block
        self.dialect = dialect
        modes = .allocate(capacity: columnCount)
        terminators = .allocate(capacity: columnCount)
        terminators.initialize(repeating: dialect.delimiter, count: columnCount)
        terminators[columnCount - 1] = CSVByte.lineFeed
        levels = (0..<columnCount).map { _ in LevelTable() }
        codes = Array(repeating: [], count: columnCount)
        newLines = codes.map { _ in [] }
    }

    deinit {
        values.deallocate()
        modes.deallocate()
        terminators.deallocate()
    }

    /// What `record` reads over and over, so that it need not look into the object.
    private struct Layout {
        let modes: UnsafePointer<UInt8>
        let terminators: UnsafePointer<UInt8>
        let last: Int
        let stride: Int
        let powers: DecimalNumber.Powers
    }

    /// Parses the block as these columns.
    func parse(_ columns: [CSVColumn]) {
        prepare(columns)
        if block.isEndless {
            fault = .line(0, problem: CSVFeed.overlong)
            return
        }
        let layout = Layout(
            modes: modes, terminators: terminators, last: columns.count - 1, stride: stride,
            powers: DecimalNumber.powers)
        let bytes = UnsafePointer(block.bytes)
        let end = bytes + block.range.upperBound
        var at = bytes + block.range.lowerBound
        var row = values
        while at < end {
            if at[0] <= 0x20, let next = behindBlankLine(at) {
                at = next
                lineCount += 1
                continue
            }
            guard let next = record(at, end, row, layout) else { return }
            guard next - at <= CSVDialect.recordLengthMax else {
                fault = .line(lineCount, problem: CSVFeed.overlong)
                return
            }
            at = next
            row += 1
            rowCount += 1
            lineCount += 1 + innerLineEnds
        }
    }

    private func prepare(_ columns: [CSVColumn]) {
        self.columns = columns
        rowCount = 0
        lineCount = 0
        fault = nil
        misfits = []
        var readCount = 0
        for (index, column) in columns.enumerated() {
            modes[index] = column.mode.rawValue
            readCount += column.mode == .skip ? 0 : 1
            newLines[index].removeAll(keepingCapacity: true)
        }
        // The shortest record has one byte per column. An odd number of cache lines between two
        // columns keeps them out of each other's way in the cache.
        stride = (block.range.count / columns.count / 16 + 1 | 1) * 16
        if readCount * stride > valueCapacity {
            values.deallocate()
            valueCapacity = readCount * stride
            values = .allocate(capacity: valueCapacity)
        }
    }

    /// Where the next line starts, if this one is nothing but blanks.
    private func behindBlankLine(_ start: UnsafePointer<UInt8>) -> UnsafePointer<UInt8>? {
        var at = start
        while CSVByte.isBlank(at[0]), at[0] != dialect.delimiter { at += 1 }
        if at[0] == CSVByte.carriageReturn, at[1] == CSVByte.lineFeed { at += 1 }
        return at[0] == CSVByte.lineFeed ? at + 1 : nil
    }

    /// Reads one record to `row`; where the next one starts, nil after a fault.
    @inline(__always)
    private func record(
        _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>,
        _ row: UnsafeMutablePointer<Float>, _ layout: Layout
    ) -> UnsafePointer<UInt8>? {
        var at = start
        var target = row
        var column = 0
        innerLineEnds = 0
        while true {
            if layout.modes[column] == CSVColumn.Mode.number.rawValue {
                var next = at
                if let value = DecimalNumber.quick(&next, layout.powers),
                    next[0] == layout.terminators[column]
                {
                    target.pointee = value
                    target += layout.stride
                    at = next + 1
                    if column == layout.last { return at }
                    column &+= 1
                    continue
                }
            }
            guard let value = cell(&at, end, column) else { return nil }
            if layout.modes[column] != CSVColumn.Mode.skip.rawValue {
                target.pointee = value
                target += layout.stride
            }
            let isLineEnd = at[0] != dialect.delimiter
            guard isLineEnd == (column == layout.last) else {
                fault = .line(lineCount, problem: wrongCount(start, end))
                return nil
            }
            at += isLineEnd && at[0] == CSVByte.carriageReturn ? 2 : 1
            if isLineEnd { return at }
            column &+= 1
        }
    }

    private func wrongCount(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> String {
        var tokenizer = CSVTokenizer(delimiter: dialect.delimiter)
        let bytes = UnsafeBufferPointer(start: start, count: end - start)
        if case .failed(let problem) = tokenizer.next(bytes, from: 0, isLast: true) {
            return problem
        }
        return "\(tokenizer.cells.count) cells where the header has \(columns.count)"
    }
}

extension CSVSlot {
    /// Reads any cell and leaves `at` on the delimiter or line end behind it; nil after a fault.
    @inline(never)
    private func cell(
        _ at: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>, _ column: Int
    ) -> Float? {
        let text: UnsafePointer<UInt8>
        let count: Int
        var isEscaped = false
        if at[0] == CSVByte.quote {
            guard let close = TextSearch.closingQuote(in: at, 1..<end - at) else {
                fault = .line(lineCount, problem: "a quote is not closed")
                return nil
            }
            text = at + 1
            count = close - 1
            isEscaped = inspect(text, count)
            at += close + 1
        } else {
            let stop = TextSearch.endOfCell(at, delimiter: dialect.delimiter)
            var (first, last) = (at, stop)
            while first < last, CSVByte.isBlank(first[0]) { first += 1 }
            while last > first, CSVByte.isBlank(last[-1]) { last -= 1 }
            text = first
            count = last - first
            at = stop
        }
        guard isEndOfCell(at) else { return nil }
        guard isEscaped else { return value(text, count, column) }
        // Taken out while it is read, so that nothing else can hold it.
        let plain = unescaped
        return plain.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.flatMap { value($0, buffer.count, column) }
        }
    }

    private func isEndOfCell(_ at: UnsafePointer<UInt8>) -> Bool {
        if at[0] == dialect.delimiter || at[0] == CSVByte.lineFeed { return true }
        if at[0] == CSVByte.carriageReturn {
            if at[1] == CSVByte.lineFeed { return true }
            fault = .line(lineCount, problem: "a carriage return without a line feed")
        } else {
            fault = .line(lineCount, problem: "text after a closing quote")
        }
        return false
    }

    /// Counts the line ends inside quotes; whether quotes are doubled, then `unescaped` has them
    /// single.
    private func inspect(_ text: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        var at = 0
        while let lineEnd = TextSearch.first(CSVByte.lineFeed, in: text, at..<count) {
            innerLineEnds += 1
            at = lineEnd + 1
        }
        guard TextSearch.first(CSVByte.quote, in: text, 0..<count) != nil else { return false }
        unescaped.removeAll(keepingCapacity: true)
        at = 0
        while let quote = TextSearch.first(CSVByte.quote, in: text, at..<count) {
            unescaped.append(
                contentsOf: UnsafeBufferPointer(start: text + at, count: quote + 1 - at))
            at = quote + 2
        }
        if at < count {
            unescaped.append(contentsOf: UnsafeBufferPointer(start: text + at, count: count - at))
        }
        return true
    }

    private func value(_ text: UnsafePointer<UInt8>, _ count: Int, _ column: Int) -> Float? {
        switch columns[column].mode {
        case .skip: 0
        case .number: number(text, count, column)
        case .text: code(text, count, column)
        }
    }

    private func number(_ text: UnsafePointer<UInt8>, _ count: Int, _ column: Int) -> Float? {
        let number = count == 0 ? .none : DecimalNumber.parse(text, count: count)
        switch number {
        case .finite(let value):
            guard value < 0, columns[column].role == .weight else { return value }
            return refuse(text, count, column, columns[column].expected)
        case .infinite:
            return refuse(text, count, column, "a number that fits float32")
        case .none:
            if dialect.isMissing(text, count: count) {
                guard columns[column].isRequired else { return .nan }
                return refuse(text, count, column, columns[column].expected)
            }
            guard columns[column].mayChange else {
                return refuse(text, count, column, columns[column].expected)
            }
            if !misfits.contains(where: { $0.column == column }) {
                misfits.append(misfit(text, count, column))
            }
            return .nan
        }
    }

    private func code(_ text: UnsafePointer<UInt8>, _ count: Int, _ column: Int) -> Float? {
        let number = levels[column].number(of: text, count: count)
        if number == codes[column].count {
            guard count <= CSVColumn.levelLengthMax else {
                return refuse(
                    text, count, column, "a name of at most \(CSVColumn.levelLengthMax) bytes")
            }
            let isMissing = dialect.isMissing(text, count: count)
            codes[column].append(isMissing ? .nan : Float(number))
            newLines[column].append(lineCount)
        }
        let code = codes[column][number]
        if code.isNaN, columns[column].isRequired {
            return refuse(text, count, column, columns[column].expected)
        }
        return code
    }

    private func refuse(
        _ text: UnsafePointer<UInt8>, _ count: Int, _ column: Int, _ expected: String
    ) -> Float? {
        fault = .cell(misfit(text, count, column), expected: expected)
        return nil
    }

    private func misfit(
        _ text: UnsafePointer<UInt8>, _ count: Int, _ column: Int
    ) -> CSVMisfit {
        let shown = UnsafeBufferPointer(start: text, count: min(count, 200))
        return CSVMisfit(
            column: column, line: lineCount, text: String(decoding: shown, as: UTF8.self))
    }
}
