import DecisionForests

/// Turns the tensors of a request into rows of features: one matrix with a column for each feature,
/// or columns by name. Every element is checked against its column and its type.
struct TensorReader {
    typealias Fault = InferRequest.Fault

    private let schema: FeatureSchema
    private let body: UnsafeRawBufferPointer
    private var scanner: JSONScanner
    private let rowCount: Int
    private var values: [Float]

    static func rows(
        of request: InferRequest, in body: UnsafeRawBufferPointer, schema: FeatureSchema,
        limits: GatewayConfiguration.Limits
    ) throws(Fault) -> FeatureMatrix {
        let rowCount = request.tensors[0].rowCount
        guard rowCount <= FeatureDecoder.cellCountMax / max(1, schema.featureCount) else {
            throw Fault(
                text: "more than \(FeatureDecoder.cellCountMax) cells; send them in several "
                    + "requests", isTooLarge: true)
        }
        var reader = TensorReader(request, in: body, schema: schema, rowCount: rowCount)
        try reader.read(request)
        do {
            return try FeatureMatrix(values: reader.values, featureCount: schema.featureCount)
        } catch {
            throw Fault(text: "the tensors give no whole rows: \(error)")
        }
    }

    private init(
        _ request: InferRequest, in body: UnsafeRawBufferPointer, schema: FeatureSchema,
        rowCount: Int
    ) {
        self.schema = schema
        self.body = body
        self.rowCount = rowCount
        scanner = request.scanner
        values = Array(repeating: .nan, count: rowCount * schema.featureCount)
    }

    private mutating func read(_ request: InferRequest) throws(Fault) {
        if request.tensors.count == 1, let matrix = request.tensors.first, matrix.rank == 2,
            matrix.width == schema.featureCount,
            matrix.width > 1 || schema.position(of: matrix.name) == nil
        {
            return try read(matrix, column: nil)
        }
        var met = [Bool](repeating: false, count: schema.featureCount)
        for tensor in request.tensors {
            let column = try column(of: tensor)
            guard !met[column] else { throw fault(tensor, "is there twice") }
            guard tensor.rowCount == rowCount else {
                throw fault(
                    tensor, "has \(tensor.rowCount) rows, the first input has \(rowCount)")
            }
            met[column] = true
            try read(tensor, column: column)
        }
        let missing = schema.names.indices.filter { schema.isRequired[$0] && !met[$0] }
        guard missing.isEmpty else {
            throw Fault(
                text: "missing inputs: " + GatewayError.list(missing.map { schema.names[$0] }))
        }
    }

    /// The place in a row of a tensor that is one column.
    private func column(of tensor: InferRequest.Tensor) throws(Fault) -> Int {
        guard let column = schema.position(of: tensor.name) else {
            let nearest = SimilarNames.nearest(to: tensor.name, in: schema.names)
            let hint = nearest.isEmpty ? "" : "; nearest: \(GatewayError.list(nearest))"
            throw fault(
                tensor,
                "is no column of the model, nor a matrix of its \(schema.featureCount) "
                    + "columns\(hint)")
        }
        guard tensor.width == 1 else {
            throw fault(tensor, "is a column: its shape must be [rows] or [rows, 1]")
        }
        return column
    }

    private func fault(_ tensor: InferRequest.Tensor, _ text: String) -> Fault {
        Fault(text: "input '\(Echo.cut(tensor.name, to: 256))' \(text)")
    }

    /// Reads all elements; `column` nil means a matrix of all columns.
    private mutating func read(
        _ tensor: InferRequest.Tensor, column: Int?
    ) throws(Fault) {
        switch tensor.elements {
        case .json(let place): try readJSON(tensor, place, column)
        case .binary(let place) where tensor.type == .bytes:
            try readTexts(tensor, place, column)
        case .binary(let place): try readNumbers(tensor, place, column)
        }
    }

    /// Puts element `index` of a tensor at its place in the rows.
    @inline(__always)
    private mutating func put(
        _ value: RowEncoder.Value, _ index: Int, _ tensor: InferRequest.Tensor, _ column: Int?
    ) throws(Fault) {
        let target = column ?? index % tensor.width
        let place = column.map { index * schema.featureCount + $0 } ?? index
        if case .number(let number) = value, schema.isNumeric[target] {
            let cell = Float(number)
            if cell.isFinite {
                values[place] = cell
                return
            }
            guard number.isNaN, !schema.isRequired[target] else {
                throw misfit(index, tensor, target, "must be a finite number")
            }
            return
        }
        try putCoded(value, at: place, index, tensor, target)
    }

    private mutating func putCoded(
        _ value: RowEncoder.Value, at place: Int, _ index: Int, _ tensor: InferRequest.Tensor,
        _ target: Int
    ) throws(Fault) {
        var value = value
        if case .boolean(let flag) = value, schema.isNumeric[target] {
            value = .number(flag ? 1 : 0)
        }
        if case .missing = value, schema.isRequired[target] {
            throw misfit(index, tensor, target, "must not be missing")
        }
        do {
            values[place] = try schema.encoder.encode(value, in: target)
        } catch {
            throw misfit(index, tensor, target, "is \(error.found), not \(error.expected)")
        }
    }

