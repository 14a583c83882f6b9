import DecisionForests

/// The shapes a table of features comes in. Every function is called with the position on its
/// value, which is well-formed, and leaves it after the value.
extension FeatureDecoder {
    mutating func readTable(_ form: String, value: Range<Int>) throws(Failure) {
        let location: [LocationPart] = ["body", .name(form)]
        switch scanner.kind {
        case .array where form != "dataframe_split":
            try readRows(at: location, value: value)
        case .object where form == "dataframe_split":
            try readSplit(at: location, value: value)
        case .object where form != "dataframe_records":
            try readObject(at: location, value: value)
        default:
            if form == "dataframe_split" {
                problems.add(
                    "model_attributes_type", at: location,
                    "Input should be a valid dictionary or object to extract fields from",
                    input: .piece(value, of: scanner))
            } else {
                addListType(at: location, value)
            }
        }
    }

    mutating func addListType(at location: @autoclosure () -> [LocationPart], _ value: Range<Int>) {
        problems.add(
            "list_type", at: location(), "Input should be a valid list",
            input: .piece(value, of: scanner))
    }

    /// `[[…], …]` or `[{…}, …]`.
    private mutating func readRows(at location: [LocationPart], value: Range<Int>) throws(Failure) {
        var isFirst = true
        values.reserveCapacity(min(value.count / 4, 1 << 20))
        if takesFlatRow, isFlat {
            try beginRow()
            return readRow(nil, at: location)
        }
        while scanner.nextElement(isFirst: isFirst) {
            isFirst = false
            let row = rowCount
            try beginRow()
            switch scanner.kind {
            case .array: readRow(row, at: location)
            case .object: try readRecord(at: location + [.index(row)], row: row)
            default:
                let element = scanner.passValue()
                addListType(at: location + [.index(row)], element)
            }
        }
        if rowCount == 0 { addEmpty(at: location, value) }
    }

    /// True for a list that begins with a value rather than with a row.
    private var isFlat: Bool {
        var walker = scanner
        guard walker.nextElement(isFirst: true) else { return false }
        return walker.kind != .array && walker.kind != .object
    }

    private mutating func addEmpty(at location: [LocationPart], _ value: Range<Int>) {
        problems.add(
            "too_short", at: location,
            "List should have at least 1 item after validation, not 0",
            input: .piece(value, of: scanner), context: .length(bound: "min_length", 1, actual: 0))
    }

    /// A row by position: exactly as many cells as the model has columns.
    private mutating func readRow(_ row: Int?, at table: [LocationPart]) {
        let start = scanner.position
        let firstValue = values.count
        var column = 0
        let width = schema.featureCount
        func location() -> [LocationPart] { row.map { table + [.index($0)] } ?? table }
        while scanner.nextElement(isFirst: column == 0) {
            if column < width {
                let cell = readCell(column, at: location() + [.index(column)])
                values.append(cell)
            } else {
                _ = scanner.passValue()
            }
            column += 1
        }
        guard column != width else { return }
        values.removeLast(values.count - firstValue)
        addWidth(column, expected: width, at: location(), start..<scanner.position)
    }

    mutating func addWidth(
        _ actual: Int, expected: Int, at location: @autoclosure () -> [LocationPart],
        _ piece: Range<Int>
    ) {
        let items = "\(expected) item\(expected == 1 ? "" : "s")"
        if actual < expected {
            problems.add(
                "too_short", at: location(),
                "List should have at least \(items) after validation, not \(actual)",
                input: .piece(piece, of: scanner),
                context: .length(bound: "min_length", expected, actual: actual))
        } else {
            problems.add(
                "too_long", at: location(),
                "List should have at most \(items) after validation, not \(actual)",
                input: .piece(piece, of: scanner),
                context: .length(bound: "max_length", expected, actual: actual))
        }
    }

