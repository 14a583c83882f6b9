/// Decides what each column of a CSV is for and how its cells are read at first.
struct CSVPlan {
    /// Records that are looked at before the first is read. Any number gives the same data set; a
    /// good guess saves a second pass.
    private static let sampleCount = 1_000

    private(set) var columns: [CSVColumn] = []
    private let options: ReadOptions
    private let file: String

    /// The plan for columns of these names, before any cell is known.
    init(names: [String], options: ReadOptions, file: String) throws(DatasetError) {
        self.options = options
        self.file = file
        let target = Self.column(options.target, in: names, options: options)
        guard let target else {
            throw .noTarget(file: file, target: options.target, columns: names)
        }
        let weight = try required(options.weight, names)
        let group = try required(options.group, names)
        let ignored = try all(options.ignore, names)
        let categorical = try all(options.categorical, names)
        let numeric = try all(options.numeric, names)
        let special = [target] + [weight, group].compactMap { $0 }
        var used = Set<Int>()
        for index in special + ignored + categorical + numeric {
            guard used.insert(index).inserted else {
                throw .header(file: file, problem: "column '\(names[index])' is declared twice")
            }
        }
        for (index, name) in names.enumerated() {
            let role: CSVColumn.Role =
                index == target
                ? .target : index == weight ? .weight : index == group ? .group : .feature
            var column = column(name, role)
            if ignored.contains(index) { column.mode = .skip }
            if categorical.contains(index) {
                column.mode = .text
                column.declared = .categorical
            }
            if numeric.contains(index) || column.declared != .nothing || column.mode == .skip {
                column.mayChange = false
            }
            columns.append(column)
        }
        guard columns.contains(where: { $0.role == .feature && $0.mode != .skip }) else {
            throw .header(file: file, problem: "there is no feature besides '\(names[target])'")
        }
    }

    /// A column by name or, where columns have no names, by number; -1 is the last.
    static func column(
        _ name: String, in names: [String], options: ReadOptions
    ) -> Int? {
        if let index = names.firstIndex(of: name) { return index }
        guard !options.hasHeader, let number = Int(name) else { return nil }
        let index = number < 0 ? names.count + number : number
        return names.indices.contains(index) ? index : nil
    }

    private func required(_ name: String?, _ names: [String]) throws(DatasetError) -> Int? {
        guard let name else { return nil }
        guard let index = Self.column(name, in: names, options: options) else {
            throw .header(file: file, problem: "there is no column '\(name)'")
        }
        return index
    }

    private func all(_ wanted: Set<String>, _ names: [String]) throws(DatasetError) -> [Int] {
        var indices: [Int] = []
        for name in wanted.sorted() {
            if let index = try required(name, names) { indices.append(index) }
        }
        return indices
    }

    private func column(_ name: String, _ role: CSVColumn.Role) -> CSVColumn {
        var column = CSVColumn(name: name, role: role, mode: .number)
        switch role {
        case .weight: break
        case .group: column.mode = .text
        case .target:
            column.mode = options.task == .regression ? .number : .text
            column.mayChange = options.task == .automatic
        case .feature:
            column.mayChange = true
            if let kind = options.featureKinds[name] {
                column.mode = kind == .numeric ? .number : .text
                column.declared = .known(kind)
            }
        }
        return column
    }

    /// Guesses the modes of the columns that may change from the first records.
    mutating func guess(from bytes: UnsafeBufferPointer<UInt8>, dialect: CSVDialect) {
        var tokenizer = CSVTokenizer(delimiter: dialect.delimiter)
        var hasWord = [Bool](repeating: false, count: columns.count)
        var integers = Set<Int64>()
        var hasFraction = false
        var at = 0
        for _ in 0..<Self.sampleCount {
            guard at < bytes.count, let base = bytes.baseAddress,
                case .record(let next) = tokenizer.next(bytes, from: at, isLast: true)
            else { break }
            at = next
            guard tokenizer.cells.count == columns.count else { continue }
            for (index, cell) in tokenizer.cells.enumerated() where columns[index].mayChange {
                let (text, count) = (base + cell.start, cell.end - cell.start)
                let isWord = Self.isWord(text, count, dialect)
                hasWord[index] = hasWord[index] || isWord
                guard columns[index].role == .target, !isWord else { continue }
                if let integer = CSVTarget.integer(tokenizer.text(cell, in: bytes)) {
                    integers.insert(integer)
                } else {
                    hasFraction = true
                }
            }
        }
        for index in columns.indices where columns[index].mayChange {
            let isClass =
                columns[index].role == .target && !hasFraction
                && integers.count <= CSVTarget.automaticClassCountMax
            columns[index].mode = hasWord[index] || isClass ? .text : .number
            // A column of words that nobody has declared can only be categorical.
            if columns[index].role == .feature, hasWord[index] { columns[index].mayChange = false }
        }
    }

    private static func isWord(
        _ text: UnsafePointer<UInt8>, _ count: Int, _ dialect: CSVDialect
    ) -> Bool {
        guard case .none = DecimalNumber.parse(text, count: count) else { return false }
        return !dialect.isMissing(text, count: count)
    }
}
