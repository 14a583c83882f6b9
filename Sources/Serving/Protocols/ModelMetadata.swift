import Foundation

/// A model's inputs and outputs in the Open Inference Protocol's terms, made of the signature in
/// MLflow's form that its endpoint gave when it was installed.
struct ModelMetadata {
    /// One tensor; `rowWidth` elements for each row.
    struct Tensor: Equatable {
        let name: String
        let type: TensorType
        let rowWidth: Int
    }

    /// The name that a Triton client knows our kind of models under.
    static let platform = "manta_forest"

    /// One for each column. A matrix of all columns is taken in their place.
    let inputs: [Tensor]
    let outputs: [Tensor]

    /// Nil where the text is no signature.
    init?(signatureJSON: String) {
        guard
            let signature = try? JSONDecoder().decode(
                Signature.self, from: Data(signatureJSON.utf8))
        else { return nil }
        inputs = signature.inputs.enumerated().map { index, column in
            Tensor(
                name: column.name ?? String(index), type: Self.type(of: column.type), rowWidth: 1)
        }
        let answers = signature.outputs.filter { !($0.name ?? "").hasPrefix("prob_") }
        let classCount = signature.outputs.count - answers.count
        let label = answers.first.map { Self.type(of: $0.type) } ?? .fp32
        outputs =
            [Tensor(name: "predict", type: label, rowWidth: 1)]
            + (classCount > 0
                ? [Tensor(name: "predict_proba", type: .fp32, rowWidth: classCount)] : [])
    }

    private struct Signature: Decodable {
        let inputs: [Column]
        let outputs: [Column]
    }

    private struct Column: Decodable {
        let name: String?
        let type: String
    }

    private static func type(of name: String) -> TensorType {
        switch name {
        case "boolean": .bool
        case "integer": .int32
        case "long": .int64
        case "float": .fp32
        case "double": .fp64
        default: .bytes
        }
    }

    /// `GET /v2/models/{model}`.
    func write(_ listing: ModelShelf.Listing, to writer: inout JSONWriter) {
        writer.openObject()
        writer.field("name", listing.version.name)
        writer.key("versions")
        writer.openArray()
        writer.string(listing.version.version)
        writer.closeArray()
        writer.field("platform", Self.platform)
        for (key, tensors) in [("inputs", inputs), ("outputs", outputs)] {
            writer.key(key)
            writer.openArray()
            for tensor in tensors {
                writer.openObject()
                writer.field("name", tensor.name)
                writer.field("datatype", tensor.type.rawValue)
                writer.key("shape")
                writer.openArray()
                writer.integer(-1)
                writer.integer(tensor.rowWidth)
                writer.closeArray()
                writer.closeObject()
            }
            writer.closeArray()
        }
        writer.closeObject()
    }

    /// `GET /v2/models/{model}/config`: what of Triton's configuration has a meaning here.
    func writeConfiguration(_ listing: ModelShelf.Listing, to writer: inout JSONWriter) {
        writer.openObject()
        writer.field("name", listing.version.name)
        writer.field("platform", Self.platform)
        writer.field("backend", "manta")
        writer.key("max_batch_size")
        writer.integer(0)  // Triton's word for "dims hold the rows too"
        for (key, tensors) in [("input", inputs), ("output", outputs)] {
            writer.key(key)
            writer.openArray()
            for tensor in tensors {
                writer.openObject()
                writer.field("name", tensor.name)
                writer.field("data_type", tensor.type.configurationName)
                writer.key("dims")
                writer.openArray()
                writer.integer(-1)
                writer.integer(tensor.rowWidth)
                writer.closeArray()
                writer.closeObject()
            }
            writer.closeArray()
        }
        writer.closeObject()
    }
}
