import DecisionForests
import Testing

@Suite("Forests part categories into the best sets")
struct CategoricalForestTests {
    /// Rows with a categorical column of `levelCount` levels, some missing, and a numeric one.
    private static func data(
        rows: Int = 260, levelCount: Int, classCount: Int?, seed: UInt64 = 5
    ) throws -> Dataset {
        let chance = Chance(seed: seed)
        let codes = (0..<rows).map { chance.index(below: levelCount, UInt64($0)) }
        let noise = (0..<rows).map { chance.unit(UInt64($0) + 10_000) }
        let column = codes.enumerated().map { row, code in
            row % 11 == 0 ? Float.nan : Float(code)
        }
        // What a level says of the target has nothing to do with its code's size.
        let told = codes.map { Double(($0 * 7 + 3) % 5) / 5 }
        let target: Dataset.Target =
            if let classCount {
                .classes(
                    labels: (0..<classCount).map { .integer(Int64($0)) },
                    indices: zip(told, noise).map {
                        Int32(min(classCount - 1, Int(($0 * 0.7 + $1 * 0.3) * Double(classCount))))
                    })
            } else {
                .values(zip(told, noise).map { Float($0 + 0.3 * $1) })
            }
        return try Dataset(
            columns: [column, noise.map { Float(($0 * 8).rounded()) }],
            featureNames: ["colour", "size"],
            featureKinds: [.categorical(levels: (0..<levelCount).map { "l\($0)" }), .numeric],
            target: target, targetName: "y")
    }

    /// The greatest decrease of any set of levels, missing rows on either side.
    private static func bestDecrease(_ oracle: ForestOracle, _ rows: [Int]) -> Double {
        let column = oracle.data.columns[0]
        let missing = rows.filter { column[$0].isNaN }
        let present = rows.filter { !column[$0].isNaN }
        let levels = Set(present.map { column[$0] }).sorted()
        var best = -Double.infinity
        for set in 1..<(1 << levels.count) {
            let left = Set(levels.indices.filter { set >> $0 & 1 == 1 }.map { levels[$0] })
            let low = present.filter { left.contains(column[$0]) }
            let high = present.filter { !left.contains(column[$0]) }
            for (left, right) in [(low + missing, high), (low, high + missing)]
            where !left.isEmpty && !right.isEmpty {
                best = max(best, oracle.decrease(rows, left: left, right: right))
            }
        }
        return best
    }

    private static func check(_ learner: some EnsembleLearner, _ oracle: ForestOracle) throws {
        let tree = try learner.grow(trees: 0..<1, on: oracle.data, threads: 1)[0]
        let rows = oracle.rows(of: tree)
        let found = oracle.decreases(of: tree)
        let numeric = try ForestOracle(
            data: Dataset(
                columns: [oracle.data.columns[1]], featureNames: ["size"],
                target: oracle.data.target, targetName: "y"), impurity: oracle.impurity)
        var categorical = 0
        for node in 0..<tree.nodeCount where tree.splitFeature[node] != Tree.leaf {
            let best = max(bestDecrease(oracle, rows[node]), numeric.bestDecrease(rows[node]))
            #expect(abs(found[node] - best) <= 1e-5 * (1 + best))
            categorical += tree.splitFeature[node] == 0 ? 1 : 0
        }
        #expect(categorical > 2)
    }

    @Test("Of two classes and of numbers no set of categories is better than the chosen one")
    func exact() throws {
        try Self.check(
            RandomForestClassifier(trees: 1, maxDepth: 5, maxFeatures: .all, bootstrap: false),
            .gini(Self.data(levelCount: 7, classCount: 2)))
        try Self.check(
            RandomForestClassifier(
                trees: 1, maxDepth: 5, maxFeatures: .all, bootstrap: false, criterion: .entropy),
            .entropy(Self.data(levelCount: 7, classCount: 2)))
        try Self.check(
            RandomForestRegressor(trees: 1, maxDepth: 5, bootstrap: false),
            .variance(Self.data(levelCount: 7, classCount: nil)))
    }

