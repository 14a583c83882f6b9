import ModelFormats

/// A model's columns as the decoder needs them: their order, places by name, and which may be
/// missing.
struct FeatureSchema: Sendable {
    let names: [String]
    let isRequired: [Bool]
    private let positions: [String: Int]

    init(_ signature: ModelSignature) {
        names = signature.inputs.map(\.name)
        isRequired = signature.inputs.map(\.isRequired)
        positions = Dictionary(
            zip(names, names.indices).map { ($0, $1) }, uniquingKeysWith: { first, _ in first })
    }

    var featureCount: Int { names.count }

    /// The column of this name, or nil for one the model does not know.
    func position(of name: String) -> Int? { positions[name] }
}
