import DecisionForests
import Foundation
import Testing

@Suite("makeClassification is built like scikit-learn's")
struct SyntheticTests {
    private struct Facts: Decodable {
        let score: Double
        let counts: [Int]
        let deviation: Double
        let rank: Int
    }

    private struct Answer: Decodable {
        let ours: [Facts]
        let theirs: [Facts]
    }

    @Test("A scikit-learn forest finds ours as hard as its own", arguments: [2, 3])
    func statistics(classes: Int) async throws {
        let folder = try ScratchFolder()
        let files = try (0..<6).map { seed in
            let data = try makeClassification(
                samples: 2000, informative: 10, redundant: 10, classes: classes, seed: UInt64(seed))
            return try folder.write(Self.csv(data), to: "\(seed).csv")
        }
        let output = folder.file("out")
        let answer: Answer = try await LearningPython.run(
            "synthetic.py", [output, "\(classes)"] + files, output: output, in: folder)
        for facts in answer.ours + answer.theirs {
            #expect(facts.rank == 10)
            #expect(facts.counts.allSatisfy { abs($0 - 2000 / classes) < 40 })
        }
        let (a, b) = (
            Self.moments(answer.ours.map(\.score)), Self.moments(answer.theirs.map(\.score))
        )
        // Four standard errors of the difference of the means.
        #expect(
            abs(a.mean - b.mean) < 4 * (a.variance / 6 + b.variance / 10).squareRoot() + 0.005)
        let (ours, theirs) = (
            Self.moments(answer.ours.map(\.deviation)), Self.moments(answer.theirs.map(\.deviation))
        )
        #expect(
            abs(ours.mean - theirs.mean)
                < 4 * (ours.variance / 6 + theirs.variance / 10).squareRoot() + 0.05)
    }

    private static func csv(_ data: Dataset) -> String {
        guard case .classes(let labels, let indices) = data.target else { return "" }
        var text = (data.featureNames + ["y"]).joined(separator: ",") + "\n"
        for row in 0..<data.rowCount {
            text += data.columns.map { "\($0[row])" }.joined(separator: ",")
            text += ",\(labels[Int(indices[row])])\n"
        }
        return text
    }

    private static func moments(_ values: [Double]) -> (mean: Double, variance: Double) {
        let mean = values.reduce(0, +) / Double(values.count)
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (mean, squares / Double(values.count - 1))
    }

    @Test("Clusters stand at the cube's corners; noise, copies and mixtures are what they say")
    func construction() throws {
        let data = try makeClassification(
            samples: 4000, features: 9, informative: 3, redundant: 2, repeated: 2, classes: 2,
            clustersPerClass: 2, flipY: 0, classSeparation: 20, shuffle: false, seed: 6)
        // Unshuffled: clusters follow each other, class by class.
        guard case .classes(_, let indices) = data.target else { return }
        #expect(indices == (0..<4000).map { Int32($0 / 1000 % 2) })
        var corners = Set<[Bool]>()
        for cluster in 0..<4 {
            let means = (0..<3).map { column in
                data.columns[column][cluster * 1000..<(cluster + 1) * 1000].reduce(0, +) / 1000
            }
            #expect(means.allSatisfy { abs(abs($0) - 20) < 0.3 })
            corners.insert(means.map { $0 > 0 })
        }
        #expect(corners.count == 4)
        for copy in data.columns[5...6] { #expect(data.columns[0..<5].contains(copy)) }
        for noise in data.columns[7...8] {
            let mean = noise.reduce(0, +) / 4000
            let variance = noise.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4000
            #expect(abs(mean) < 0.06 && abs(variance - 1) < 0.1)
        }
    }

    @Test("Weights, flips, shift and scale")
    func options() throws {
        let plain = try makeClassification(samples: 1000, weights: [0.75], flipY: 0, seed: 1)
        guard case .classes(_, let indices) = plain.target else { return }
        #expect(indices.count { $0 == 0 } == 750)
        let flipped = try makeClassification(samples: 1000, weights: [0.75], flipY: 1, seed: 1)
        guard case .classes(_, let other) = flipped.target else { return }
        #expect(abs(other.count { $0 == 0 } - 500) < 80)
        let moved = try makeClassification(
            samples: 1000, weights: [0.75], flipY: 0, shift: 2, scale: 3, seed: 1)
        #expect(abs(moved.columns[4][7] - (plain.columns[4][7] + 2) * 3) < 1e-5)
        let random = try makeClassification(samples: 200, hypercube: false, shift: nil, scale: nil)
        #expect(random.rowCount == 200)
    }

    @Test("The same seed gives the same bytes, another seed others")
    func seeds() throws {
        let bytes = try makeClassification(seed: 1).encoded()
        #expect(try makeClassification(seed: 1).encoded() == bytes)
        #expect(try makeClassification(seed: 2).encoded() != bytes)
    }

    @Test("makeRegression's number is the mixture it says")
    func regression() throws {
        let data = try makeRegression(
            samples: 400, features: 12, informative: 4, bias: 7, shuffle: false, seed: 3)
        let model = try RidgeRegression(alpha: 0).fit(data)
        let coefficients = try #require(model.ensemble.linear).coefficients
        #expect(coefficients[..<4].allSatisfy { $0 > 0 && $0 < 100 })
        #expect(coefficients[4...].allSatisfy { abs($0) < 1e-3 })
        #expect(abs(model.ensemble.baseScores[0] - 7) < 1e-3)
        let noisy = try makeRegression(samples: 400, features: 12, informative: 0, noise: 5)
        guard case .values(let values) = noisy.target else { return }
        let variance = values.reduce(0) { $0 + $1 * $1 } / 400
        #expect(abs(variance - 25) < 8)
        #expect(try makeRegression(seed: 1).encoded() == makeRegression(seed: 1).encoded())
        #expect(throws: ParameterError.self) { try makeRegression(informative: 101) }
    }

    @Test("Parameters that fit no construction are refused")
    func refused() {
        #expect(throws: ParameterError.self) { try makeClassification(samples: 0) }
        #expect(throws: ParameterError.self) { try makeClassification(features: 3) }
        #expect(throws: ParameterError.self) { try makeClassification(informative: 1) }
        #expect(throws: ParameterError.self) { try makeClassification(weights: [0.5, 0.5, 0.1]) }
        #expect(throws: ParameterError.self) { try makeClassification(flipY: .nan) }
        #expect(throws: ParameterError.self) { try makeClassification(classSeparation: .nan) }
        #expect(throws: ParameterError.self) { try makeClassification(scale: .infinity) }
        #expect(throws: ParameterError.self) { try makeClassification(shift: 1e20, scale: 1e30) }
        #expect(throws: ParameterError.self) {
            try makeClassification(
                features: 60, informative: 50, classes: 60_000, clustersPerClass: 1_000_000)
        }
    }
}
