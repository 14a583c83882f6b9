/// A request of the Open Inference Protocol as its JSON part says it: which tensors there are and
/// where their elements stand. Nothing of the elements has been read yet.
struct InferRequest {
    /// Why a request cannot be answered, for its client.
    struct Fault: Error, Equatable {
        let text: String
        /// True where it is the size: 413 rather than 400.
        var isTooLarge = false
    }

    /// One input.
    struct Tensor {
        let name: String
        let type: TensorType
        let rowCount: Int
        /// Elements of a row: 1 for a column.
        let width: Int
        /// 1 or 2.
        let rank: Int
        let elements: Elements
    }

    /// Where a tensor's elements stand.
    enum Elements: Equatable {
        /// A list in the JSON part.
        case json(Range<Int>)
        /// Bytes behind the JSON part, counted from the body's beginning.
        case binary(Range<Int>)
    }

    /// What the client wants back.
    struct Wish: Sendable, Equatable {
        /// Echoed; nil where the client gave none.
        var id: String?
        /// The outputs by name, each with its form; nil for all of them.
        var outputs: [Output]?
        /// Whether outputs without a form of their own are binary.
        var isBinary = false

        struct Output: Sendable, Equatable {
            let name: String
            var isBinary: Bool?
        }
    }

    private(set) var tensors: [Tensor] = []
    private(set) var wish = Wish()
    /// Reads the JSON part, which is well-formed once `init` has returned.
    private(set) var scanner: JSONScanner
    private let bodySize: Int
    private var nextBinary: Int
    private let limits: GatewayConfiguration.Limits

    /// Inputs of one request: as many as a model may have columns.
    private static let inputCountMax = 65_536
    /// Bytes of an id that is echoed.
    private static let idSizeMax = 1 << 10

    /// Reads the first `jsonSize` bytes of `body`; the tensors' bytes follow them.
    init(
        _ body: UnsafeRawBufferPointer, jsonSize: Int?, limits: GatewayConfiguration.Limits
    ) throws(Fault) {
        let size = jsonSize ?? body.count
        guard (0...body.count).contains(size) else {
            throw Fault(
                text: "Inference-Header-Content-Length is \(size), the body has \(body.count) bytes"
            )
        }
        let json = UnsafeRawBufferPointer(rebasing: body[..<size])
        scanner = JSONScanner(
            json.assumingMemoryBound(to: UInt8.self), depthMax: limits.jsonDepth)
        bodySize = body.count
        nextBinary = size
        self.limits = limits
        try check()
        try read()
    }

    /// Finds the JSON part well-formed to its end, so that later steps need not look.
    private mutating func check() throws(Fault) {
        guard scanner.isUTF8 else { throw Fault(text: "the request is not UTF-8") }
        scanner.skipSpace()
        guard scanner.kind == .object, scanner.position < scanner.bytes.count else {
            throw Fault(text: "the request must be a JSON object with inputs")
        }
        let start = scanner.position
        do {
            _ = try scanner.skipValue()
        } catch {
            throw Fault(text: "the request is not JSON: \(error.message) at byte \(error.offset)")
        }
        scanner.skipSpace()
        guard scanner.position == scanner.bytes.count else {
            throw Fault(
                text: "the JSON part ends at byte \(scanner.position), not at "
                    + "\(scanner.bytes.count); is Inference-Header-Content-Length right?")
        }
        scanner.position = start
    }

    private mutating func read() throws(Fault) {
        let fields = fields()
        if let id = fields["id"] { wish.id = try text(id, "id", sizeMax: Self.idSizeMax) }
        if let parameters = fields["parameters"] {
            wish.isBinary = try flag("binary_data_output", of: parameters) ?? false
        }
        guard let inputs = fields["inputs"], kind(of: inputs) == .array else {
            throw Fault(text: "inputs must be a list of tensors")
        }
        for place in elements(of: inputs) { try addTensor(place) }
        guard !tensors.isEmpty else { throw Fault(text: "inputs must hold at least one tensor") }
        guard nextBinary == bodySize else {
            throw Fault(
                text: "\(bodySize - nextBinary) bytes behind the last binary tensor belong to none")
        }
        if let outputs = fields["outputs"], kind(of: outputs) != .null { try readOutputs(outputs) }
    }

    private mutating func addTensor(_ place: Range<Int>) throws(Fault) {
        guard tensors.count < Self.inputCountMax else {
            throw Fault(text: "more than \(Self.inputCountMax) inputs", isTooLarge: true)
        }
        guard kind(of: place) == .object else { throw Fault(text: "every input must be an object") }
        scanner.position = place.lowerBound
        let fields = fields()
        guard
            let name = try fields["name"].map({ place throws(Fault) in
                try text(place, "name", sizeMax: 4 << 10)
            })
        else { throw Fault(text: "input \(tensors.count) has no name") }
        let shown = Echo.cut(name, to: 256)
        let typeName = try fields["datatype"].map { place throws(Fault) in
            try text(place, "datatype", sizeMax: 64)
        }
        guard let type = typeName.flatMap(TensorType.init) else {
            throw Fault(text: "input '\(shown)': unknown datatype '\(typeName ?? "")'")
        }
        let shape = try shape(fields["shape"], of: shown)
        let (count, overflow) = shape[0].multipliedReportingOverflow(
            by: shape.count > 1 ? shape[1] : 1)
        guard !overflow, shape[0] <= limits.rowCount, count <= FeatureDecoder.cellCountMax else {
            throw Fault(
                text: "input '\(shown)' is too large: at most \(limits.rowCount) rows and "
                    + "\(FeatureDecoder.cellCountMax) elements", isTooLarge: true)
        }
        tensors.append(
            Tensor(
                name: name, type: type, rowCount: shape[0], width: shape.count > 1 ? shape[1] : 1,
                rank: shape.count, elements: try elements(fields, of: shown, type, count: count)))
    }

