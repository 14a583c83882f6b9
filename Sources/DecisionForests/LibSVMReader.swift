/// Reads files of `label index:value …`, one row a line; entries that are not there are zero.
///
/// The form of LIBSVM and SVMlight: indices ascend, `# …` ends a line, `qid:N` behind the label
/// names the row's group. Indices count from 1 unless a file's smallest is 0.
struct LibSVMReader {
    private let parts: [DataPart]
    private let options: ReadOptions
    private var columns: [[Float]] = []
    private var target = NumberTarget()
    private var groups: [Int32] = []
    private var file = ""
    private var line = 0

    init(_ parts: [DataPart], options: ReadOptions) throws(DatasetError) {
        self.parts = parts
        self.options = options
        let named = options.ignore.union(options.categorical).union(options.numeric)
        guard options.weight == nil, named.isEmpty, options.featureKinds.isEmpty else {
            throw .shape("a LibSVM file has no named columns to declare or to ignore")
        }
        guard [nil, 0, 1].contains(options.firstIndex) else {
            throw .shape("the features of a LibSVM file count from 0 or 1")
        }
        guard [nil, "qid"].contains(options.group) else {
            throw .shape("the groups of a LibSVM file are called 'qid'")
        }
    }

    /// The data set of all lines.
    func dataset() throws(DatasetError) -> Dataset {
        var reader = self
        for part in parts { try reader.read(part) }
        return try reader.assemble()
    }

    private mutating func read(_ part: DataPart) throws(DatasetError) {
        file = part.name
        line = 0
        let feed = try LineFeed(part, limits: options.limits)
        while let lines = try feed.next() {
            var at = 0
            while at < lines.count, let base = lines.baseAddress,
                let end = TextSearch.first(CSVByte.lineFeed, in: base, at..<lines.count)
            {
                line += 1
                var words = LibSVMWords(bytes: base, at: at, end: end)
                try readRow(&words)
                at = end + 1
            }
        }
    }

    private mutating func readRow(_ words: inout LibSVMWords) throws(DatasetError) {
        guard let label = words.next() else { return }
        let row = target.count
        guard row < options.limits.rows else {
            throw fault("more than \(options.limits.rows) rows")
        }
        guard case .finite(let value) = label.number else {
            throw cell("label", label, expected: "a finite number")
        }
        target.append(value, integer: CSVTarget.integer(label.text))
        var last = -1
        var group: Int32?
        while let word = words.next() {
            guard let colon = word.firstIndex(of: UInt8(ascii: ":")) else {
                throw cell("feature", word, expected: "index:value")
            }
            let (key, entry) = (word.prefix(colon), word.suffix(from: colon + 1))
            if last < 0, group == nil, key.text == "qid" {
                group = Int32(entry.text)
                guard group != nil else { throw cell("qid", entry, expected: "a whole number") }
                continue
            }
            guard let index = Int(key.text), index >= 0 else {
                throw cell("feature", word, expected: "an index that is not negative")
            }
            guard index > last else {
                throw cell("feature", word, expected: "an index above \(last), the one before it")
            }
            last = index
            try append(try number(entry, index: index), index: index, row: row)
        }
        try takeGroup(group)
    }

    private func number(_ entry: LibSVMWords.Word, index: Int) throws(DatasetError) -> Float {
        if case .finite(let value) = entry.number { return value }
        if entry.text.lowercased() == "nan" { return .nan }
        throw cell("\(index)", entry, expected: "a finite number that fits float32, or nan")
    }

    private mutating func append(_ value: Float, index: Int, row: Int) throws(DatasetError) {
        guard index <= CSVDialect.columnCountMax else {
            throw fault("index \(index), at most \(CSVDialect.columnCountMax) works")
        }
        while columns.count <= index { columns.append([]) }
        guard columns.count <= options.limits.cells / (row + 1) else {
            throw fault("more than \(options.limits.cells) cells, most of them zeros")
        }
        let gap = row - columns[index].count
        if gap > 0 { columns[index].append(contentsOf: repeatElement(0, count: gap)) }
        columns[index].append(value)
    }

    private mutating func takeGroup(_ group: Int32?) throws(DatasetError) {
        guard options.group != nil else { return }
        guard let group else { throw fault("no qid, which is to name the row's group") }
        groups.append(group)
    }

    private mutating func assemble() throws(DatasetError) -> Dataset {
        let rowCount = target.count
        guard rowCount > 0 else {
            throw .line(file: parts[0].name, line: 1, problem: "there are no rows")
        }
        let first = options.firstIndex ?? (columns.first?.isEmpty == false ? 0 : 1)
        guard columns.prefix(first).allSatisfy(\.isEmpty) else {
            throw .shape("there is a feature 0, but features count from \(first)")
        }
        columns.removeFirst(min(first, columns.count))
        let width = options.featureCount ?? columns.count
        guard width >= columns.count, width <= options.limits.cells / rowCount else {
            throw .shape(
                "there are \(columns.count) features, \(width) were announced, in \(rowCount) rows")
        }
        while columns.count < width { columns.append([]) }
        for index in columns.indices {
            let gap = rowCount - columns[index].count
            columns[index].append(contentsOf: repeatElement(0, count: gap))
        }
        return try Dataset(
            columns: columns, featureNames: Dataset.standardNames(width),
            target: target.target(task: options.task), targetName: options.target,
            groups: options.group == nil ? nil : groups)
    }

    private func fault(_ problem: String) -> DatasetError {
        .line(file: file, line: line, problem: problem)
    }

    private func cell(_ column: String, _ word: LibSVMWords.Word, expected: String) -> DatasetError
    {
        .cell(
            file: file, line: line, column: column, found: DatasetError.shortened(word.text),
            expected: expected)
    }
}

/// The words of one line of a LibSVM file, up to a comment.
struct LibSVMWords {
    let bytes: UnsafePointer<UInt8>
    var at: Int
    let end: Int

    struct Word {
        let start: UnsafePointer<UInt8>
        let count: Int

        var text: String {
            String(
                decoding: UnsafeBufferPointer(start: start, count: min(count, 400)), as: UTF8.self)
        }

        var number: DecimalNumber { DecimalNumber.parse(start, count: count) }

        func firstIndex(of byte: UInt8) -> Int? {
            TextSearch.first(byte, in: start, 0..<count)
        }

        func prefix(_ length: Int) -> Word { Word(start: start, count: length) }

        func suffix(from index: Int) -> Word { Word(start: start + index, count: count - index) }
    }

    mutating func next() -> Word? {
        while at < end, isSpace(bytes[at]) { at += 1 }
        guard at < end, bytes[at] != UInt8(ascii: "#") else { return nil }
        let start = at
        while at < end, !isSpace(bytes[at]), bytes[at] != UInt8(ascii: "#") { at += 1 }
        return Word(start: bytes + start, count: at - start)
    }

    private func isSpace(_ byte: UInt8) -> Bool {
        CSVByte.isBlank(byte) || byte == CSVByte.carriageReturn
    }
}
