import DecisionForests
import Testing

@testable import ModelFormats

@Suite("A model's signature")
struct ModelSignatureTests {
    @Test("It comes back from MLflow's JSON as it was written", arguments: ModelExample.all)
    func roundTrip(_ example: ModelExample) throws {
        let signature = ModelSignature(of: example.model)
        let read = try ModelSignature(
            inputsJSON: signature.inputsJSON, outputsJSON: signature.outputsJSON)
        #expect(read == signature)
    }

    @Test("It is spelled as MLflow spells it")
    func spelling() {
        let example = ModelExample(
            name: "", featureNames: ["a", "b \"c\""], optional: ["a"],
            classes: [.string("x"), .string("y")])
        let signature = ModelSignature(of: example.model)
        #expect(
            signature.inputsJSON
                == #"[{"type": "double", "name": "a", "required": false}, "#
                + #"{"type": "double", "name": "b \"c\"", "required": true}]"#)
        #expect(
            signature.outputsJSON
                == #"[{"type": "string", "name": "label", "required": true}, "#
                + #"{"type": "float", "name": "prob_0", "required": true}, "#
                + #"{"type": "float", "name": "prob_1", "required": true}]"#)
    }

    @Test("Integer labels are long, and a number has one output")
    func outputTypes() {
        let classifier = ModelSignature(of: ModelExample(name: "").model)
        #expect(classifier.outputs[0] == .init(name: "label", type: .long))
        let regressor = ModelSignature(of: ModelExample(name: "", classes: nil).model)
        #expect(regressor.outputs == [.init(name: "prediction", type: .float)])
    }

    @Test("Names are matched in any order, further ones ignored, optional ones may be absent")
    func positions() throws {
        let signature = try ModelSignature(
            inputs: [
                .init(name: "a", type: .double), .init(name: "b", type: .double, isRequired: false),
                .init(name: "c", type: .double),
            ], outputs: [])
        #expect(try signature.positions(in: ["c", "x", "b", "a"]) == [3, 2, 0])
        #expect(try signature.positions(in: ["c", "a"]) == [1, nil, 0])
        #expect(throws: ModelSignatureError.missingColumns(["a", "c"])) {
            try signature.positions(in: ["b"])
        }
        #expect(throws: ModelSignatureError.duplicateColumn("a", side: "row")) {
            try signature.positions(in: ["a", "c", "a"])
        }
    }

    @Test("Columns written before and after MLflow renamed `optional` are read")
    func olderForms() throws {
        let signature = try ModelSignature(
            inputsJSON: #"[{"name": "a", "type": "long"}, "#
                + #"{"name": "b", "type": "float", "optional": true}]"#, outputsJSON: nil)
        #expect(signature.inputs.map(\.isRequired) == [true, false])
        #expect(signature.outputs.isEmpty)
    }

    @Test("What is no list of named columns is refused")
    func refusals() {
        let tensor = #"[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 4]}}]"#
        #expect(throws: ModelSignatureError.tensorForm(side: "inputs")) {
            try ModelSignature(inputsJSON: tensor, outputsJSON: nil)
        }
        let twice = #"[{"type": "double", "name": "a"}, {"type": "double", "name": "a"}]"#
        #expect(throws: ModelSignatureError.duplicateColumn("a", side: "inputs")) {
            try ModelSignature(inputsJSON: twice, outputsJSON: nil)
        }
        let others = [
            "", "{}", "[1]", #"[{"type": "double"}]"#, #"[{"name": "a"}]"#, "[{",
            #"[{"type": "complex", "name": "a"}]"#, #"[{"type": "double", "name": ""}]"#,
            String(repeating: "[", count: 100_000), "\u{0}",
        ]
        for text in others {
            #expect(throws: ModelSignatureError.self) {
                try ModelSignature(inputsJSON: text, outputsJSON: nil)
            }
        }
    }
}
