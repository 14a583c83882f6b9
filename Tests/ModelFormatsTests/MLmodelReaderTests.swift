import Foundation
import Testing

@testable import ModelFormats

@Suite("MLmodel")
struct MLmodelReaderTests {
    private static let shipped = """
        artifact_path: mlflow-artifacts:/4/models/m-1/artifacts
        flavors:
          onnx:
            code: null
            data: model.onnx
            onnx_version: 1.23.2
          python_function:
            data: model.onnx
            loader_module: mlflow.onnx
        mlflow_version: 3.18.0
        model_id: m-1
        run_id: 0123456789abcdef0123456789abcdef
        signature:
          inputs: '[{"type": "double", "name": "it''s", "required": true}, {"type": "double",
            "name": "b", "required": true}]'
          outputs: '[{"type": "long", "name": "label", "required": true}]'
          params: null
        utc_time_created: '2026-11-21 01:20:59.175687'
        """

    @Test("What MLflow writes is read, folded lines and doubled quotes included")
    func mlflowForm() throws {
        let read = try MLmodelReader(text: Self.shipped)
        #expect(read.flavors == ["onnx", "python_function"])
        #expect(read.onnxPath == "model.onnx")
        #expect(read.signature?.inputs.map(\.name) == ["it's", "b"])
        #expect(read.facts.modelID == "m-1")
        #expect(read.facts.runID == "0123456789abcdef0123456789abcdef")
        #expect(read.facts.artifactPath == "mlflow-artifacts:/4/models/m-1/artifacts")
        #expect(read.facts.mlflowVersion == "3.18.0")
        #expect(read.facts.createdText == "2026-11-21 01:20:59.175687")
        #expect(read.modelDigest == nil)
    }

    @Test("JSON text is YAML")
    func jsonForm() throws {
        let read = try MLmodelReader(text: #"{"flavors": {"xgboost": {"data": "m.ubj"}}}"#)
        #expect(read.flavors == ["xgboost"])
        #expect(read.signature == nil)
    }

    @Test(
        "Times are written as MLflow writes them",
        arguments: [
            (0, "1970-01-01 00:00:00.000000"), (951_827_696.5, "2000-02-29 12:34:56.500000"),
            (1_795_224_059.175687, "2026-11-21 01:20:59.175687"),
            (4_107_542_399, "2100-02-28 23:59:59.000000"), (-1, "1969-12-31 23:59:59.000000"),
        ] as [(Double, String)])
    func times(_ seconds: Double, _ text: String) throws {
        let facts = MLmodelFacts(created: Date(timeIntervalSince1970: seconds))
        #expect(facts.createdText == text)
        let date = try #require(MLmodelFacts.date(from: text))
        #expect(abs(date.timeIntervalSince1970 - seconds) < 1e-5)
    }

    @Test("A time that is none of this world does not trap")
    func strangeTimes() {
        for seconds in [Double.infinity, -.infinity, 1e300, .nan] {
            #expect(
                MLmodelFacts(created: Date(timeIntervalSince1970: seconds)).createdText.count == 26)
        }
        for text in ["", "x", "9999999999999999999-1-1 1:1:1", "2026-13-01 00:00:00", "1:2:3"] {
            #expect(MLmodelFacts.date(from: text) == nil)
        }
    }

    @Test("Hostile texts end in an error, quickly")
    func hostile() throws {
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...30 {
            let alias = "*a\(level - 1)"
            let list = Array(repeating: alias, count: 9).joined(separator: ", ")
            bomb += "a\(level): &a\(level) [\(list)]\n"
        }
        bomb += "? *a30\n: 1\n"
        let deep = 100_000
        let texts = [
            bomb, "", "just text", "- a\n- b", "a: b: c", "a: [", "\"", "&a *a", "a: *nobody",
            "a: 1\na: 2", "\u{0}", "%YAML 9.9\n---\na: 1", "--- a\n--- b",
            "!!python/object:os.system",
            String(repeating: "[", count: deep), String(repeating: "{a: ", count: deep),
            String(repeating: "- ", count: deep), String(repeating: "? ", count: deep),
            "a: " + String(repeating: "[", count: 2_000_000),
        ]
        let start = ContinuousClock.now
        for text in texts {
            #expect(throws: ModelDirectoryError.self, "\(text.prefix(20))") {
                try MLmodelReader(text: text)
            }
        }
        #expect(ContinuousClock.now - start < .seconds(120))
    }

    @Test("As many aliases as are allowed expand a little")
    func allowedAliases() throws {
        let text = """
            a: &a [x, y, z]
            b: &b [*a, *a, *a]
            c: &c [*b, *b, *b]
            ? [*c, *c]
            : 1
            """
        #expect(try MLmodelReader(text: text).flavors.isEmpty)
    }

    @Test("A star in a column's name is no alias")
    func stars() throws {
        var example = ModelExample(name: "")
        example.featureNames = (0..<40).map { "price *x\($0)" }
        let writer = MLmodelWriter(
            facts: MLmodelFacts(created: Date()), signature: ModelSignature(of: example.model),
            modelDigest: .none)
        let read = try MLmodelReader(text: writer.mlmodel)
        #expect(read.signature == ModelSignature(of: example.model))
    }

    @Test("Random damage never traps")
    func fuzz() {
        let original = Array(Self.shipped.utf8)
        let marks = Array("[]{}:,-?&*!|>'\"%@`# \n\t\\xab0\u{0}".utf8)
        var chance = SplitMix(state: 11)
        for _ in 0..<3000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...8, using: &chance) {
                let index = bytes.indices.randomElement(using: &chance) ?? 0
                bytes[index] = marks.randomElement(using: &chance) ?? 0
            }
            _ = try? MLmodelReader(text: String(decoding: bytes, as: UTF8.self))
        }
    }
}