    /// One or two dimensions of at least 1.
    private func shape(_ place: Range<Int>?, of name: Substring) throws(Fault) -> [Int] {
        guard let place, kind(of: place) == .array else {
            throw Fault(text: "input '\(name)' has no shape")
        }
        var shape: [Int] = []
        for element in elements(of: place) {
            guard kind(of: element) == .number, shape.count < 2,
                let size = Int(String(decoding: scanner.bytes[element].prefix(20), as: UTF8.self)),
                size > 0
            else {
                throw Fault(text: "input '\(name)': shape must be [rows] or [rows, columns]")
            }
            shape.append(size)
        }
        guard !shape.isEmpty else {
            throw Fault(text: "input '\(name)': shape must be [rows] or [rows, columns]")
        }
        return shape
    }

    private mutating func elements(
        _ fields: [String: Range<Int>], of name: Substring, _ type: TensorType, count: Int
    ) throws(Fault) -> Elements {
        let parameters = fields["parameters"]
        if let parameters, try value("shared_memory_region", of: parameters) != nil {
            throw Fault(text: "input '\(name)': shared memory is not supported")
        }
        let size = try parameters.flatMap { place throws(Fault) in
            try value("binary_data_size", of: place)
        }
        guard let size else {
            guard let data = fields["data"], kind(of: data) == .array else {
                throw Fault(text: "input '\(name)' has no data")
            }
            return .json(data)
        }
        guard fields["data"] == nil else {
            throw Fault(text: "input '\(name)' has data and binary_data_size; give one of them")
        }
        let digits = String(decoding: scanner.bytes[size].prefix(20), as: UTF8.self)
        guard let byteCount = Int(digits), byteCount >= 0, byteCount <= bodySize - nextBinary else {
            throw Fault(
                text: "input '\(name)': binary_data_size \(Echo.cut(digits, to: 20)), but "
                    + "\(bodySize - nextBinary) bytes are left of the body")
        }
        if let width = type.width, byteCount != width * count {
            throw Fault(
                text: "input '\(name)': \(byteCount) bytes, but \(count) elements of "
                    + "\(type.rawValue) have \(width * count)")
        }
        defer { nextBinary += byteCount }
        return .binary(nextBinary..<nextBinary + byteCount)
    }

    private mutating func readOutputs(_ place: Range<Int>) throws(Fault) {
        guard kind(of: place) == .array else { throw Fault(text: "outputs must be a list") }
        var outputs: [Wish.Output] = []
        for element in elements(of: place) {
            guard kind(of: element) == .object, outputs.count < 16 else {
                throw Fault(text: "outputs must be a list of at most 16 objects")
            }
            scanner.position = element.lowerBound
            let fields = fields()
            guard let name = fields["name"] else { throw Fault(text: "an output has no name") }
            var output = Wish.Output(name: try text(name, "name", sizeMax: 256))
            if let parameters = fields["parameters"] {
                output.isBinary = try flag("binary_data", of: parameters)
                for word in ["classification", "shared_memory_region"]
                where try value(word, of: parameters) != nil {
                    throw Fault(text: "output '\(output.name)': \(word) is not supported")
                }
            }
            outputs.append(output)
        }
        if !outputs.isEmpty { wish.outputs = outputs }
    }
}

/// Small readings of the JSON part, which is well-formed.
extension InferRequest {
    /// The values of the object at the scanner's position by key; of equal keys the last counts.
    private mutating func fields() -> [String: Range<Int>] {
        var fields: [String: Range<Int>] = [:]
        let reader = scanner
        // Well-formed text cannot fail here.
        try? scanner.walkObject(depth: 1) { key, value in
            guard key.count <= 64, fields.count < 64 else { return }  // none of ours is as long
            fields[reader.text(in: key)] = value
        }
        return fields
    }

    func kind(of place: Range<Int>) -> JSONScanner.Kind {
        var reader = scanner
        reader.position = place.lowerBound
        return reader.kind
    }

    /// The places of a list's elements.
    private func elements(of place: Range<Int>) -> some Sequence<Range<Int>> {
        var reader = scanner
        reader.position = place.lowerBound
        var isFirst = true
        return AnyIterator {
            guard reader.nextElement(isFirst: isFirst) else { return nil }
            isFirst = false
            return reader.passValue()
        }
    }

    private func text(
        _ place: Range<Int>, _ what: String, sizeMax: Int
    ) throws(Fault) -> String {
        guard kind(of: place) == .string, place.count <= sizeMax else {
            throw Fault(text: "\(what) must be a string of at most \(sizeMax) bytes")
        }
        return scanner.text(in: place)
    }

    private func value(_ key: String, of object: Range<Int>) throws(Fault) -> Range<Int>? {
        guard kind(of: object) != .null else { return nil }
        guard kind(of: object) == .object else { throw Fault(text: "parameters must be an object") }
        var copy = self
        copy.scanner.position = object.lowerBound
        return copy.fields()[key].flatMap { kind(of: $0) == .null ? nil : $0 }
    }

    private func flag(_ key: String, of object: Range<Int>) throws(Fault) -> Bool? {
        guard let place = try value(key, of: object) else { return nil }
        guard kind(of: place) == .boolean else { throw Fault(text: "\(key) must be true or false") }
        return scanner.byte(at: place.lowerBound) == UInt8(ascii: "t")
    }
}
