import DecisionForests
import Foundation
import Testing

/// Answers beside the truth, and what scikit-learn says of them.
struct MetricsCase {
    let predictions: Predictions
    let data: Dataset
    var quantiles: [Double] = []

    struct Figures: Decodable {
        let metrics: [String: Double]
        let confusion: [[Int]]
        let confusionWeights: [[Double]]
    }

    private struct Given: Encodable {
        let truth: [Double]
        let probabilities: [[Float]]?
        let values: [Float]?
        let weights: [Float]?
        let quantiles: [Double]
    }

    /// Random probabilities: of `levels` different scores, so that many are equal, or of any if 0.
    static func classes(
        _ count: Int, levels: Int, absent: Int? = nil, rows: Int = 150, seed: UInt64
    ) throws -> MetricsCase {
        let chance = Chance(seed: seed)
        var (truth, scores) = ([Int64](), [Float]())
        let present = (0..<count).filter { $0 != absent }
        for row in 0..<rows {
            let label = present[chance.child(1).index(below: present.count, UInt64(row))]
            truth.append(Int64(label))
            let parts = (0..<count).map { output in
                let draw = chance.child(2).unit(UInt64(row * count + output))
                let raw = draw + (output == label ? 0.3 : 0)
                return levels == 0 ? raw + 0.01 : (raw * Double(levels)).rounded() + 1
            }
            let sum = parts.reduce(0, +)
            scores += parts.map { Float($0 / sum) }
        }
        let data = try Dataset(
            columns: [[Float](repeating: 0, count: rows)], featureNames: ["f"],
            target: .classes(
                labels: (0..<count).map { .integer(Int64($0)) }, indices: truth.map(Int32.init)),
            targetName: "y")
        let labels = (0..<Int64(count)).map { ClassLabel.integer($0) }
        return MetricsCase(
            predictions: Predictions(
                task: .classification(classes: labels), scores: scores, outputCount: count),
            data: data)
    }

    static func numbers(
        isCount: Bool, constantAnswer: Float? = nil, constantTruth: Float? = nil, seed: UInt64
    ) throws -> MetricsCase {
        let chance = Chance(seed: seed).child(3)
        let truth = (0..<UInt64(150)).map { row in
            constantTruth
                ?? Float(isCount ? Double(chance.index(below: 5, row)) : chance.normal(row))
        }
        let answers = (0..<UInt64(150)).map { row in
            let noise = Float(chance.child(1).unit(row))
            return constantAnswer ?? (isCount ? truth[Int(row)] * 0.7 + noise + 0.1 : noise)
        }
        let data = try Dataset(
            features: FeatureMatrix(rows: truth.map { _ in [0] }), values: truth)
        return MetricsCase(
            predictions: Predictions(task: .regression, scores: answers, outputCount: 1),
            data: data, quantiles: [0.1, 0.5, 0.95])
    }

    /// The same answers with random weights, every sixth or so 0.
    func weighted(seed: UInt64) throws -> MetricsCase {
        let chance = Chance(seed: seed).child(4)
        let weights = (0..<data.rowCount).map { row in
            // The first row counts: the sum must not be 0.
            row > 0 && chance.index(below: 6, UInt64(row)) == 0
                ? 0 : Float(chance.unit(UInt64(row)) * 3 + 0.1)
        }
        return MetricsCase(
            predictions: predictions,
            data: try Dataset(
                columns: data.columns, featureNames: data.featureNames, target: data.target,
                targetName: data.targetName, weights: weights),
            quantiles: quantiles)
    }

    func ours() throws -> Evaluation {
        try Evaluation(of: predictions, on: data, quantiles: quantiles)
    }

    static func theirs(_ cases: [MetricsCase]) async throws -> [Figures] {
        let folder = try ScratchFolder()
        let json = try JSONEncoder().encode(cases.map(\.given))
        let input = try folder.write(String(decoding: json, as: UTF8.self), to: "in")
        let output = folder.file("out")
        return try await LearningPython.run(
            "metrics.py", [input, output], output: output, in: folder)
    }

    func compare(_ ours: Evaluation, with theirs: Figures, _ name: String) throws {
        #expect(Set(ours.values.keys) == Set(theirs.metrics.keys), "\(name)")
        for (metric, value) in theirs.metrics {
            // They compute these two in float32.
            let tolerance = ["log_loss", "brier"].contains(metric) ? 4e-6 : 1e-9
            let difference = try abs(#require(ours[metric]) - value)
            #expect(difference <= tolerance * max(1, abs(value)), "\(name): \(metric)")
        }
        #expect(ours.confusion == theirs.confusion, "\(name)")
        for (mine, other) in zip(ours.confusionWeights.joined(), theirs.confusionWeights.joined()) {
            #expect(abs(mine - other) < 1e-9 * max(1, other), "\(name)")
        }
    }

    private var given: Given {
        switch data.target {
        case .classes(_, let indices):
            Given(
                truth: indices.map { Double($0) },
                probabilities: (0..<data.rowCount).map { Array(predictions.scores(ofRow: $0)) },
                values: nil, weights: data.weights, quantiles: [])
        case .values(let truth):
            Given(
                truth: truth.map { Double($0) }, probabilities: nil, values: predictions.scores,
                weights: data.weights, quantiles: quantiles)
        }
    }
}
