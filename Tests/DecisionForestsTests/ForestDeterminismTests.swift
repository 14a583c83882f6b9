import DecisionForests
import Foundation
import Testing

@Suite("A forest is the same on any threads and in any parts")
struct ForestDeterminismTests {
    static let learners: [any EnsembleLearner] = {
        let all: [(any EnsembleLearner)?] = [
            try? RandomForestClassifier(trees: 9, seed: 4),
            try? RandomForestClassifier(trees: 9, maxDepth: 4, criterion: .entropy, seed: 4),
            try? RandomForestClassifier(trees: 9, classWeight: .balanced, seed: 4),
            try? RandomForestRegressor(trees: 9, minSamplesLeaf: 3, seed: 4),
            try? RandomForestClassifier(
                trees: 9, maxSamples: .share(0.4), maxLeafNodes: 12, seed: 4),
            try? ExtraTreesClassifier(trees: 9, seed: 4),
            try? ExtraTreesClassifier(trees: 9, bootstrap: true, criterion: .entropy, seed: 4),
            try? ExtraTreesRegressor(trees: 9, maxLeafNodes: 30, seed: 4),
        ]
        return all.compactMap { $0 }
    }()

    private func data(for learner: any EnsembleLearner) throws -> Dataset {
        learner is RandomForestRegressor || learner is ExtraTreesRegressor
            ? try SampleData.regression() : try SampleData.withMissing()
    }

    @Test("All learners of the list exist")
    func listIsWhole() {
        #expect(Self.learners.count == 8)
    }

    @Test("Threads make no difference to a byte", arguments: 0..<8)
    func threads(index: Int) throws {
        let learner = Self.learners[index]
        let data = try data(for: learner)
        let expected = try TreeCodec.encode(learner.grow(trees: 0..<9, on: data, threads: 1))
        for threads in [2, 3, 7] {
            let trees = try learner.grow(trees: 0..<9, on: data, threads: threads)
            #expect(TreeCodec.encode(trees) == expected)
        }
    }

    @Test(
        "Trees grown in any parts, from data sent as bytes, are those grown at once",
        arguments: 0..<8)
    func parts(index: Int) throws {
        let learner = Self.learners[index]
        let data = try data(for: learner)
        let whole = try learner.grow(trees: 0..<9, on: data, threads: 2)
        let received = try JSONDecoder().decode(
            AnyLearner.self, from: JSONEncoder().encode(AnyLearner(learner))
        ).learner
        let sent = try #require(received as? any EnsembleLearner)
        let copy = try Dataset(decoding: data.encoded())
        for cuts in [[0, 9], [0, 1, 9], [0, 4, 5, 9], Array(0...9)] {
            var trees: [Tree] = []
            for (start, end) in zip(cuts, cuts.dropFirst()).reversed() {
                let part = try sent.grow(trees: start..<end, on: copy, threads: 2)
                trees = try TreeCodec.decode(TreeCodec.encode(part)) + trees
            }
            #expect(trees == whole)
            let model = try sent.model(from: trees, trainedOn: data)
            #expect(try model == learner.fit(data, threads: 3))
        }
    }

    @Test("The seed decides, and trees differ")
    func seeds() throws {
        let data = try SampleData.withMissing()
        let first = try RandomForestClassifier(trees: 4, seed: 1).grow(trees: 0..<4, on: data)
        let second = try RandomForestClassifier(trees: 4, seed: 2).grow(trees: 0..<4, on: data)
        #expect(Set(first + second).count == 8)
    }

    @Test("Trees keep the bytes they had when this test was written")
    func golden() throws {
        // A changed hash is a changed model for everybody: raise it only with a reason.
        let data = try SampleData.withMissing()
        let trees = try RandomForestClassifier(trees: 5, seed: 9).grow(trees: 0..<5, on: data)
        #expect(Self.hash(TreeCodec.encode(trees)) == 12_941_236_314_211_524_222)
        #expect(Self.hash(data.encoded()) == 11_266_004_655_353_491_782)
    }

    /// FNV-1a with 64 bits.
    private static func hash(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
