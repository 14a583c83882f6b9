/// Rows of LibSVM parts; entries that are not there are zero, those beyond the model's features are
/// left out. A line may start with a label.
final class LibSVMRows: RowSource {
    /// Values of the rows that are handed out together.
    private static let valueCountMax = 1 << 22

    private let parts: [DataPart]
    private let limits: ReadOptions.Limits
    private let width: Int
    private let firstIndex: Int
    private var nextPart = 0
    private var feed: LineFeed?
    /// What the feed has given last, and how much of it has been read.
    private var lines = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
    private var at = 0
    private var file = ""
    private var line = 0

    init(
        _ parts: [DataPart], kinds: [FeatureKind], options: RowStream.Options
    ) throws(DatasetError) {
        try RowStream.expectNumbers(kinds, in: "a LibSVM file")
        self.parts = parts
        limits = options.limits
        width = kinds.count
        if let first = options.firstIndex {
            guard first == 0 || first == 1 else {
                throw .shape("the features of a LibSVM file count from 0 or 1")
            }
            firstIndex = first
        } else {
            firstIndex = try Self.hasFeatureZero(parts, limits) ? 0 : 1
        }
    }

    /// Looks through all parts; a pipe cannot be read twice and counts from 1.
    private static func hasFeatureZero(
        _ parts: [DataPart], _ limits: ReadOptions.Limits
    ) throws(DatasetError) -> Bool {
        for part in parts where part.isRepeatable {
            let feed = try LineFeed(part, limits: limits)
            while let lines = try feed.next() {
                guard let base = lines.baseAddress else { continue }
                var at = 0
                while let end = TextSearch.first(CSVByte.lineFeed, in: base, at..<lines.count) {
                    var words = LibSVMWords(bytes: base, at: at, end: end)
                    while let word = words.next() {
                        if word.count > 1, word.start[0] == UInt8(ascii: "0"),
                            word.start[1] == UInt8(ascii: ":")
                        {
                            return true
                        }
                    }
                    at = end + 1
                }
            }
        }
        return false
    }

    func next() throws(DatasetError) -> FeatureMatrix? {
        var values: [Float] = []
        while values.count + width <= max(width, Self.valueCountMax) {
            guard let base = lines.baseAddress, at < lines.count,
                let end = TextSearch.first(CSVByte.lineFeed, in: base, at..<lines.count)
            else {
                guard try refill() else { break }
                continue
            }
            line += 1
            var words = LibSVMWords(bytes: base, at: at, end: end)
            at = end + 1
            try append(&words, to: &values)
        }
        return values.isEmpty ? nil : try FeatureMatrix(values: values, featureCount: width)
    }

    /// The next lines; false after the last part.
    private func refill() throws(DatasetError) -> Bool {
        while true {
            if let feed, let more = try feed.next() {
                (lines, at) = (more, 0)
                return true
            }
            lines = UnsafeBufferPointer(start: nil, count: 0)
            guard nextPart < parts.count else { return false }
            feed = try LineFeed(parts[nextPart], limits: limits)
            (file, line) = (parts[nextPart].name, 0)
            nextPart += 1
        }
    }

    private func append(
        _ words: inout LibSVMWords, to values: inout [Float]
    ) throws(DatasetError) {
        let row = values.count
        var last = -1
        var count = 0
        while let word = words.next() {
            if count == 0 { values.append(contentsOf: repeatElement(0, count: width)) }
            count += 1
            guard let colon = word.firstIndex(of: UInt8(ascii: ":")) else {
                guard count == 1 else { throw fault("feature", word, "index:value") }
                continue
            }
            let key = word.prefix(colon)
            if last < 0, key.text == "qid" { continue }
            guard let index = Int(key.text), index >= firstIndex, index > last else {
                throw fault(
                    "feature", word, "an index from \(max(firstIndex, last + 1)) on")
            }
            last = index
            guard index - firstIndex < width else { continue }
            let entry = word.suffix(from: colon + 1)
            values[row + index - firstIndex] = try number(entry, index)
        }
    }

