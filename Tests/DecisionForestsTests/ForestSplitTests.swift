import DecisionForests
import Testing

@Suite("A forest's splits are the best there are")
struct ForestSplitTests {
    /// Three classes with columns of many values, of few, and with gaps.
    private static func threeClasses(rows: Int = 240) throws -> Dataset {
        let whole = try makeClassification(
            samples: rows, features: 6, informative: 4, classes: 3, seed: 8)
        var columns = whole.columns
        for row in 0..<rows { columns[1][row] = columns[1][row].rounded() }
        for row in stride(from: 0, to: rows, by: 5) { columns[2][row] = .nan }
        return try Dataset(
            columns: columns, featureNames: whole.featureNames, target: whole.target,
            targetName: whole.targetName)
    }

    private static func check(
        _ learner: some EnsembleLearner, against oracle: ForestOracle, minSamplesLeaf: Int = 1
    ) throws {
        let tree = try learner.grow(trees: 0..<1, on: oracle.data, threads: 1)[0]
        let rows = oracle.rows(of: tree)
        let found = oracle.decreases(of: tree)
        let total = Double(oracle.data.rowCount)
        #expect(tree.nodeCount > 20)
        for node in 0..<tree.nodeCount where tree.splitFeature[node] != Tree.leaf {
            let best = oracle.bestDecrease(rows[node], minSamplesLeaf: minSamplesLeaf)
            #expect(abs(found[node] - best) <= 1e-5 * (1 + best))
            #expect(abs(Double(tree.splitGains[node]) - best / total) <= 1e-5 * (1 + best / total))
        }
    }

    @Test("Two classes by Gini impurity, with missing values", arguments: [1, 4])
    func pairs(minimum: Int) throws {
        try Self.check(
            RandomForestClassifier(
                trees: 1, maxFeatures: .all, minSamplesLeaf: minimum, bootstrap: false),
            against: .gini(SampleData.withMissing(rows: 200)), minSamplesLeaf: minimum)
    }

    @Test("Three classes by Gini impurity and by entropy", arguments: [1, 4])
    func classes(minimum: Int) throws {
        let data = try Self.threeClasses()
        try Self.check(
            RandomForestClassifier(
                trees: 1, maxFeatures: .all, minSamplesLeaf: minimum, bootstrap: false),
            against: .gini(data), minSamplesLeaf: minimum)
        try Self.check(
            RandomForestClassifier(
                trees: 1, maxFeatures: .all, minSamplesLeaf: minimum, bootstrap: false,
                criterion: .entropy),
            against: .entropy(data), minSamplesLeaf: minimum)
    }

    @Test("Numbers by squared error", arguments: [1, 4])
    func numbers(minimum: Int) throws {
        try Self.check(
            RandomForestRegressor(trees: 1, minSamplesLeaf: minimum, bootstrap: false),
            against: .variance(SampleData.regression(rows: 200)), minSamplesLeaf: minimum)
    }

    @Test("A node of more rows than a block holds is split as one of fewer")
    func blocks() throws {
        let data = try makeClassification(
            samples: 6_000, features: 9, informative: 5, redundant: 1, seed: 2)
        let oracle = ForestOracle.gini(data)
        let tree = try RandomForestClassifier(
            trees: 1, maxDepth: 6, maxFeatures: .all, bootstrap: false
        ).grow(trees: 0..<1, on: data, threads: 1)[0]
        // Columns of 6,000 values are binned: what the tree claims must be what its values show.
        for (claimed, found) in zip(tree.splitGains, oracle.decreases(of: tree)) {
            #expect(abs(Double(claimed) * 6_000 - found) < 1e-2)
        }
        #expect(tree.nodeCount > 60)
    }

    @Test("With few leaves the most useful splits are made, and more leaves add to them")
    func bestFirst() throws {
        let data = try SampleData.withMissing()
        func tree(_ leaves: Int?) throws -> Tree {
            try RandomForestClassifier(
                trees: 1, maxFeatures: .all, bootstrap: false, maxLeafNodes: leaves
            ).grow(trees: 0..<1, on: data, threads: 1)[0]
        }
        var last = 0.0
        for leaves in 2...12 {
            let small = try tree(leaves)
            #expect(small.nodeCount == 2 * leaves - 1)
            let gain = small.splitGains.reduce(0.0) { $0 + Double($1) }
            #expect(gain > last)
            last = gain
            let large = try tree(leaves + 1)
            #expect(isPrefix(small, of: large))
        }
        // Unlimited growth makes the same splits in another order.
        let (all, deep) = (try tree(10_000), try tree(nil))
        #expect(all.nodeCount == deep.nodeCount)
        #expect(all.splitGains.sorted() == deep.splitGains.sorted())
    }

    private func isPrefix(_ small: Tree, of large: Tree) -> Bool {
        let inner = (0..<small.nodeCount).filter { small.splitFeature[$0] != Tree.leaf }
        return inner.allSatisfy {
            small.splitFeature[$0] == large.splitFeature[$0]
                && small.threshold[$0] == large.threshold[$0]
                && small.leftChild[$0] == large.leftChild[$0]
        }
    }

    @Test("Splits that gain too little are not made")
    func minImpurityDecrease() throws {
        let data = try SampleData.withMissing()
        func gains(_ minimum: Double) throws -> [Float] {
            try RandomForestClassifier(
                trees: 1, maxFeatures: .all, bootstrap: false, minImpurityDecrease: minimum
            ).grow(trees: 0..<1, on: data, threads: 1)[0].splitGains.filter { $0 > 0 }
        }
        let (all, some) = (try gains(0), try gains(0.01))
        #expect(some.allSatisfy { $0 >= 0.01 })
        #expect(!some.isEmpty && some.count < all.count)
    }

    @Test("A bootstrap of few rows leaves few leaves")
    func maxSamples() throws {
        let data = try SampleData.withMissing()
        let learner = try RandomForestClassifier(trees: 3, maxSamples: .count(5))
        for tree in try learner.grow(trees: 0..<3, on: data) { #expect(tree.nodeCount <= 9) }
        #expect(MaxSamples.share(0.5).count(of: 301) == 150)
        #expect(MaxSamples.count(9).count(of: 3) == 3)
        #expect(throws: ParameterError.self) {
            try RandomForestClassifier(bootstrap: false, maxSamples: .share(0.5))
        }
        #expect(throws: ParameterError.self) { try RandomForestClassifier(maxSamples: .share(1.5)) }
        #expect(throws: ParameterError.self) { try RandomForestClassifier(maxLeafNodes: 1) }
        #expect(throws: ParameterError.self) {
            try RandomForestClassifier(minImpurityDecrease: .nan)
        }
    }
}
