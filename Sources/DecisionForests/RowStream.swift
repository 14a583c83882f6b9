/// The rows of files as a model reads them, some at a time: for tables larger than memory.
///
/// Files are named and understood as `Dataset.load` does it. Columns with names are found by them
/// and further ones left out; texts become codes of the model's levels, and a text that is none of
/// them is missing. Columns without names (LibSVM, NPY) count in the model's order, except that an
/// NPY file also serves a model whose features are called "column_0", "column_3", ….
package final class RowStream {
    private let source: any RowSource

    /// How files are read.
    package struct Options: Sendable {
        /// Threads that parse at once. The rows do not depend on it.
        package var threads = BinnedDataset.threadsDefault
        /// What the files are; nil: by the first one's name and first bytes.
        package var format: ReadOptions.Format?
        /// Where a LibSVM file's features count from, 0 or 1; nil: from 0 if there is a feature 0.
        package var firstIndex: Int?
        /// What a file may make the reader hold.
        package var limits = ReadOptions.Limits()

        package init() {
            // Rows come and go here, so their number needs no bound.
            limits.rows = Int(Int32.max) * 1_024
        }
    }

    /// Rows for a model with features of these names and kinds.
    ///
    /// - Throws: `DatasetError` naming the file and the column that the model needs and the file
    ///   does not have, or why a file cannot be read.
    package init(
        _ paths: [String], names: [String], kinds: [FeatureKind], options: Options = Options()
    ) throws(DatasetError) {
        precondition(names.count == kinds.count, "one kind per column")
        let parts = try DataPart.parts(of: paths)
        var format = options.format
        if format == nil { format = try parts[0].format() }
        switch format ?? .csv {
        case .csv:
            source = try CSVRows(parts, names: names, kinds: kinds, options: options)
        case .libsvm:
            source = try LibSVMRows(parts, kinds: kinds, options: options)
        case .npy:
            source = try NPYRows(parts, names: names, kinds: kinds, options: options)
        }
    }

    /// The next rows, at least one; nil after the last.
    package func next() throws(DatasetError) -> FeatureMatrix? {
        while let rows = try source.next() {
            if rows.rowCount > 0 { return rows }
        }
        return nil
    }
}

/// What `RowStream` reads from.
protocol RowSource: AnyObject {
    /// Some rows, maybe none; nil at the end.
    func next() throws(DatasetError) -> FeatureMatrix?
}

/// Rows of CSV parts: a block of records for each thread at a time.
final class CSVRows: RowSource {
    private static let pieceSize = 1 << 20

    private let feed: CSVFeed
    private let dialect: CSVDialect
    private let blocks: [TextBlock]
    private let columns: [CSVColumn]
    /// Per feature of the model its column, and what its numbers stand for.
    private let places: [Int]
    private let kinds: [FeatureKind]
    private var table: CSVTable
    /// Blocks that are filled and not yet parsed.
    private var filled = 0
    private var isAtEnd = false

    init(
        _ parts: [DataPart], names: [String], kinds: [FeatureKind], options: RowStream.Options
    ) throws(DatasetError) {
        self.kinds = kinds
        // A row's width says how many rows a block has; each thread takes one.
        let read = ReadOptions(target: "")
        let threads = max(1, min(options.threads, 64))
        dialect = CSVDialect(
            delimiter: try CSVReader.delimiter(read, parts), missing: read.missing)
        feed = CSVFeed(
            parts, dialect: dialect, limits: options.limits, pieceSize: Self.pieceSize)
        blocks = (0..<threads).map { _ in TextBlock() }
        filled = try feed.next(into: blocks[0]) ? 1 : 0
        isAtEnd = filled == 0
        var columns = feed.names.map { CSVColumn(name: $0, role: .feature, mode: .skip) }
        var places: [Int] = []
        for (name, kind) in zip(names, kinds) {
            guard let place = feed.names.firstIndex(of: name) else {
                throw .header(
                    file: parts[0].name,
                    problem: "there is no column '\(name)', which the model needs")
            }
            columns[place].mode = kind == .numeric ? .number : .text
            columns[place].declared = .known(kind)
            places.append(place)
        }
        (self.columns, self.places) = (columns, places)
        table = CSVTable(
            columns, parts: parts, slotCount: threads, rowCountMax: options.limits.rows)
    }

    func next() throws(DatasetError) -> FeatureMatrix? {
        // An error of the source comes after those of the rows before it.
        var failure: DatasetError?
        do throws(DatasetError) {
            while !isAtEnd, filled < blocks.count {
                if try feed.next(into: blocks[filled]) { filled += 1 } else { isAtEnd = true }
            }
        } catch { failure = error }
        guard filled > 0 else {
            if let failure { throw failure }
            return nil
        }
        // New slots forget the texts of the blocks before, which no bound would hold otherwise.
        let slots = (0..<filled).map {
            CSVSlot(index: $0, block: blocks[$0], columnCount: columns.count, dialect: dialect)
        }
        filled = 0
        Parallel.forEach(slots.count, threads: blocks.count) { [columns] index, _ in
            slots[index].parse(columns)
        }
        for slot in slots { try table.take(slot) }
        if let failure { throw failure }
        return rows()
    }

    private func rows() -> FeatureMatrix {
        let rowCount = table.rowCount
        let stores = table.handOver()
        let columns = zip(places, kinds).map { place, kind in
            var values = stores[place].takeValues()
            guard kind != .numeric else { return values }
            let levels = CSVLevels(stores[place].levels, declared: .known(kind))
            for row in values.indices where !values[row].isNaN {
                values[row] = levels.values[Int(values[row])]
            }
            return values
        }
        return FeatureMatrix(columns: columns, rowCount: rowCount)
    }
}
