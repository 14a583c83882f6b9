import DecisionForests

/// Rows of features as MLflow's clients send them in `text/csv`: a header line with the columns'
/// names, then a line for each row, as pandas writes it.
///
/// Fields may be quoted (RFC 4180). Columns that the model does not know are passed over. Empty
/// fields and pandas' words for nothing are missing values.
struct CSVFeatures {
    typealias Failure = FeatureDecoder.Failure

    private let bytes: UnsafeBufferPointer<UInt8>
    private let schema: FeatureSchema
    private let limits: GatewayConfiguration.Limits
    private var position = 0
    /// The text of the field read last, its quotes taken off.
    private var field: [UInt8] = []
    private var wasQuoted = false

    /// What pandas reads as a missing value, of those that its writers write.
    private static let missing: Set<String> = [
        "", "NaN", "nan", "NA", "N/A", "null", "NULL", "None",
    ]

    static func decode(
        _ body: UnsafeRawBufferPointer, schema: FeatureSchema, limits: GatewayConfiguration.Limits
    ) throws(Failure) -> FeatureMatrix {
        var reader = CSVFeatures(
            bytes: body.assumingMemoryBound(to: UInt8.self), schema: schema, limits: limits)
        let values = try reader.read()
        do {
            return try FeatureMatrix(values: values, featureCount: schema.featureCount)
        } catch {
            throw .unreadable("the CSV gives no whole rows: \(error)")
        }
    }

    private init(
        bytes: UnsafeBufferPointer<UInt8>, schema: FeatureSchema,
        limits: GatewayConfiguration.Limits
    ) {
        self.bytes = bytes
        self.schema = schema
        self.limits = limits
    }

    private mutating func read() throws(Failure) -> [Float] {
        guard JSONScanner(bytes).isUTF8 else { throw .unreadable("the CSV is not UTF-8") }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }  // a byte order mark
        let targets = try readHeader()
        var values: [Float] = []
        values.reserveCapacity(min(bytes.count / 2, 1 << 20))
        var rowCount = 0
        while position < bytes.count {
            if skipEmptyLine() { continue }
            rowCount += 1
            try checkSize(rowCount)
            try readRow(rowCount, targets, into: &values)
        }
        guard rowCount > 0 else { throw .unreadable("the CSV has a header and no rows") }
        return values
    }

    private func checkSize(_ rowCount: Int) throws(Failure) {
        guard rowCount <= limits.rowCount else {
            throw .tooLarge("more than \(limits.rowCount) rows; send them in several requests")
        }
        guard rowCount * max(1, schema.featureCount) <= FeatureDecoder.cellCountMax else {
            throw .tooLarge(
                "more than \(FeatureDecoder.cellCountMax) cells; send them in several requests")
        }
    }

    /// For each column its place in the model's row, -1 for one the model does not know.
    private mutating func readHeader() throws(Failure) -> [Int] {
        var targets: [Int] = []
        var met = [Bool](repeating: false, count: schema.featureCount)
        var isLast = bytes.isEmpty
        while !isLast {
            isLast = try readField(line: 1)
            let name = String(decoding: field, as: UTF8.self)
            let target = schema.position(of: name) ?? -1
            if target >= 0 {
                guard !met[target] else {
                    throw .unreadable("column '\(Echo.cut(name, to: 256))' is there twice")
                }
                met[target] = true
            }
            targets.append(target)
            guard targets.count <= 65_536 else { throw .tooLarge("more than 65536 columns") }
        }
        let missing = schema.names.indices.filter { schema.isRequired[$0] && !met[$0] }
        guard missing.isEmpty else {
            throw .unreadable(
                "the CSV's header lacks columns: "
                    + GatewayError.list(missing.map { schema.names[$0] }))
        }
        return targets
    }

    private mutating func readRow(
        _ row: Int, _ targets: [Int], into values: inout [Float]
    ) throws(Failure) {
        let start = values.count
        values.append(contentsOf: repeatElement(.nan, count: schema.featureCount))
        var column = 0
        var isLast = false
        while !isLast {
            isLast = try readField(line: row + 1)
            guard column < targets.count else {
                throw .unreadable("row \(row) has more than \(targets.count) fields")
            }
            if targets[column] >= 0 {
                values[start + targets[column]] = try cell(targets[column], row)
            }
            column += 1
        }
        guard column == targets.count else {
            throw .unreadable("row \(row) has \(column) fields, the header has \(targets.count)")
        }
    }

    /// Reads one field and what ends it; true where that is the line's end or the text's.
    private mutating func readField(line: Int) throws(Failure) -> Bool {
        field.removeAll(keepingCapacity: true)
        wasQuoted = position < bytes.count && bytes[position] == UInt8(ascii: "\"")
        if wasQuoted { try readQuoted(line: line) }
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: ","): return false
            case 0x0A: return true
            case 0x0D where position == bytes.count || bytes[position] == 0x0A: continue
            default:
                guard !wasQuoted else {
                    throw .unreadable("line \(line): text stands behind a quoted field")
                }
                field.append(byte)
            }
        }
        return true
    }

    private mutating func readQuoted(line: Int) throws(Failure) {
        position += 1
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            guard byte == UInt8(ascii: "\"") else {
                field.append(byte)
                continue
            }
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { return }
            field.append(byte)
            position += 1
        }
        throw .unreadable("line \(line): a quoted field does not end")
    }

    /// pandas passes over lines without anything.
    private mutating func skipEmptyLine() -> Bool {
        if bytes[position] == 0x0A {
            position += 1
            return true
        }
        guard bytes[position] == 0x0D, position + 1 < bytes.count, bytes[position + 1] == 0x0A
        else { return false }
        position += 2
        return true
    }

    /// The number that stands for the field in a column.
    private func cell(_ column: Int, _ row: Int) throws(Failure) -> Float {
        if schema.isNumeric[column], !wasQuoted || !field.isEmpty, let number = number() {
            let value = Float(number)
            guard value.isFinite else { throw misfit(column, row, "must be a finite number") }
            return value
        }
        let text = String(decoding: field, as: UTF8.self)
        if Self.missing.contains(text) {
            guard !schema.isRequired[column] else {
                throw misfit(column, row, "must not be missing")
            }
            return .nan
        }
        do {
            return try schema.encoder.encode(coded(text, column), in: column)
        } catch {
            throw misfit(column, row, "is \(error.found), not \(error.expected)")
        }
    }

    /// A truth's column takes 0 and 1 as well, which are texts here.
    private func coded(_ text: String, _ column: Int) -> RowEncoder.Value {
        guard schema.encoder.kinds[column] == .boolean, let number = number() else {
            return .text(text)
        }
        return .number(number)
    }

    /// The field as a number: what JSON takes, and a plus or a point at its beginning or end.
    private func number() -> Double? {
        field.withUnsafeBufferPointer { text -> Double? in
            var isNumber = false
            for (index, byte) in text.enumerated() {
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"): isNumber = true
                case UInt8(ascii: "."): continue
                case UInt8(ascii: "-"), UInt8(ascii: "+"):
                    let isFirst = index == 0
                    guard isFirst || text[index - 1] | 0x20 == UInt8(ascii: "e") else { return nil }
                case UInt8(ascii: "e"), UInt8(ascii: "E"):
                    guard isNumber else { return nil }
                default: return nil
                }
            }
            guard isNumber, text.count <= 400 else { return nil }
            return Double(String(decoding: text, as: UTF8.self))
        }
    }

    private func misfit(_ column: Int, _ row: Int, _ text: String) -> Failure {
        .unreadable("row \(row): the value of '\(schema.names[column])' \(text)")
    }
}
