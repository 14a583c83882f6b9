import Foundation
import Testing

@testable import DecisionForests

@Suite("Oblique forests: what they learn, and that nothing but the data and the seed decides it")
struct ObliqueForestTests {
    static let learners: [any EnsembleLearner] = {
        let continuous = try? ProjectionParameters(
            densityFactor: 3, exponent: 1.5, weights: .continuous, normalization: .minMax)
        let all: [(any EnsembleLearner)?] = [
            try? ObliqueForestClassifier(trees: 7, seed: 4),
            try? ObliqueForestClassifier(
                trees: 7, maxDepth: 5, projections: continuous, criterion: .entropy,
                classWeight: .balanced, seed: 4),
            try? ObliqueForestRegressor(trees: 7, minSamplesLeaf: 3, seed: 4),
        ]
        return all.compactMap { $0 }
    }()

    private func data(for learner: any EnsembleLearner) throws -> Dataset {
        learner is ObliqueForestRegressor
            ? try SampleData.regression(rows: 500) : try SampleData.withMissing(rows: 500)
    }

    @Test("Threads, parts and the way through bytes make no difference", arguments: 0..<3)
    func determinism(index: Int) throws {
        let learner = Self.learners[index]
        let data = try data(for: learner)
        let trees = try learner.grow(trees: 0..<7, on: data, threads: 1)
        let expected = TreeCodec.encode(trees)
        for threads in [2, 3, 7] {
            let grown = try learner.grow(trees: 0..<7, on: data, threads: threads)
            #expect(TreeCodec.encode(grown) == expected)
        }
        let json = try JSONEncoder().encode(AnyLearner(learner))
        let received = try JSONDecoder().decode(AnyLearner.self, from: json).learner
        let sent = try #require(received as? any EnsembleLearner)
        let copy = try Dataset(decoding: data.encoded())
        let binned = BinnedDataset(copy, seed: 1)
        let parts =
            try sent.grow(trees: 0..<3, on: binned, threads: 2)
            + sent.grow(trees: 3..<7, on: copy, threads: 1)
        #expect(TreeCodec.encode(parts) == expected)
        let model = try sent.model(from: TreeCodec.decode(expected), trainedOn: data)
        #expect(try model == learner.fit(data, threads: 3))
    }

    @Test("Every build of the kernels grows the same trees")
    func kernels() throws {
        let learner = try ObliqueForestClassifier(trees: 3, seed: 8)
        // Large enough that the root judges its projections by a part of its rows.
        let data = try makeClassification(samples: 4_000, features: 9, informative: 5, seed: 3)
        let expected = try learner.grow(trees: 0..<3, on: data, threads: 1, kernels: .of(.baseline))
        for choice in KernelChoice.available {
            let trees = try learner.grow(trees: 0..<3, on: data, threads: 2, kernels: .of(choice))
            #expect(trees == expected)
        }
    }

    @Test("Prediction divides the training rows as training did", arguments: [500, 4_000])
    func partition(rows: Int) throws {
        let whole = try makeClassification(
            samples: rows, features: 8, informative: 4, flipY: 0, seed: 3)
        var columns = whole.columns
        for row in stride(from: 0, to: rows, by: 7) { columns[0][row] = .nan }
        // Neighbouring float32 values, and a column that dwarfs the others.
        columns[1] = columns[1].indices.map { Float(1).nextUp + Float($0 % 3) * Float(1).ulp }
        columns[2] = columns[2].map { $0 * 1e30 }
        let data = try Dataset(
            columns: columns, featureNames: whole.featureNames, target: whole.target,
            targetName: "y")
        // Without bootstrap, grown until pure, each tree knows every training row.
        let learner = try ObliqueForestClassifier(trees: 5, bootstrap: false, seed: 2)
        let model = try learner.fit(data)
        #expect(try model.evaluate(on: data)["accuracy"] == 1)
        let shares = model.ensemble.trees.flatMap(\.leafValues)
        #expect(shares.allSatisfy { $0 == 0 || $0 == 1 })
    }

    @Test("A leaf answers with the mean of the training rows that prediction sends to it")
    func leafMeans() throws {
        let data = try SampleData.regression(rows: 3_000)
        guard case .values(let values) = data.target else { return }
        let learner = try ObliqueForestRegressor(
            trees: 1, maxDepth: 6, minSamplesLeaf: 20, bootstrap: false, seed: 5)
        let model = try learner.fit(data)
        let answers = try model.predict(data).scores
        var groups: [Float: [Float]] = [:]
        for (answer, value) in zip(answers, values) { groups[answer, default: []].append(value) }
        #expect(groups.count > 20)
        for (answer, members) in groups {
            #expect(members.count >= 20)
            let mean = members.reduce(0.0) { $0 + Double($1) } / Double(members.count)
            #expect(abs(Double(answer) - mean) < 1e-5)
        }
    }

    @Test("Where the boundary is slanted, it is clearly ahead of the plain forest")
    func slanted() throws {
        let plain = try makeClassification(
            samples: 1_600, features: 10, informative: 10, redundant: 0, seed: 6)
        let sums = (0..<1_600).map { row in
            plain.columns[..<5].reduce(Float(0)) { $0 + $1[row] }
                - plain.columns[5...].reduce(Float(0)) { $0 + $1[row] }
        }
        let data = try Dataset(
            columns: plain.columns, featureNames: plain.featureNames,
            target: .classes(
                labels: [.integer(0), .integer(1)], indices: sums.map { $0 > 0 ? 1 : 0 }),
            targetName: "y")
        let (train, holdout) = data.split(holdout: 0.5, seed: 1)
        let oblique = try ObliqueForestClassifier(trees: 40, seed: 1).fit(train)
        let forest = try RandomForestClassifier(trees: 40, seed: 1).fit(train)
        let mine = try oblique.evaluate(on: holdout)["accuracy"] ?? 0
        let other = try forest.evaluate(on: holdout)["accuracy"] ?? 1
        #expect(mine > other + 0.02)
        let values = try Dataset(features: data.features, values: sums)
        let parts = values.split(holdout: 0.5, seed: 1)
        let r2 = try ObliqueForestRegressor(trees: 40).fit(parts.train).evaluate(on: parts.holdout)
        let plainR2 = try RandomForestRegressor(trees: 40).fit(parts.train)
            .evaluate(on: parts.holdout)
        #expect((r2["r2"] ?? 0) > (plainR2["r2"] ?? 1) + 0.05)
    }

    @Test("The seed decides, and trees differ")
    func seeds() throws {
        let data = try SampleData.withMissing()
        let first = try ObliqueForestClassifier(trees: 4, seed: 1).grow(trees: 0..<4, on: data)
        let second = try ObliqueForestClassifier(trees: 4, seed: 2).grow(trees: 0..<4, on: data)
        #expect(Set(first + second).count == 8)
    }
}
