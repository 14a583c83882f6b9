/// The columns of all blocks so far, joined in the order of the blocks.
///
/// What it holds depends on the records alone, not on how they were cut into blocks or which slot
/// parsed them.
struct CSVTable {
    /// A cell and where it stands.
    struct Place {
        let part: Int
        let line: Int
        let text: String
    }

    /// One column's values and texts.
    final class Store {
        fileprivate(set) var values: [Float] = []
        let levels = LevelTable()
        /// What each slot's codes are here, by slot.
        fileprivate var translations: [[Float]] = []
        /// The first cell that is no number, for columns that may be either.
        fileprivate(set) var firstWord: Place?
        /// The cell whose text is one more than the column may have.
        fileprivate var excess: Place?
        /// Texts of `levels` that have been looked at.
        fileprivate var knownCount = 0

        /// Appends a slot's codes as this column's.
        fileprivate func append(_ codes: UnsafeBufferPointer<Float>, slot: Int) {
            translations[slot].withUnsafeBufferPointer { translation in
                values.append(
                    contentsOf: codes.lazy.map { $0.isNaN ? .nan : translation[Int($0)] })
            }
        }

        /// Hands the values over.
        func takeValues() -> [Float] {
            defer { values = [] }
            return values
        }
    }

    private let parts: [DataPart]
    private let rowCountMax: Int
    private(set) var columns: [CSVColumn]
    private(set) var stores: [Store]
    private(set) var rowCount = 0
    /// Columns that turned out to be another kind after rows had been read; what they are.
    private(set) var changes: [Int: CSVColumn.Mode] = [:]
    /// The line of each part's next record.
    private var lines: [Int]

    init(_ columns: [CSVColumn], parts: [DataPart], slotCount: Int, rowCountMax: Int) {
        self.columns = columns
        self.parts = parts
        self.rowCountMax = rowCountMax
        lines = Array(repeating: 1, count: parts.count)
        stores = Self.emptyStores(columns.count, slotCount: slotCount)
    }

    private static func emptyStores(_ count: Int, slotCount: Int) -> [Store] {
        (0..<count).map { _ in
            let store = Store()
            store.translations = Array(repeating: [], count: slotCount)
            return store
        }
    }

    /// Hands over the rows so far and goes on without them, at the same lines. The slots that are
    /// taken from then on are new ones.
    mutating func handOver() -> [Store] {
        let full = stores
        let slotCount = full.first?.translations.count ?? 0
        stores = Self.emptyStores(full.count, slotCount: slotCount)
        rowCount = 0
        return full
    }

    /// Makes room for this many rows, so that columns need not move while they grow.
    func reserve(rowCount: Int) {
        for (column, store) in zip(columns, stores) where column.mode != .skip {
            store.values.reserveCapacity(rowCount)
        }
    }

    /// Appends what `slot` has parsed.
    mutating func take(_ slot: CSVSlot) throws(DatasetError) {
        let part = slot.block.part
        if let line = slot.block.firstLine { lines[part] = line }
        let line = lines[part]
        for misfit in slot.misfits { change(misfit, to: .text, part: part, firstLine: line) }
        var position = 0
        for (index, column) in slot.columns.enumerated() where column.mode != .skip {
            defer { position += 1 }
            if columns[index].mode == .skip { continue }
            let values = UnsafeBufferPointer(
                start: slot.values + position * slot.stride, count: slot.rowCount)
            if column.mode == .text {
                try translate(slot, index, part: part, firstLine: line)
                stores[index].append(values, slot: slot.index)
                try checkLevels(index)
            } else {
                stores[index].values.append(contentsOf: values)
            }
        }
        lines[part] += slot.lineCount
        rowCount += slot.rowCount
        if let fault = slot.fault { throw error(fault, part: part, firstLine: line) }
        guard rowCount <= rowCountMax else {
            throw .line(
                file: parts[part].name, line: lines[part], problem: "more than \(rowCountMax) rows")
        }
    }

