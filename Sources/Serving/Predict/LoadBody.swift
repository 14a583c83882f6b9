import DecisionForests

/// Reads the body of `POST /model/load` (and of `/serve`'s actions): a selector, strictly.
///
/// Unknown keys are refused, because a mistyped `verison` would load the wrong model.
enum LoadBody {
    /// Bytes of a selector; five short strings need far less.
    static let bytesMax = 64 << 10

    private static let keys = ["name", "version", "alias", "run_id", "uri"]

    /// The selector, or the 422 list; an empty body selects nothing.
    static func decode(
        _ body: UnsafeRawBufferPointer, depthMax: Int
    ) -> Result<ModelSelector, FeatureDecoder.Failure> {
        var scanner = JSONScanner(
            body.assumingMemoryBound(to: UInt8.self), depthMax: depthMax)
        guard scanner.isUTF8 else { return .failure(.unreadable("the body is not UTF-8")) }
        scanner.skipSpace()
        if scanner.position == scanner.bytes.count { return .success(ModelSelector()) }
        var problems = ProblemList()
        do {
            let fields = try fields(&scanner, &problems)
            let selector = read(fields, scanner, &problems)
            return problems.isEmpty ? .success(selector) : .failure(.invalid(problems.finish()))
        } catch {
            if error.isTooDeep { return .failure(.unreadable("the body is \(error.message)")) }
            problems.add(
                "json_invalid", at: ["body", .index(scanner.characterOffset(of: error.offset))],
                "JSON decode error", input: .emptyObject, context: .error(error.message))
            return .failure(.invalid(problems.finish()))
        }
    }

    private static func fields(
        _ scanner: inout JSONScanner, _ problems: inout ProblemList
    ) throws(JSONScanner.Fault) -> [(key: Range<Int>, value: Range<Int>)] {
        var fields: [(key: Range<Int>, value: Range<Int>)] = []
        let start = scanner.position
        let kind = scanner.kind
        if kind == .object {
            try scanner.walkObject(depth: 1) { fields.append(($0, $1)) }
        } else {
            _ = try scanner.skipValue()
        }
        let end = scanner.position
        scanner.skipSpace()
        guard scanner.position == scanner.bytes.count else {
            throw JSONScanner.Fault(offset: scanner.position, message: "Extra data")
        }
        if kind != .object && kind != .null {
            problems.add(
                "model_attributes_type", at: ["body"],
                "Input should be a valid dictionary or object to extract fields from",
                input: .piece(start..<end, of: scanner))
        }
        return fields
    }

    private static func read(
        _ fields: [(key: Range<Int>, value: Range<Int>)], _ scanner: JSONScanner,
        _ problems: inout ProblemList
    ) -> ModelSelector {
        var selector = ModelSelector()
        for (key, value) in fields {
            let name = scanner.text(in: key)
            guard keys.contains(name) else {
                let nearest = SimilarNames.nearest(to: name, in: keys).first
                let hint = nearest.map { "; did you mean '\($0)'?" } ?? ""
                problems.add(
                    "extra_forbidden", at: ["body", .name(name)],
                    "Extra inputs are not permitted" + hint, input: .piece(value, of: scanner))
                continue
            }
            let text = text(of: name, value, scanner, &problems)
            switch name {
            case "name": selector.name = text
            case "version": selector.version = text
            case "alias": selector.alias = text
            case "run_id": selector.runID = text
            default: selector.uri = text
            }
        }
        return selector
    }

    /// A field's text; a version may be an integer too, and null means not given.
    private static func text(
        of name: String, _ value: Range<Int>, _ scanner: JSONScanner, _ problems: inout ProblemList
    ) -> String? {
        var reader = scanner
        reader.position = value.lowerBound
        switch reader.kind {
        case .null: return nil
        case .string: return scanner.text(in: value)
        case .number where name == "version":
            let digits = String(decoding: scanner.bytes[value].prefix(32), as: UTF8.self)
            if Int64(digits) != nil { return digits }
            problems.add(
                "int_type", at: ["body", .name(name)], "Input should be a valid integer",
                input: .piece(value, of: scanner))
        default:
            problems.add(
                "string_type", at: ["body", .name(name)], "Input should be a valid string",
                input: .piece(value, of: scanner))
        }
        return nil
    }
}
