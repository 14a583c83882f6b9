extension BoosterParameters {
    /// LightGBM's defaults with these changes, named as in LightGBM, XGBoost or scikit-learn:
    /// `["num_leaves": "63", "eta": "0.05", "max_iter": "300"]`.
    ///
    /// Throws for a name that nobody knows, with those it may be meant for; for one parameter by
    /// two names; for a value out of range.
    public init(named values: [String: String]) throws(ParameterError) {
        try self.init()
        var given: [String: String] = [:]
        for name in values.keys.sorted() {
            guard let entry = Self.entry(name) else { throw Self.unknown(name) }
            let meant = entry.name == ParameterName.halfGain ? "min_gain_to_split" : entry.name
            if let other = given[meant] {
                throw ParameterError(
                    name, values[name] ?? "", allowed: "left out: \(other) says the same")
            }
            given[meant] = name
            try entry.write(&self, .init(name: name, text: values[name] ?? ""))
        }
        try check()
    }

    /// The parameters as MLflow shows them, by LightGBM's names: all that decide a model.
    var list: [TrainedModel.Parameter] {
        ParameterName.table
            .filter { ![ParameterName.halfGain, ParameterName.judgesTraining].contains($0.name) }
            .map { .init($0.name, $0.read(self)) }
    }

    /// "num_iterations=100, num_leaves=31, learning_rate=0.1"
    var summary: String {
        "num_iterations=\(roundCount), num_leaves=\(leafCountMax), learning_rate=\(learningRate)"
    }

    /// Whether a parameter goes by this name.
    public static func knows(_ name: String) -> Bool { entry(name) != nil }

    private static func entry(_ name: String) -> ParameterName? {
        ParameterName.table.first { $0.all.contains(name) }
    }

    private static func unknown(_ name: String) -> ParameterError {
        let near = SimilarNames.nearest(to: name, in: ParameterName.table.flatMap(\.all))
        let hint = near.isEmpty ? "" : "\(near.joined(separator: " or ")) perhaps; known are "
        return ParameterError(
            "parameter", "'\(name.prefix(80))'",
            allowed: "a known name: " + hint
                + ParameterName.table.map(\.name).joined(separator: ", "))
    }
}

/// Sent as names and values; decoding checks like `init`.
extension BoosterParameters: Codable {
    /// Decodes and checks.
    public init(from decoder: any Decoder) throws {
        try self.init(named: decoder.singleValueContainer().decode([String: String].self))
    }

    /// Writes every parameter by LightGBM's name.
    public func encode(to encoder: any Encoder) throws {
        var values: [String: String] = [:]
        for parameter in list { values[parameter.name] = parameter.value }
        values[ParameterName.judgesTraining] = judgesTraining ? "true" : "false"
        var container = encoder.singleValueContainer()
        try container.encode(values)
    }
}