    private func number(
        _ entry: LibSVMWords.Word, _ index: Int
    ) throws(DatasetError) -> Float {
        if case .finite(let value) = entry.number { return value }
        if entry.text.lowercased() == "nan" { return .nan }
        throw fault("\(index)", entry, "a finite number that fits float32, or nan")
    }

    private func fault(
        _ column: String, _ word: LibSVMWords.Word, _ expected: String
    ) -> DatasetError {
        .cell(
            file: file, line: line, column: column, found: DatasetError.shortened(word.text),
            expected: expected)
    }
}

/// Rows of two-dimensional NPY parts. One whose columns stand one after the other is held whole.
final class NPYRows: RowSource {
    /// Numbers that are read together.
    private static let countMax = 1 << 17

    private let parts: [DataPart]
    private let names: [String]
    private let limits: ReadOptions.Limits
    private var nextPart = 0
    private var array: NPYArray?
    private var rowsLeft = 0
    private var fileWidth = 0
    /// Per feature of the model its column.
    private var places: [Int] = []

    init(
        _ parts: [DataPart], names: [String], kinds: [FeatureKind], options: RowStream.Options
    ) throws(DatasetError) {
        try RowStream.expectNumbers(kinds, in: "an NPY file")
        (self.parts, self.names, limits) = (parts, names, options.limits)
        try open()
    }

    func next() throws(DatasetError) -> FeatureMatrix? {
        while rowsLeft == 0 {
            try array?.expectEnd()
            guard nextPart < parts.count else { return nil }
            try open()
        }
        guard let array else { return nil }
        let isWhole = array.header.isColumnMajor
        let rowCount = isWhole ? rowsLeft : min(rowsLeft, max(1, Self.countMax / fileWidth))
        var numbers: [Float] = []
        let element = array.header.element
        try array.read(rowCount * fileWidth) { bytes, _, count throws(DatasetError) in
            for index in 0..<count { numbers.append(element.float(bytes + index * element.size)) }
        }
        rowsLeft -= rowCount
        let (rowStep, columnStep) = isWhole ? (1, rowCount) : (fileWidth, 1)
        var values: [Float] = []
        values.reserveCapacity(rowCount * places.count)
        for row in 0..<rowCount {
            for place in places { values.append(numbers[row * rowStep + place * columnStep]) }
        }
        return try FeatureMatrix(values: values, featureCount: places.count)
    }

    private func open() throws(DatasetError) {
        let part = parts[nextPart]
        let array = try NPYArray(part, limits: limits)
        nextPart += 1
        let shape = array.header.shape
        guard shape.count == 2, (1...CSVDialect.columnCountMax).contains(shape[1]),
            shape[0] <= limits.rows
        else {
            throw .unreadable(
                file: part.name, reason: "its shape is \(shape); rows and columns are needed")
        }
        (self.array, rowsLeft, fileWidth) = (array, shape[0], shape[1])
        places = try places(in: part)
    }

    private func places(in part: DataPart) throws(DatasetError) -> [Int] {
        var columnOf: [String: Int] = [:]
        for column in 0..<fileWidth { columnOf[ReadOptions.columnName(column)] = column }
        let named = names.compactMap { columnOf[$0] }
        if named.count == names.count { return named }
        guard fileWidth == names.count else {
            throw .header(
                file: part.name,
                problem: "it has \(fileWidth) columns without names, the model needs "
                    + "\(names.count)")
        }
        return Array(0..<fileWidth)
    }
}

extension RowStream {
    /// Files without names have no texts either.
    fileprivate static func expectNumbers(
        _ kinds: [FeatureKind], in file: String
    ) throws(DatasetError) {
        for kind in kinds {
            if case .categorical = kind {
                throw .shape("the columns of \(file) are numbers; the model has categorical ones")
            }
        }
    }
}
