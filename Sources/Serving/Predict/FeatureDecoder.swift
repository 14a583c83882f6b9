import DecisionForests

/// Turns the body of a prediction request into rows of features, or into the list of what is wrong.
///
/// Forms: `features`, `instances`, `inputs`, `data`, `input_data` (rows, records, or columns by
/// name), `dataframe_split`, `dataframe_records`. Named values are put into the signature's order;
/// names the model does not know are ignored. The first pass checks the whole text and finds the
/// form; the second reads its cells. All problems are reported, each at its row and column.
struct FeatureDecoder {
    /// Why a body gives no rows.
    enum Failure: Error {
        /// 422, with FastAPI's list.
        case invalid([UInt8])
        /// 400: not UTF-8, or nested too deep.
        case unreadable(String)
        /// 413: more rows or cells than one request may hold.
        case tooLarge(String)
    }

    /// The keys under which rows come, in the order they are looked for.
    struct Forms: Sendable {
        let names: [String]
        /// Whether a body with two of them is refused.
        var isExclusive = false
        /// Whether the literal `NaN`, which is no JSON, is a missing value as `null` is.
        var takesNaN = false

        static let all = Forms(names: [
            "features", "instances", "inputs", "dataframe_split", "dataframe_records", "data",
            "input_data",
        ])
        static let kserve = Forms(names: ["instances", "inputs"])
        static let mlflow = Forms(
            names: ["dataframe_split", "dataframe_records", "instances", "inputs"],
            isExclusive: true, takesNaN: true)  // MLflow's client writes frames so
    }

    let forms: Forms
    let schema: FeatureSchema
    let limits: GatewayConfiguration.Limits
    /// A list of numbers counts as one row: the habit of `/serve`.
    let takesFlatRow: Bool
    var scanner: JSONScanner
    var problems = ProblemList()
    var values: [Float] = []
    var rowCount = 0
    /// For records: the row in which a column was last met, so that missing ones are noticed.
    var lastRow: [Int] = []

    /// Cells of one request: as many as a body of the largest size could name.
    static let cellCountMax = 10 << 20

    static func decode(
        _ body: UnsafeRawBufferPointer, schema: FeatureSchema, limits: GatewayConfiguration.Limits,
        takesFlatRow: Bool = false, forms: Forms = .all
    ) throws(Failure) -> FeatureMatrix {
        let bytes = body.assumingMemoryBound(to: UInt8.self)
        var decoder = FeatureDecoder(
            forms: forms, schema: schema, limits: limits, takesFlatRow: takesFlatRow,
            scanner: JSONScanner(bytes, depthMax: limits.jsonDepth))
        return try decoder.decode()
    }

    private init(
        forms: Forms, schema: FeatureSchema, limits: GatewayConfiguration.Limits,
        takesFlatRow: Bool, scanner: JSONScanner
    ) {
        self.forms = forms
        self.schema = schema
        self.limits = limits
        self.takesFlatRow = takesFlatRow
        self.scanner = scanner
    }

    private mutating func decode() throws(Failure) -> FeatureMatrix {
        guard scanner.isUTF8 else { throw .unreadable("the body is not UTF-8") }
        let form = try findForm()
        scanner.position = form.value.lowerBound
        try readTable(form.name, value: form.value)
        guard problems.isEmpty else { throw .invalid(problems.finish()) }
        do {
            return try FeatureMatrix(values: values, featureCount: schema.featureCount)
        } catch {
            throw .unreadable("the body gives no whole rows: \(error)")
        }
    }

    /// Checks the whole text and returns the first known form with its value's place.
    private mutating func findForm() throws(Failure) -> (name: String, value: Range<Int>) {
        scanner.skipSpace()
        guard scanner.position < scanner.bytes.count else {
            problems.add("missing", at: ["body"], "Field required", input: .null)
            throw .invalid(problems.finish())
        }
        let start = scanner.position
        let names = forms.names
        var found = [Range<Int>?](repeating: nil, count: names.count)
        let isObject = scanner.kind == .object
        do {
            if isObject {
                let reader = scanner
                try scanner.walkObject(depth: 1) { key, value in
                    guard key.count <= 20 else { return }  // longer than every form's name
                    let name = reader.text(in: key)
                    if let form = names.firstIndex(of: name) { found[form] = value }
                }
            } else {
                _ = try scanner.skipValue()
            }
            let body = start..<scanner.position
            try checkEnd()
            if forms.isExclusive, found.lazy.filter({ $0 != nil }).count != 1 {
                refuseForms(body)
            } else if let form = found.indices.first(where: { found[$0] != nil }),
                let value = found[form]
            {
                return (names[form], value)
            } else {
                refuse(body, isObject: isObject)
            }
        } catch {
            guard !error.isTooDeep else { throw .unreadable("the body is \(error.message)") }
            refuse(error)
        }
        throw .invalid(problems.finish())
    }

    private mutating func checkEnd() throws(JSONScanner.Fault) {
        scanner.skipSpace()
        guard scanner.position == scanner.bytes.count else {
            throw JSONScanner.Fault(offset: scanner.position, message: "Extra data")
        }
    }

    private mutating func refuseForms(_ body: Range<Int>) {
        problems.add(
            "value_error", at: ["body"],
            "The input must be a JSON dictionary with exactly one of the input fields "
                + forms.names.joined(separator: ", "), input: .piece(body, of: scanner))
    }

    private mutating func refuse(_ fault: JSONScanner.Fault) {
        problems.add(
            "json_invalid", at: ["body", .index(scanner.characterOffset(of: fault.offset))],
            "JSON decode error", input: .emptyObject, context: .error(fault.message))
    }

    private mutating func refuse(_ body: Range<Int>, isObject: Bool) {
        if isObject {
            problems.add(
                "missing", at: ["body", .name(forms.names[0])], "Field required",
                input: .piece(body, of: scanner))
        } else {
            problems.add(
                "model_attributes_type", at: ["body"],
                "Input should be a valid dictionary or object to extract fields from",
                input: .piece(body, of: scanner))
        }
    }

    /// Makes room for one more row, within the bounds of a request.
    mutating func beginRow() throws(Failure) {
        rowCount += 1
        try checkSize(rowCount: rowCount)
    }

    func checkSize(rowCount: Int) throws(Failure) {
        guard rowCount <= limits.rowCount else {
            throw .tooLarge("more than \(limits.rowCount) rows; send them in several requests")
        }
        guard rowCount * max(1, schema.featureCount) <= Self.cellCountMax else {
            throw .tooLarge("more than \(Self.cellCountMax) cells; send them in several requests")
        }
    }
}
