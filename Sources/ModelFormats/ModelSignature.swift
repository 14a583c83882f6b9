package import DecisionForests

import Foundation

/// What a model takes and answers, as MLflow writes it: columns with a type and a name.
package struct ModelSignature: Sendable, Hashable {
    /// MLflow's column types.
    package enum ColumnType: String, Sendable, Hashable {
        case boolean, integer, long, float, double, string, binary, datetime

        /// How a feature's values come: any JSON number is a double.
        init(_ kind: FeatureKind) {
            switch kind {
            case .numeric: self = .double
            case .boolean: self = .boolean
            case .categorical: self = .string
            }
        }
    }

    /// One input or output.
    package struct Column: Sendable, Hashable {
        /// Its name, unique among its side's columns.
        package let name: String
        /// MLflow's name for its values.
        package let type: ColumnType
        /// Whether every row must hold a value.
        package let isRequired: Bool

        /// A column as given.
        package init(name: String, type: ColumnType, isRequired: Bool = true) {
            self.name = name
            self.type = type
            self.isRequired = isRequired
        }
    }

    /// In the order the model reads them.
    package let inputs: [Column]
    /// In the order the model answers them.
    package let outputs: [Column]

    /// Refuses two columns with one name on a side: they could not be matched.
    package init(inputs: [Column], outputs: [Column]) throws(ModelSignatureError) {
        try Self.checkNames(of: inputs, side: "inputs")
        try Self.checkNames(of: outputs, side: "outputs")
        self.inputs = inputs
        self.outputs = outputs
    }

    /// A numeric feature is a double (so that any JSON number passes), a categorical one a string;
    /// each is required unless it had missing values in training. Outputs: `label` and `prob_0` …,
    /// or `prediction`.
    package init(of model: TrainedModel) {
        inputs = zip(model.featureNames, model.featureKinds).map { name, kind in
            Column(
                name: name, type: ColumnType(kind),
                isRequired: !model.optionalFeatures.contains(name))
        }
        switch model.task {
        case .regression: outputs = [Column(name: "prediction", type: .float)]
        case .classification(let classes):
            let isText = classes.contains { if case .string = $0 { true } else { false } }
            outputs =
                [Column(name: "label", type: isText ? .string : .long)]
                + classes.indices.map { Column(name: "prob_\($0)", type: .float) }
        }
    }

    /// Reads MLflow's form: two JSON texts, as they stand in `MLmodel`.
    package init(inputsJSON: String, outputsJSON: String?) throws(ModelSignatureError) {
        try self.init(
            inputs: Self.columns(from: inputsJSON, side: "inputs"),
            outputs: outputsJSON.map { text throws(ModelSignatureError) in
                try Self.columns(from: text, side: "outputs")
            } ?? [])
    }

    /// The inputs in MLflow's JSON form, in its spelling and order of keys.
    package var inputsJSON: String { Self.json(of: inputs) }

    /// The outputs in MLflow's JSON form.
    package var outputsJSON: String { Self.json(of: outputs) }

    /// Both sides as one object: what `/model/load` answers.
    package var json: String {
        JSONText.object([("inputs", inputsJSON), ("outputs", outputsJSON)])
    }

    /// For every input the place of its value in a row whose columns are `names`, nil where an
    /// optional column is absent. Further names are ignored, as MLflow does.
    package func positions(in names: [String]) throws(ModelSignatureError) -> [Int?] {
        let places = Dictionary(names.enumerated().map { ($1, $0) }) { first, _ in first }
        guard places.count == names.count else {
            throw .duplicateColumn(Self.firstDuplicate(in: names) ?? "", side: "row")
        }
        let missing = inputs.filter { $0.isRequired && places[$0.name] == nil }.map(\.name)
        guard missing.isEmpty else { throw .missingColumns(missing) }
        return inputs.map { places[$0.name] }
    }

    private static func json(of columns: [Column]) -> String {
        JSONText.array(
            columns.map { column in
                JSONText.object([
                    ("type", JSONText.string(column.type.rawValue)),
                    ("name", JSONText.string(column.name)),
                    ("required", column.isRequired ? "true" : "false"),
                ])
            })
    }

    private static func columns(
        from text: String, side: String
    ) throws(ModelSignatureError) -> [Column] {
        let fields: [ColumnFields]
        do {
            fields = try JSONDecoder().decode([ColumnFields].self, from: Data(text.utf8))
        } catch {
            throw .malformed(side: side, problem: "it is not a JSON list of columns")
        }
        var columns: [Column] = []
        for (index, field) in fields.enumerated() {
            guard field.type != "tensor" else { throw .tensorForm(side: side) }
            guard let name = field.name, !name.isEmpty else {
                throw .malformed(side: side, problem: "column \(index) has no name")
            }
            guard let type = ColumnType(rawValue: field.type) else {
                throw .malformed(
                    side: side, problem: "column '\(name)' has the unknown type '\(field.type)'")
            }
            columns.append(Column(name: name, type: type, isRequired: field.isRequired))
        }
        return columns
    }

    private static func checkNames(
        of columns: [Column], side: String
    ) throws(ModelSignatureError) {
        if let name = firstDuplicate(in: columns.map(\.name)) {
            throw .duplicateColumn(name, side: side)
        }
    }

    private static func firstDuplicate(in names: [String]) -> String? {
        var seen: Set<String> = []
        return names.first { !seen.insert($0).inserted }
    }
}

/// A column as MLflow's JSON spells it. MLflow before 2.5 wrote `optional`, later `required`.
private struct ColumnFields: Decodable {
    let type: String
    let name: String?
    let required: Bool?
    let optional: Bool?

    var isRequired: Bool { required ?? !(optional ?? false) }
}