    /// Stops reading the column; another pass reads it as `mode`.
    private mutating func change(
        _ misfit: CSVMisfit, to mode: CSVColumn.Mode, part: Int, firstLine: Int
    ) {
        guard columns[misfit.column].mode != .skip else { return }
        columns[misfit.column].mode = .skip
        changes[misfit.column] = mode
        let store = stores[misfit.column]
        _ = store.takeValues()
        store.firstWord =
            store.firstWord
            ?? Place(part: part, line: firstLine + misfit.line, text: misfit.text)
    }

    /// Takes over what another pass has read of these columns.
    mutating func take(_ indices: some Sequence<Int>, from other: CSVTable) {
        for index in indices { stores[index] = other.stores[index] }
    }

    /// Finds this table's numbers for the texts that are new to the slot.
    private func translate(
        _ slot: CSVSlot, _ index: Int, part: Int, firstLine: Int
    ) throws(DatasetError) {
        let store = stores[index]
        let known = store.translations[slot.index].count
        for (number, line) in zip(known..<slot.codes[index].count, slot.newLines[index]) {
            guard !slot.codes[index][number].isNaN else {
                store.translations[slot.index].append(.nan)
                continue
            }
            let bytes = slot.levels[index].text(number)
            guard let start = bytes.baseAddress else { continue }
            let code = store.levels.number(of: start, count: bytes.count)
            store.translations[slot.index].append(Float(code))
            guard code == store.knownCount else { continue }
            store.knownCount += 1
            let text = String(validating: bytes, as: UTF8.self)
            let place = Place(
                part: part, line: firstLine + line,
                text: text ?? String(decoding: bytes, as: UTF8.self))
            // One too many: the texts behind it in its block no longer matter.
            if code == columns[index].levelCountMax { store.excess = place }
            guard text != nil else {
                throw error(index, place, expected: "text in UTF-8")
            }
            try classify(index, bytes: bytes, at: place)
        }
    }

    /// A text of a column that nobody has declared may be a word, a number, or too large a number.
    private func classify(
        _ index: Int, bytes: UnsafeBufferPointer<UInt8>, at place: Place
    ) throws(DatasetError) {
        guard let start = bytes.baseAddress, columns[index].declared == .nothing else { return }
        switch DecimalNumber.parse(start, count: bytes.count) {
        case .finite: return
        case .infinite where columns[index].role == .feature:
            throw error(
                index, place,
                expected: "a number that fits float32, or a column declared categorical")
        case .infinite, .none:
            if stores[index].firstWord == nil { stores[index].firstWord = place }
        }
    }

    private mutating func checkLevels(_ index: Int) throws(DatasetError) {
        let (column, store) = (columns[index], stores[index])
        guard let excess = store.excess else { return }
        if column.role == .target {
            if column.mayChange, store.firstWord == nil {
                columns[index].mode = .skip
                changes[index] = .number
                _ = store.takeValues()
                return
            }
            throw .shape("the target has more than \(Dataset.classCountMax) classes")
        }
        let many = "more than \(column.levelCountMax) different texts"
        if let word = store.firstWord, column.declared == .nothing, column.role == .feature {
            throw error(
                index, word,
                expected: "a number, because the column has \(many) and cannot be categorical; "
                    + "correct the cell or ignore the column")
        }
        throw error(index, excess, expected: "a text seen before, because the column has \(many)")
    }

    private func error(_ index: Int, _ place: Place, expected: String) -> DatasetError {
        .cell(
            file: parts[place.part].name, line: place.line, column: columns[index].name,
            found: DatasetError.shortened(place.text), expected: expected)
    }

    /// The error that a cell of a changed column is, where nothing can be read twice.
    func changeError(_ index: Int) -> DatasetError {
        guard let place = stores[index].firstWord else {
            return .shape("the target has more than \(FeatureKind.levelCountMax) different values")
        }
        return error(
            index, place,
            expected: "a number like those before it; a pipe cannot be read twice, so declare "
                + "the column categorical")
    }

    private func error(_ fault: CSVFault, part: Int, firstLine: Int) -> DatasetError {
        switch fault {
        case .line(let line, let problem):
            .line(file: parts[part].name, line: firstLine + line, problem: problem)
        case .cell(let cell, let expected):
            error(
                cell.column,
                Place(part: part, line: firstLine + cell.line, text: cell.text),
                expected: expected)
        }
    }
}
