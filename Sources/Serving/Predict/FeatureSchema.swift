import DecisionForests
import ModelFormats

/// A model's columns as the decoder needs them: their order, places by name, which may be missing,
/// and what turns names and truths into numbers.
struct FeatureSchema: Sendable {
    let names: [String]
    let isRequired: [Bool]
    /// Whether a column takes numbers as they are.
    let isNumeric: [Bool]
    /// For the other columns.
    let encoder: RowEncoder
    private let positions: [String: Int]

    /// The columns of a signature; `encoder` is its model's, with the same columns.
    init(_ signature: ModelSignature, encoder: RowEncoder) {
        names = signature.inputs.map(\.name)
        isRequired = signature.inputs.map(\.isRequired)
        isNumeric = encoder.kinds.map { $0 == .numeric }
        self.encoder = encoder
        positions = Dictionary(
            zip(names, names.indices).map { ($0, $1) }, uniquingKeysWith: { first, _ in first })
    }

    var featureCount: Int { names.count }

    /// The column of this name, or nil for one the model does not know.
    func position(of name: String) -> Int? { positions[name] }
}
