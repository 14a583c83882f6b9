/// Reads the parts of a CSV into one data set.
///
/// One pass over the bytes suffices where the first records show what the columns are. A column
/// that turns out to be of another kind later is left out from there on and read alone in a second
/// pass, so what comes out depends on all of its cells, however late the telling one stands.
struct CSVReader {
    /// Bytes that one slot parses at once: enough to make a thread worth its start.
    private static let pieceSize = (alone: 1 << 20, together: 4 << 20)

    private let parts: [DataPart]
    private let options: ReadOptions
    private let dialect: CSVDialect

    init(_ parts: [DataPart], options: ReadOptions) throws(DatasetError) {
        self.parts = parts
        self.options = options
        dialect = CSVDialect(
            delimiter: try Self.delimiter(options, parts), hasHeader: options.hasHeader,
            missing: options.missing)
    }

    /// The data set of all records.
    func dataset() throws(DatasetError) -> Dataset {
        var plan: CSVPlan?
        var table = try pass { feed, block throws(DatasetError) in
            var made = try CSVPlan(names: feed.names, options: options, file: parts[0].name)
            let start = UnsafePointer(block.bytes) + block.range.lowerBound
            made.guess(
                from: UnsafeBufferPointer(start: start, count: block.range.count),
                dialect: dialect)
            plan = made
            return made.columns
        }
        guard let columns = plan?.columns, table.rowCount > 0 else {
            throw .line(file: parts[0].name, line: 2, problem: "there are no rows")
        }
        if !table.changes.isEmpty { try readAgain(&table, columns) }
        return try CSVAssembly(table, columns: columns, options: options).dataset()
    }

    /// Reads the columns that have changed their kind once more.
    private func readAgain(
        _ table: inout CSVTable, _ columns: [CSVColumn]
    ) throws(DatasetError) {
        let changes = table.changes
        guard parts.allSatisfy(\.isRepeatable) else {
            throw table.changeError(changes.keys.min() ?? 0)
        }
        var changed = columns
        for index in changed.indices {
            changed[index].mode = changes[index] ?? .skip
            changed[index].mayChange = false
        }
        let again = try pass { _, _ in changed }
        guard again.rowCount == table.rowCount else {
            throw .unreadable(file: parts[0].name, reason: "it changes while it is read")
        }
        table.take(changes.keys, from: again)
    }

    /// Reads all parts once, as the columns that `plan` makes from the first block.
    private func pass(
        _ plan: (CSVFeed, TextBlock) throws(DatasetError) -> [CSVColumn]
    ) throws(DatasetError) -> CSVTable {
        let threads = max(1, min(options.threads, 64))
        let pieceSize = threads == 1 ? Self.pieceSize.alone : Self.pieceSize.together
        let feed = CSVFeed(
            parts, dialect: dialect, limits: options.limits, pieceSize: pieceSize)
        let first = TextBlock()
        guard try feed.next(into: first) else {
            throw .line(file: parts[0].name, line: 2, problem: "there are no rows")
        }
        let columns = try plan(feed, first)
        var table = CSVTable(
            columns, parts: parts, slotCount: threads, rowCountMax: options.limits.rows)
        let slots = (0..<threads).map { index in
            CSVSlot(
                index: index, block: index == 0 ? first : TextBlock(),
                columnCount: columns.count, dialect: dialect)
        }
        var filled = 1
        var isEstimated = false
        while true {
            // An error of the source comes after those of the rows before it.
            var failure: DatasetError?
            do throws(DatasetError) {
                while filled < threads, try feed.next(into: slots[filled].block) { filled += 1 }
            } catch { failure = error }
            guard filled > 0 else {
                if let failure { throw failure }
                return table
            }
            let plan = table.columns
            Parallel.forEach(filled, threads: threads) { index, _ in slots[index].parse(plan) }
            if !isEstimated { table.reserve(rowCount: estimate(slots[0])) }
            isEstimated = true
            for slot in slots.prefix(filled) { try table.take(slot) }
            if let failure { throw failure }
            filled = 0
        }
    }

    /// Rows of all parts, if the others are like the first block's; a little more than that.
    private func estimate(_ slot: CSVSlot) -> Int {
        var size = 0
        for part in parts {
            guard let stored = part.storedSize else { return slot.rowCount }
            size += stored
        }
        let rows = Double(slot.rowCount) / Double(max(1, slot.block.range.count)) * Double(size)
        return min(Int(rows * 1.02) + 64, options.limits.rows)
    }

    /// What stands between cells: what the options say, or what the parts' names tell.
    static func delimiter(
        _ options: ReadOptions, _ parts: [DataPart]
    ) throws(DatasetError) -> UInt8 {
        if let delimiter = options.delimiter {
            guard let byte = delimiter.asciiValue, !Self.reserved.contains(byte) else {
                throw .shape("'\(delimiter)' cannot be a delimiter; one ASCII character can")
            }
            return byte
        }
        let isTabbed = parts.allSatisfy { ["tsv", "tab"].contains($0.fileExtension) }
        return UInt8(ascii: isTabbed ? "\t" : ",")
    }

    /// Characters that mean something else in a table or in a number.
    private static let reserved = Set("\n\r\"+-.0123456789eE".utf8)
}