    @Test("Of more classes the chosen set is nearly as good as the best")
    func classes() throws {
        let oracle = ForestOracle.gini(try Self.data(levelCount: 7, classCount: 4))
        let tree = try RandomForestClassifier(
            trees: 1, maxDepth: 1, maxFeatures: .all, bootstrap: false
        ).grow(trees: 0..<1, on: oracle.data, threads: 1)[0]
        let best = Self.bestDecrease(oracle, Array(0..<260))
        #expect(tree.splitFeature[0] == 0)
        #expect(oracle.decreases(of: tree)[0] > 0.9 * best)
    }

    @Test("What extra-trees claim of random sets, their rows show")
    func extra() throws {
        let oracle = ForestOracle.gini(try Self.data(levelCount: 9, classCount: 2))
        let trees = try ExtraTreesClassifier(trees: 8, seed: 2).grow(trees: 0..<8, on: oracle.data)
        #expect(Set(trees.map { $0.categorySets.words.first ?? 0 }).count > 4)
        for tree in trees {
            for (claimed, found) in zip(tree.splitGains, oracle.decreases(of: tree)) {
                #expect(abs(Double(claimed) * 260 - found) < 1e-3)
            }
        }
    }

    @Test("The model answers as the tree was grown, and threads make no difference")
    func predicts() throws {
        let data = try Self.data(levelCount: 40, classCount: 3)
        let learner = try RandomForestClassifier(trees: 5, maxFeatures: .all, bootstrap: false)
        let first = try TreeCodec.encode(learner.grow(trees: 0..<5, on: data, threads: 1))
        for threads in [2, 3, 7] {
            let trees = try learner.grow(trees: 0..<5, on: data, threads: threads)
            #expect(TreeCodec.encode(trees) == first)
        }
        let here = BinnedDataset(data, seed: learner.binningSeed, threads: 1)
        let sent = try BinnedDataset(decoding: here.encoded())
        #expect(try TreeCodec.encode(learner.grow(trees: 0..<5, on: sent, threads: 1)) == first)
        let model = try learner.fit(data)
        #expect(model.featureKinds == data.featureKinds)
        let tree = try learner.grow(trees: 0..<1, on: data, threads: 1)[0]
        let rows = ForestOracle.gini(data).rows(of: tree)
        let scores = try RandomForestClassifier(trees: 1, maxFeatures: .all, bootstrap: false)
            .fit(data).predict(data).scores
        for node in 0..<tree.nodeCount where tree.splitFeature[node] == Tree.leaf {
            for row in rows[node] {
                let leaf = Int(tree.leftChild[node]) * 3
                #expect(
                    Array(scores[row * 3..<row * 3 + 3]) == Array(tree.leafValues[leaf..<leaf + 3]))
            }
        }
    }

    @Test("A category that no row had goes where missing values go")
    func unseen() throws {
        let data = try Dataset(
            columns: [[0, 0, 0, 2, 2]], featureNames: ["colour"],
            featureKinds: [.categorical(levels: ["red", "green", "blue"])],
            target: .classes(labels: [.integer(0), .integer(1)], indices: [0, 0, 0, 1, 1]),
            targetName: "y")
        let model = try RandomForestClassifier(trees: 1, bootstrap: false).fit(data)
        let answers = try model.predict(FeatureMatrix(rows: [[0], [1], [2], [.nan], [40]]))
        #expect(answers.labels == [0, 0, 1, 0, 0].map { .integer($0) })
    }

    @Test("Of more levels than bins the frequent ones keep theirs")
    func manyLevels() throws {
        // Level c occurs often if c is a multiple of 5: 80 of 400 levels.
        let codes = (0..<400).flatMap { Array(repeating: Float($0), count: $0 % 5 == 0 ? 9 : 2) }
        let data = try Dataset(
            columns: [codes], featureNames: ["city"],
            featureKinds: [.categorical(levels: (0..<400).map { "city \($0)" })],
            target: .values(codes.map { Int($0) % 10 == 0 ? 1 : 0 }), targetName: "y")
        let binner = FeatureBinner(data, seed: 1, threads: 1)
        #expect(binner.categoryBins[0].count == 400)
        #expect(binner.categoryBins[0].count { $0 == 254 } == 400 - 254)
        let model = try RandomForestRegressor(trees: 1, bootstrap: false).fit(data)
        #expect(try (model.evaluate(on: data)["r2"] ?? 0) > 0.999)
    }
}
