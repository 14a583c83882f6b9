/// Turns CSV bytes, piece by piece, into columns of float32 and the target's cells.
///
/// The target's cells are kept as text until all are known: only then can it be told whether they
/// are classes or numbers.
struct CSVReader {
    private let file: String
    private let targetName: String
    private var tokenizer = CSVTokenizer()
    private var line = 1
    /// Set by the header line.
    private var names: [String] = []
    private var targetColumn = 0
    /// Feature columns in order, without the target.
    private var columns: [[Float]] = []
    private var targetCells = CSVTargetCells()
    /// The row being read, so that a faulty line leaves no half row behind.
    private var row: [Float] = []

    init(file: String, target: String) {
        self.file = file
        targetName = target
    }

    /// Reads whole records and returns how many bytes they took. The rest is given again with more.
    mutating func consume(
        _ bytes: UnsafeBufferPointer<UInt8>, isLast: Bool
    ) throws(DatasetError) -> Int {
        var at = 0
        if line == 1 && names.isEmpty && bytes.starts(with: [0xEF, 0xBB, 0xBF]) { at = 3 }
        while at < bytes.count {
            // A blank line is no row.
            if bytes[at] == UInt8(ascii: "\n") {
                at += 1
                line += 1
                continue
            }
            switch tokenizer.next(bytes, from: at, isLast: isLast) {
            case .incomplete:
                guard bytes.count - at < CSVTokenizer.lineLengthMax else {
                    throw fault("the line is longer than \(CSVTokenizer.lineLengthMax) bytes")
                }
                return at
            case .failed(let problem):
                throw fault(problem)
            case .record(let next):
                guard next - at <= CSVTokenizer.lineLengthMax else {
                    throw fault("the line is longer than \(CSVTokenizer.lineLengthMax) bytes")
                }
                if !isBlankLine(bytes) { try take(bytes) }
                line += 1 + tokenizer.innerLineEnds
                at = next
            }
        }
        return at
    }

    /// The data set of everything read.
    func dataset(task: Dataset.TargetKind) throws(DatasetError) -> Dataset {
        guard !names.isEmpty else { throw .header(file: file, problem: "there is no header line") }
        guard targetCells.count > 0 else {
            throw .line(file: file, line: 2, problem: "there are no rows")
        }
        var featureNames = names
        featureNames.remove(at: targetColumn)
        let target = try targetCells.target(as: task, file: file, column: targetName)
        return try Dataset(
            columns: columns, featureNames: featureNames, target: target, targetName: targetName)
    }

    private func isBlankLine(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard tokenizer.cells.count == 1, let cell = tokenizer.cells.first else { return false }
        return !cell.isQuoted && cell.start == cell.end
    }

    private mutating func take(_ bytes: UnsafeBufferPointer<UInt8>) throws(DatasetError) {
        if names.isEmpty {
            try takeHeader(bytes)
        } else {
            try takeRow(bytes)
        }
    }

    private mutating func takeHeader(_ bytes: UnsafeBufferPointer<UInt8>) throws(DatasetError) {
        names = tokenizer.cells.map { tokenizer.text($0, in: bytes) }
        if let unnamed = names.firstIndex(of: "") {
            throw .header(
                file: file, problem: "column \(unnamed + 1) has no name; each column needs one")
        }
        var seen = Set<String>()
        if let twice = names.first(where: { !seen.insert($0).inserted }) {
            throw .header(file: file, problem: "the column name '\(twice)' occurs twice")
        }
        guard let index = names.firstIndex(of: targetName) else {
            throw .noTarget(file: file, target: targetName, columns: names)
        }
        guard names.count > 1 else {
            throw .header(file: file, problem: "there is no column besides '\(targetName)'")
        }
        targetColumn = index
        columns = Array(repeating: [], count: names.count - 1)
        row = Array(repeating: 0, count: names.count - 1)
    }

    private mutating func takeRow(_ bytes: UnsafeBufferPointer<UInt8>) throws(DatasetError) {
        guard tokenizer.cells.count == names.count else {
            throw fault("\(tokenizer.cells.count) cells where the header has \(names.count)")
        }
        guard targetCells.count < Dataset.rowCountMax, let base = bytes.baseAddress else {
            throw fault("more than \(Dataset.rowCountMax) rows")
        }
        var feature = 0
        for (index, cell) in tokenizer.cells.enumerated() where index != targetColumn {
            row[feature] = try value(of: cell, column: index, base: base, in: bytes)
            feature += 1
        }
        let cell = tokenizer.cells[targetColumn]
        let number = CSVNumber(base + cell.start, count: cell.end - cell.start)
        if case .missing = number {
            throw fault(cell, column: targetColumn, in: bytes, expected: "a target value")
        }
        if cell.hasEscapes {
            targetCells.append(Array(tokenizer.text(cell, in: bytes).utf8), number, line: line)
        } else {
            targetCells.append(bytes[cell.start..<cell.end], number, line: line)
        }
        for feature in row.indices { columns[feature].append(row[feature]) }
    }

    private func value(
        of cell: CSVTokenizer.Cell, column: Int, base: UnsafePointer<UInt8>,
        in bytes: UnsafeBufferPointer<UInt8>
    ) throws(DatasetError) -> Float {
        switch CSVNumber(base + cell.start, count: cell.end - cell.start, isFeature: true) {
        case .missing:
            return .nan
        case .number(let number):
            let value = Float(number)
            guard value.isFinite else {
                throw fault(
                    cell, column: column, in: bytes, expected: "a number that fits float32")
            }
            return value
        case .other:
            throw fault(
                cell, column: column, in: bytes,
                expected: "a finite number, or nothing, NA, NaN or null for a missing value")
        }
    }

    private func fault(_ problem: String) -> DatasetError {
        .line(file: file, line: line, problem: problem)
    }

    private func fault(
        _ cell: CSVTokenizer.Cell, column: Int, in bytes: UnsafeBufferPointer<UInt8>,
        expected: String
    ) -> DatasetError {
        let found = tokenizer.text(cell, in: bytes)
        return .cell(
            file: file, line: line, column: names[column],
            found: found.count > 40 ? found.prefix(40) + "…" : found, expected: expected)
    }
}
