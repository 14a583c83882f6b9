/// Tables whose columns are named apart from their cells: `dataframe_split` and columns by name.
extension FeatureDecoder {
    /// `{"columns": ["a", …], "data": [[…], …]}`; an `index` is ignored.
    mutating func readSplit(at location: [LocationPart], value: Range<Int>) throws(Failure) {
        var columns: Range<Int>?
        var data: Range<Int>?
        for field in try fields() {
            switch scanner.text(in: field.key) {
            case "columns": columns = field.value
            case "data": data = field.value
            default: continue
            }
        }
        guard let data else {
            problems.add(
                "missing", at: location + ["data"], "Field required",
                input: .piece(value, of: scanner))
            return
        }
        guard let columns else {
            problems.add(
                "missing", at: location + ["columns"], "Field required",
                input: .piece(value, of: scanner))
            return
        }
        guard let targets = readColumnNames(at: location + ["columns"], columns) else { return }
        scanner.position = data.lowerBound
        guard scanner.kind == .array else {
            addListType(at: location + ["data"], data)
            return
        }
        try readSplitRows(at: location + ["data"], targets: targets, value: data)
    }

    /// For each named column its place in the model's row, -1 for one the model does not know.
    private mutating func readColumnNames(
        at location: [LocationPart], _ value: Range<Int>
    ) -> [Int]? {
        scanner.position = value.lowerBound
        guard scanner.kind == .array else {
            addListType(at: location, value)
            return nil
        }
        var targets: [Int] = []
        var met = [Bool](repeating: false, count: schema.featureCount)
        var numbered = true
        while scanner.nextElement(isFirst: targets.isEmpty) {
            let kind = scanner.kind
            let piece = scanner.passValue()
            let name = kind == .string ? scanner.text(in: piece) : plainText(piece)
            numbered = numbered && kind == .number && name == String(targets.count)
            let target = schema.position(of: name) ?? -1
            if target >= 0, met[target] {
                problems.add(
                    "value_error", at: location + [.index(targets.count)],
                    "Value error, column is named twice", input: .piece(piece, of: scanner))
            }
            if target >= 0 { met[target] = true }
            targets.append(target)
        }
        // pandas numbers the columns of a plain array 0, 1, 2, …: then they stand for positions.
        if numbered, !met.contains(true), targets.count == schema.featureCount {
            return Array(0..<targets.count)
        }
        for column in 0..<schema.featureCount where schema.isRequired[column] && !met[column] {
            addMissing(column, at: location, value)
        }
        return problems.isEmpty ? targets : nil
    }

    private func plainText(_ piece: Range<Int>) -> String {
        String(decoding: scanner.bytes[piece].prefix(64), as: UTF8.self)
    }

    private mutating func readSplitRows(
        at location: [LocationPart], targets: [Int], value: Range<Int>
    ) throws(Failure) {
        var isFirst = true
        while scanner.nextElement(isFirst: isFirst) {
            isFirst = false
            let row = rowCount
            try beginRow()
            guard scanner.kind == .array else {
                let element = scanner.passValue()
                addListType(at: location + [.index(row)], element)
                continue
            }
            readSplitRow(row, at: location, targets: targets)
        }
        if rowCount == 0 {
            problems.add(
                "too_short", at: location,
                "List should have at least 1 item after validation, not 0",
                input: .piece(value, of: scanner),
                context: .length(bound: "min_length", 1, actual: 0))
        }
    }

    private mutating func readSplitRow(_ row: Int, at location: [LocationPart], targets: [Int]) {
        let start = scanner.position
        let firstValue = values.count
        values.append(contentsOf: repeatElement(.nan, count: schema.featureCount))
        var column = 0
        while scanner.nextElement(isFirst: column == 0) {
            let target = column < targets.count ? targets[column] : -1
            if target >= 0 {
                values[firstValue + target] = readCell(
                    target, at: location + [.index(row), .index(column)])
            } else {
                _ = scanner.passValue()
            }
            column += 1
        }
        guard column != targets.count else { return }
        addWidth(
            column, expected: targets.count, at: location + [.index(row)],
            start..<scanner.position)
    }

    /// `{"a": [1, 2], "b": [3, 4]}` (columns), `{"a": 1, "b": 3}` (one row), or a split table.
    mutating func readObject(at location: [LocationPart], value: Range<Int>) throws(Failure) {
        let fields = try fields()
        let names = Set(fields.map { scanner.text(in: $0.key) })
        if names.contains("columns"), names.contains("data"),
            schema.position(of: "columns") == nil || schema.position(of: "data") == nil
        {
            scanner.position = value.lowerBound
            return try readSplit(at: location, value: value)
        }
        let isColumns = fields.contains { scanner.byte(at: $0.value.lowerBound) == 0x5B }
        guard isColumns else {
            scanner.position = value.lowerBound
            try beginRow()
            return try readRecord(at: location, row: 0)
        }
        try readColumns(at: location, fields: fields, value: value)
    }

    private mutating func readColumns(
        at location: [LocationPart], fields: [(key: Range<Int>, value: Range<Int>)],
        value: Range<Int>
    ) throws(Failure) {
        var columns: [(column: Int, values: [Float])] = []
        for (key, place) in fields {
            let name = scanner.text(in: key)
            guard let column = schema.position(of: name) else { continue }
            scanner.position = place.lowerBound
            guard scanner.kind == .array else {
                addListType(at: location + [.name(name)], place)
                continue
            }
            let cells = try readColumn(column, at: location + [.name(name)])
            let expected = columns.first?.values.count ?? cells.count
            if cells.count != expected {
                addWidth(cells.count, expected: expected, at: location + [.name(name)], place)
            }
            columns.removeAll { $0.column == column }  // of two equal names the last one counts
            columns.append((column, cells))
        }
        let met = Set(columns.map(\.column))
        for column in 0..<schema.featureCount where schema.isRequired[column] {
            if !met.contains(column) { addMissing(column, at: location, value) }
        }
        rowCount = columns.first?.values.count ?? 0
        try checkSize(rowCount: rowCount)
        if rowCount == 0, problems.isEmpty {
            problems.add(
                "too_short", at: location,
                "List should have at least 1 item after validation, not 0",
                input: .piece(value, of: scanner),
                context: .length(bound: "min_length", 1, actual: 0))
        }
        guard problems.isEmpty else { return }
        let width = schema.featureCount
        values = Array(repeating: .nan, count: rowCount * width)
        for (column, cells) in columns {
            for (row, cell) in cells.enumerated() { values[row * width + column] = cell }
        }
    }

    private mutating func readColumn(
        _ column: Int, at location: [LocationPart]
    ) throws(Failure) -> [Float] {
        var cells: [Float] = []
        while scanner.nextElement(isFirst: cells.isEmpty) {
            cells.append(
                readCell(column, at: location + [.index(cells.count)]))
            try checkSize(rowCount: cells.count)
        }
        return cells
    }
}
