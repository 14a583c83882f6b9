/// The target column's cells, until it is known whether they are classes or numbers.
struct CSVTargetCells {
    /// More different integers than this are numbers to estimate, not classes.
    static let automaticClassCountMax = 100

    private var texts: [UInt8] = []
    private var ends: [Int] = []
    private var numbers: [Double] = []
    /// Line and row of the first cell that is no number.
    private var firstText: (line: Int, row: Int)?

    /// Cells so far.
    var count: Int { ends.count }

    mutating func append(_ text: some Sequence<UInt8>, _ number: CSVNumber, line: Int) {
        texts.append(contentsOf: text)
        if case .number(let value) = number {
            numbers.append(value)
        } else {
            numbers.append(.nan)
            if firstText == nil { firstText = (line, ends.count) }
        }
        ends.append(texts.count)
    }

    /// The target that the cells are under `task`'s rule.
    func target(
        as task: Dataset.TargetKind, file: String, column: String
    ) throws(DatasetError) -> Dataset.Target {
        switch task {
        case .classification: return try classes()
        case .regression: return try values(file: file, column: column)
        case .automatic:
            if firstText != nil { return try classes() }
            guard numbers.allSatisfy({ Int64(exactly: $0) != nil }),
                Set(numbers).count <= Self.automaticClassCountMax
            else { return try values(file: file, column: column) }
            return try classes()
        }
    }

    private func values(file: String, column: String) throws(DatasetError) -> Dataset.Target {
        if let firstText {
            let found = text(firstText.row)
            throw .cell(
                file: file, line: firstText.line, column: column,
                found: found.count > 40 ? found.prefix(40) + "…" : found,
                expected: "a finite number, because the task is regression")
        }
        return .values(numbers.map { Float($0) })
    }

    /// Integer labels if every cell is one (1.0 too), the cells' text otherwise.
    private func classes() throws(DatasetError) -> Dataset.Target {
        let integers = firstText == nil ? numbers.compactMap { Int64(exactly: $0) } : []
        let areIntegers = integers.count == numbers.count
        let labels =
            areIntegers
            ? integers.map { ClassLabel.integer($0) }
            : numbers.indices.map { ClassLabel.string(text($0)) }
        let target = Dataset.classes(of: labels)
        if case .classes(let classes, _) = target, classes.count > Dataset.classCountMax {
            throw .shape("the target has \(classes.count) classes, at most 65535 work")
        }
        return target
    }

    private func text(_ row: Int) -> String {
        let start = row == 0 ? 0 : ends[row - 1]
        return String(decoding: texts[start..<ends[row]], as: UTF8.self)
    }
}
