import DecisionForests
import Foundation
import Testing

@testable import ModelFormats

/// Every example written as a directory, predicted with by Python once for all tests.
private let predictions = Task { () throws -> [String: PredictedCase] in
    let folder = try TemporaryFolder()
    var cases: [String: PredictedCase] = [:]
    for (index, example) in ModelExample.all.enumerated() {
        cases[example.name] = try PredictedCase(example, in: "\(folder.path)/case-\(index)")
    }
    try await PythonProgram.run(
        "predict_cases.py", cases.values.map(\.path).sorted(), log: folder.path + "/log")
    for name in cases.keys { try cases[name]?.readOutputs() }
    return cases
}

/// One written model, the rows given to Python and what it answered.
private struct PredictedCase {
    static let rowCount = 10_000
    let path: String
    let rows: [[Float]]
    /// What the model means for each row.
    let expected: [[Double]]
    var outputs: [[Float]] = []
    var labels: [ClassLabel] = []
    var pyfuncColumns: [String] = []

    init(_ example: ModelExample, in path: String) throws {
        self.path = path
        rows = example.rows(Self.rowCount)
        let reference = ReferencePrediction(model: example.model)
        expected = rows.map { reference.outputs(of: $0) }
        _ = try ModelDirectory.write(
            example.model, to: path + "/model", facts: MLmodelFacts(created: Date()),
            inputExample: Array(rows.prefix(2)))
        try JSONEncoder().encode(example.featureNames).write(
            to: URL(fileURLWithPath: path + "/columns.json"))
        let kinds: [Any] = example.featureKinds.map { kind in
            switch kind {
            case .numeric: NSNull()
            case .boolean: "boolean"
            case .categorical(let levels): levels
            }
        }
        try JSONSerialization.data(withJSONObject: kinds).write(
            to: URL(fileURLWithPath: path + "/kinds.json"))
        let values = rows.flatMap { $0 }
        try values.withUnsafeBytes { Data($0) }.write(to: URL(fileURLWithPath: path + "/rows.f32"))
    }

    mutating func readOutputs() throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: path + "/outputs.f32"))
        let values = [Float](unsafeUninitializedCapacity: data.count / 4) { buffer, count in
            count = data.copyBytes(to: buffer) / 4
        }
        let width = values.count / rows.count
        outputs = rows.indices.map { Array(values[($0 * width)..<(($0 + 1) * width)]) }
        if let data = FileManager.default.contents(atPath: path + "/labels.json") {
            if let integers = try? JSONDecoder().decode([Int64].self, from: data) {
                labels = integers.map(ClassLabel.integer)
            } else {
                labels = try JSONDecoder().decode([String].self, from: data).map(ClassLabel.string)
            }
        }
        let answer = try Data(contentsOf: URL(fileURLWithPath: path + "/pyfunc.json"))
        let columns = try JSONSerialization.jsonObject(with: answer) as? [String: Any]
        pyfuncColumns = columns.map { $0.keys.sorted() } ?? []
    }
}

@Suite("A written directory predicts in Python as the model means")
struct ONNXPredictionTests {
    @Test("ONNX Runtime answers within 1e-6 on 10,000 hard rows", arguments: ModelExample.all)
    func outputsAgree(_ example: ModelExample) async throws {
        let predicted = try #require(try await predictions.value[example.name])
        var largest = 0.0
        for (expected, outputs) in zip(predicted.expected, predicted.outputs) {
            for (expected, actual) in zip(expected, outputs) {
                largest = max(largest, abs(expected - Double(actual)) / max(1, abs(expected)))
            }
        }
        #expect(predicted.outputs.count == PredictedCase.rowCount)
        #expect(largest <= 1e-6, "largest difference \(largest)")
    }

    @Test("ONNX Runtime and our own predictor agree", arguments: ModelExample.all)
    func predictorAgrees(_ example: ModelExample) async throws {
        let predicted = try #require(try await predictions.value[example.name])
        let ours = try example.model.predict(FeatureMatrix(rows: predicted.rows))
        var differing: [Int] = []
        for (row, outputs) in predicted.outputs.enumerated() {
            let scores = Array(ours.scores(ofRow: row))
            let bound = 1e-6 * max(1, scores.map(abs).max() ?? 1)
            if !zip(scores, outputs).allSatisfy({ abs($0 - $1) <= bound }) { differing.append(row) }
            guard !predicted.labels.isEmpty, predicted.labels[row] != ours.label(ofRow: row)
            else { continue }
            let ordered = scores.sorted(by: >)
            #expect(ordered[0] - ordered[1] < 1e-6, "another label in row \(row)")
        }
        #expect(differing.isEmpty)
    }

    @Test("Labels are the most likely class", arguments: ModelExample.all)
    func labelsAgree(_ example: ModelExample) async throws {
        let predicted = try #require(try await predictions.value[example.name])
        guard let classes = example.classes else {
            #expect(predicted.labels.isEmpty)
            return
        }
        #expect(predicted.labels.count == PredictedCase.rowCount)
        for (shares, label) in zip(predicted.expected, predicted.labels) {
            let index = try #require(classes.firstIndex(of: label))
            #expect(shares[index] >= (shares.max() ?? 0) - 1e-6)
        }
    }

    @Test("mlflow.pyfunc answers the signature's columns", arguments: ModelExample.all)
    func pyfuncColumns(_ example: ModelExample) async throws {
        let predicted = try #require(try await predictions.value[example.name])
        let signature = ModelSignature(of: example.model)
        #expect(predicted.pyfuncColumns == signature.outputs.map(\.name).sorted())
    }
}

extension Predictions {
    fileprivate func label(ofRow row: Int) -> ClassLabel? {
        guard case .classification(let classes) = task else { return nil }
        return classes[classIndex(ofRow: row)]
    }
}
