import Foundation
import Yams

/// Reads `MLmodel` as any MLflow release writes it, trusting nothing in it.
///
/// Yams neither executes tags here (only nodes are looked at) nor nests deeper than 1,000 levels,
/// but it expands aliases, and hashing a mapping's keys walks what they expand to. So a text with
/// more than a handful of aliases is refused before Yams sees it.
struct MLmodelReader {
    /// 50,000 columns fit.
    static let sizeMax = 4 << 20
    /// With n aliases a text expands at most e^(n/e) times: 19 times for 8.
    static let aliasesMax = 8

    let flavors: [String]
    let facts: MLmodelFacts
    /// Where the ONNX form is, relative to the directory, if there is one.
    let onnxPath: String?
    /// The SHA-256 of `manta/model.manta`, if the writer noted it.
    let modelDigest: FileDigest?
    let signature: ModelSignature?

    init(text: String) throws(ModelDirectoryError) {
        guard Self.aliasCount(in: text) <= Self.aliasesMax else {
            throw .malformedMLmodel(problem: "it has more than \(Self.aliasesMax) YAML aliases")
        }
        let root = try Self.mapping(of: text)
        flavors = root["flavors"]?.mapping?.keys.compactMap(\.string).sorted() ?? []
        onnxPath = root["flavors"]?["onnx"]?["data"]?.string
        modelDigest = root["metadata"]?[ModelDirectory.digestKey]?.string
            .flatMap(FileDigest.init(hex:))
        facts = Self.facts(in: root)
        signature = try Self.signature(in: root["signature"])
    }

    private static func mapping(of text: String) throws(ModelDirectoryError) -> Node.Mapping {
        let node: Node?
        do {
            node = try Yams.compose(yaml: text)
        } catch {
            let cause = String(String(describing: error).prefix(200))
            throw .malformedMLmodel(problem: "it is not YAML (\(cause))")
        }
        guard let mapping = node?.mapping else {
            throw .malformedMLmodel(problem: "it is not a mapping")
        }
        return mapping
    }

    private static func facts(in root: Node.Mapping) -> MLmodelFacts {
        MLmodelFacts(
            created: root["utc_time_created"]?.string.flatMap(MLmodelFacts.date(from:))
                ?? Date(timeIntervalSince1970: 0),
            runID: root["run_id"]?.string, modelID: root["model_id"]?.string,
            artifactPath: root["artifact_path"]?.string,
            mlflowVersion: root["mlflow_version"]?.string ?? "")
    }

    private static func signature(in node: Node?) throws(ModelDirectoryError) -> ModelSignature? {
        guard let inputs = node?["inputs"]?.scalar?.string else { return nil }
        do {
            return try ModelSignature(
                inputsJSON: inputs, outputsJSON: node?["outputs"]?.scalar?.string)
        } catch {
            throw .signature(error)
        }
    }

    /// Counts what could be an alias: a `*` that starts a token and is followed by a name. A `*`
    /// inside a quoted string may be counted too, which errs on the safe side.
    private static func aliasCount(in text: String) -> Int {
        var count = 0
        var previous = UInt8(ascii: "\n")
        var wasStar = false
        for byte in text.utf8 {
            if wasStar, !Self.isBlank(byte) { count += 1 }
            wasStar = byte == UInt8(ascii: "*") && (isBlank(previous) || isFlowMark(previous))
            previous = byte
        }
        return count
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte <= UInt8(ascii: " ")
    }

    private static func isFlowMark(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "{"), UInt8(ascii: "}"),
            UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "-"), UInt8(ascii: "?"):
            true
        default: false
        }
    }
}