    private func misfit(
        _ index: Int, _ tensor: InferRequest.Tensor, _ target: Int, _ text: String
    ) -> Fault {
        fault(
            tensor,
            "row \(index / tensor.width): the value of '\(schema.names[target])' \(text)")
    }

    private mutating func readNumbers(
        _ tensor: InferRequest.Tensor, _ place: Range<Int>, _ column: Int?
    ) throws(Fault) {
        let width = tensor.type.width ?? 1
        for index in 0..<place.count / width {
            let number = tensor.type.number(at: place.lowerBound + index * width, in: body)
            let value: RowEncoder.Value =
                tensor.type == .bool ? .boolean(number != 0) : .number(number)
            try put(value, index, tensor, column)
        }
    }

    /// Texts with four bytes of length before each.
    private mutating func readTexts(
        _ tensor: InferRequest.Tensor, _ place: Range<Int>, _ column: Int?
    ) throws(Fault) {
        var position = place.lowerBound
        for index in 0..<tensor.rowCount * tensor.width {
            guard place.upperBound - position >= 4 else { throw fault(tensor, "ends early") }
            let size = Int(
                UInt32(littleEndian: body.loadUnaligned(fromByteOffset: position, as: UInt32.self)))
            position += 4
            guard size <= place.upperBound - position else { throw fault(tensor, "ends early") }
            let bytes = body[position..<position + size]
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw fault(tensor, "element \(index) is not UTF-8")
            }
            try put(.text(text), index, tensor, column)
            position += size
        }
        guard position == place.upperBound else {
            throw fault(tensor, "has more bytes than its shape says")
        }
    }
}

/// Elements that stand in the JSON part: one flat list, or a list of rows.
extension TensorReader {
    private mutating func readJSON(
        _ tensor: InferRequest.Tensor, _ place: Range<Int>, _ column: Int?
    ) throws(Fault) {
        scanner.position = place.lowerBound
        var walker = scanner
        let isNested = walker.nextElement(isFirst: true) && walker.kind == .array
        guard isNested else {
            let count = try readList(tensor, column, from: 0)
            return try check(count, of: tensor.rowCount * tensor.width, tensor)
        }
        guard tensor.rank == 2 else { throw fault(tensor, "holds lists, its shape has one number") }
        var row = 0
        while scanner.nextElement(isFirst: row == 0) {
            guard scanner.kind == .array else { throw fault(tensor, "row \(row) is no list") }
            guard row < tensor.rowCount else { break }
            let count = try readList(tensor, column, from: row * tensor.width)
            try check(count, of: tensor.width, tensor)
            row += 1
        }
        guard row == tensor.rowCount, scanner.position == place.upperBound else {
            throw fault(tensor, "does not have the \(tensor.rowCount) rows that its shape says")
        }
    }

    private func check(
        _ count: Int, of expected: Int, _ tensor: InferRequest.Tensor
    ) throws(Fault) {
        guard count == expected else {
            throw fault(tensor, "has \(count) elements where its shape says \(expected)")
        }
    }

    /// Reads the list at the position and returns how many elements it has; those beyond the
    /// tensor's shape are only counted.
    private mutating func readList(
        _ tensor: InferRequest.Tensor, _ column: Int?, from start: Int
    ) throws(Fault) -> Int {
        let end = tensor.rowCount * tensor.width
        var count = 0
        while scanner.nextElement(isFirst: count == 0) {
            let kind = scanner.kind
            let piece = scanner.passValue()
            if start + count < end {
                let value = try value(piece, kind, start + count, tensor)
                try put(value, start + count, tensor, column)
            }
            count += 1
        }
        return count
    }

    /// One element as its type has it; `null` is a missing value.
    @inline(__always)
    private func value(
        _ piece: Range<Int>, _ kind: JSONScanner.Kind, _ index: Int, _ tensor: InferRequest.Tensor
    ) throws(Fault) -> RowEncoder.Value {
        switch (kind, tensor.type) {
        case (.null, _): return .missing
        case (.number, .fp32), (.number, .fp64), (.number, .fp16), (.number, .bf16):
            // NaN is no JSON: a missing value is null.
            let number = scanner.number(in: piece)
            if number.isFinite { return .number(number) }
        case (.boolean, .bool):
            return .boolean(scanner.byte(at: piece.lowerBound) == UInt8(ascii: "t"))
        case (.number, .bool):
            let number = scanner.number(in: piece)
            if number == 0 || number == 1 { return .boolean(number == 1) }
        case (.string, .bytes): return .text(scanner.text(in: piece))
        case (.number, _):
            let number = scanner.number(in: piece)
            if let range = tensor.type.range, range.contains(number), number.rounded() == number {
                return .number(number)
            }
        default: break
        }
        throw fault(tensor, "element \(index) is no \(tensor.type.rawValue)")
    }
}