    /// One value of a column; NaN where it is missing or wrong.
    @inline(__always)
    mutating func readCell(
        _ column: Int, at location: @autoclosure () -> [LocationPart]
    ) -> Float {
        let kind = scanner.kind
        let piece = scanner.passValue()
        guard schema.isNumeric[column] else {
            return readCoded(column, kind, piece, at: location())
        }
        switch kind {
        case .number:
            let value = Float(scanner.number(in: piece))
            if value.isFinite { return value }
            if forms.takesNaN, value.isNaN, !schema.isRequired[column] { break }
            problems.add(
                "finite_number", at: location(), "Input should be a finite number",
                input: .piece(piece, of: scanner))
        case .null where !schema.isRequired[column]: break
        default:
            problems.add(
                "float_type", at: location(), "Input should be a valid number",
                input: .piece(piece, of: scanner))
        }
        return .nan
    }

    /// A truth, or a name: one that the model does not know counts as missing.
    private mutating func readCoded(
        _ column: Int, _ kind: JSONScanner.Kind, _ piece: Range<Int>,
        at location: @autoclosure () -> [LocationPart]
    ) -> Float {
        let value: RowEncoder.Value?
        switch kind {
        case .string: value = .text(scanner.text(in: piece))
        case .number: value = .number(scanner.number(in: piece))
        case .boolean: value = .boolean(scanner.byte(at: piece.lowerBound) == UInt8(ascii: "t"))
        case .null: value = schema.isRequired[column] ? nil : .missing
        case .array, .object: value = nil
        }
        if let value, let code = try? schema.encoder.encode(value, in: column) { return code }
        if schema.encoder.kinds[column] == .boolean {
            problems.add(
                "bool_type", at: location(), "Input should be a valid boolean",
                input: .piece(piece, of: scanner))
        } else {
            problems.add(
                "string_type", at: location(), "Input should be a valid string",
                input: .piece(piece, of: scanner))
        }
        return .nan
    }

    /// `{"name": value, …}`: one row, in any order of names.
    mutating func readRecord(at location: [LocationPart], row: Int) throws(Failure) {
        let start = scanner.position
        let firstValue = values.count
        values.append(contentsOf: repeatElement(.nan, count: schema.featureCount))
        if lastRow.isEmpty { lastRow = Array(repeating: -1, count: schema.featureCount) }
        for (key, value) in try fields() {
            let name = scanner.text(in: key)
            guard let column = schema.position(of: name) else { continue }
            scanner.position = value.lowerBound
            lastRow[column] = row
            values[firstValue + column] = readCell(column, at: location + [.name(name)])
        }
        let end = scanner.position(after: start)
        scanner.position = end
        for column in 0..<schema.featureCount
        where schema.isRequired[column] && lastRow[column] != row {
            addMissing(column, at: location, start..<end)
        }
    }

    mutating func addMissing(
        _ column: Int, at location: @autoclosure () -> [LocationPart], _ piece: Range<Int>
    ) {
        problems.add(
            "missing", at: location() + [.name(schema.names[column])], "Field required",
            input: .piece(piece, of: scanner))
    }

    /// The places of the keys and values of the object at the position.
    mutating func fields() throws(Failure) -> [(key: Range<Int>, value: Range<Int>)] {
        var fields: [(key: Range<Int>, value: Range<Int>)] = []
        do {
            try scanner.walkObject(depth: 1) { key, value in
                if fields.count <= Self.fieldCountMax { fields.append((key, value)) }
            }
        } catch {
            throw .unreadable("the body is not JSON: \(error.message)")
        }
        guard fields.count <= Self.fieldCountMax else {
            throw .tooLarge("more than \(Self.fieldCountMax) names in one object")
        }
        return fields
    }

    /// Names of one object; a model has at most so many columns.
    private static let fieldCountMax = 65_536
}

extension JSONScanner {
    /// Where the well-formed value at `start` ends.
    func position(after start: Int) -> Int {
        var walker = self
        walker.position = start
        return walker.passValue().upperBound
    }
}
