import DecisionForests

/// The graph's one input and what makes a float matrix of it: a column per feature, levels as
/// codes, missing values as NaN.
///
/// MLflow's wrapper feeds `DataFrame.values` to a graph with one input. Over columns of one type
/// that is a matrix of that type; over numbers, booleans and texts together it is a matrix of
/// objects, which ONNX Runtime turns into texts (1.5 into "1.5", missing values into "nan" or
/// "None"). So a model with columns of several kinds takes texts and reads its numbers from them;
/// Python prints a float such that reading gives the same float.
struct ONNXInput {
    private let kinds: [FeatureKind]
    private let name: String

    /// Texts by which pandas and Python show a missing value, other than "nan".
    private static let missingTexts = ["None", "<NA>", "NaT", ""]
    private static let trueTexts = ["True", "true", "TRUE", "1", "1.0", "yes"]
    private static let falseTexts = ["False", "false", "FALSE", "0", "0.0", "no"]

    init(of model: TrainedModel, named name: String) {
        kinds = model.featureKinds
        self.name = name
    }

    /// Declares the input; the name of the float matrix.
    func add(to graph: inout ONNXGraph) -> String {
        let shape: [ONNXGraph.Dimension] = [.named("N"), .fixed(kinds.count)]
        if kinds.allSatisfy({ $0 == .numeric }) {
            graph.addInput(name, .float, shape)
            return name
        }
        if kinds.allSatisfy({ $0 == .boolean }) {
            graph.addInput(name, .boolean, shape)
            return graph.addCast(name, to: .float, as: "features_float")
        }
        graph.addInput(name, .string, shape)
        return addTexts(to: &graph)
    }

    /// Numbers, then booleans, then each categorical column; at the end back into their order.
    private func addTexts(to graph: inout ONNXGraph) -> String {
        let numeric = kinds.indices.filter { kinds[$0] == .numeric }
        let boolean = kinds.indices.filter { kinds[$0] == .boolean }
        let categorical = kinds.indices.filter { kinds[$0].levels != nil }
        var blocks: [String] = []
        if !numeric.isEmpty { blocks.append(addNumbers(numeric, to: &graph)) }
        if !boolean.isEmpty {
            let texts = Self.addColumns(boolean, of: name, as: "boolean_texts", to: &graph)
            let codes =
                [Float](repeating: 1, count: Self.trueTexts.count)
                + [Float](repeating: 0, count: Self.falseTexts.count)
            blocks.append(
                Self.addEncoder(
                    texts, Self.trueTexts + Self.falseTexts, codes, otherwise: .nan,
                    as: "boolean_columns", to: &graph))
        }
        for feature in categorical {
            let levels = kinds[feature].levels ?? []
            let texts = Self.addColumns([feature], of: name, as: "texts_\(feature)", to: &graph)
            blocks.append(
                Self.addEncoder(
                    texts, levels, levels.indices.map(Float.init), otherwise: .nan,
                    as: "codes_\(feature)", to: &graph))
        }
        let joined = graph.add(
            "Concat", blocks, as: "columns_by_kind", attributes: [("axis", .integer(1))])
        let order = numeric + boolean + categorical
        let places = order.indices.sorted { order[$0] < order[$1] }
        return Self.addColumns(places, of: joined, as: "features_float", to: &graph)
    }

    private func addNumbers(_ columns: [Int], to graph: inout ONNXGraph) -> String {
        let texts = Self.addColumns(columns, of: name, as: "number_texts", to: &graph)
        let ones = [Float](repeating: 1, count: Self.missingTexts.count)
        let flags = Self.addEncoder(
            texts, Self.missingTexts, ones, otherwise: 0, as: "number_gaps", to: &graph)
        let isMissing = graph.addCast(flags, to: .boolean, as: "number_is_missing")
        graph.addConstant("nan_text", dimensions: [], .string("nan"))
        let readable = graph.add(
            "Where", [isMissing, "nan_text", texts], as: "readable_number_texts")
        // Over double, as everywhere: the one rounding to float32 is that of a number column.
        let numbers = graph.addCast(readable, to: .double, as: "numbers_double")
        return graph.addCast(numbers, to: .float, as: "number_columns")
    }

    private static func addColumns(
        _ columns: [Int], of matrix: String, as output: String, to graph: inout ONNXGraph
    ) -> String {
        graph.addConstant(
            output + "_places", dimensions: [columns.count], .integers(columns.map(Int64.init)))
        return graph.add(
            "Gather", [matrix, output + "_places"], as: output, attributes: [("axis", .integer(1))])
    }

    private static func addEncoder(
        _ texts: String, _ keys: [String], _ values: [Float], otherwise: Float, as output: String,
        to graph: inout ONNXGraph
    ) -> String {
        // The runtime wants at least one key.
        let (keys, values) = keys.isEmpty ? ([""], [otherwise]) : (keys, values)
        return graph.add(
            "LabelEncoder", [texts], as: output, domain: ONNXGraph.treeDomain,
            attributes: [
                ("default_float", .float(otherwise)), ("keys_strings", .strings(keys)),
                ("values_floats", .floats(values)),
            ])
    }
}
