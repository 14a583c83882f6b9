import Testing

@testable import DecisionForests

@Suite("Every node knows the training weight that reached it")
struct CoverTests {
    /// How much of a data set's rows reach each node, `share` per row.
    private func reached(
        _ tree: Tree, _ data: Dataset, share: (Int) -> Double = { _ in 1 }
    ) -> [Float] {
        ForestOracle.gini(data).rows(of: tree).map { rows in
            Float(rows.reduce(0) { $0 + share($1) })
        }
    }

    private func expectSums(_ tree: Tree) {
        #expect(tree.cover.count == tree.nodeCount)
        for node in 0..<tree.nodeCount where tree.splitFeature[node] != Tree.leaf {
            let child = Int(tree.leftChild[node])
            #expect(tree.cover[child] > 0 && tree.cover[child + 1] > 0)
            #expect(tree.cover[child] + tree.cover[child + 1] == tree.cover[node])
        }
    }

    @Test("A forest's tree counts the rows it sees, depth first and best first")
    func forest() throws {
        let data = try SampleData.withMissing()
        for leaves in [nil, 9] {
            let learner = try RandomForestClassifier(
                trees: 2, bootstrap: false, maxLeafNodes: leaves, seed: 3)
            for tree in try learner.grow(trees: 0..<2, on: data) {
                #expect(tree.cover == reached(tree, data))
            }
        }
        let extra = try ExtraTreesRegressor(trees: 2, seed: 3)
        let numbers = try SampleData.regression()
        for tree in try extra.grow(trees: 0..<2, on: numbers) {
            #expect(tree.cover == reached(tree, numbers))
        }
    }

    @Test("A bootstrapped row counts as often as it was drawn")
    func bootstrap() throws {
        let data = try SampleData.withMissing()
        let learner = try RandomForestClassifier(trees: 3, seed: 8)
        let sample = RowSample(rowCount: data.rowCount, parameters: learner.forest)
        for (number, tree) in try learner.grow(trees: 0..<3, on: data).enumerated() {
            var draws = [UInt32](repeating: 0, count: data.rowCount)
            draws.withUnsafeMutableBufferPointer { draws in
                guard let base = draws.baseAddress else { return }
                sample.draw(tree: number, into: base)
            }
            #expect(tree.cover[0] == Float(data.rowCount))
            #expect(tree.cover == reached(tree, data) { Double(draws[$0]) })
            expectSums(tree)
        }
    }

    @Test("A row's weight counts in a forest")
    func weights() throws {
        let plain = try SampleData.withMissing()
        let weights = (0..<plain.rowCount).map { Float($0 % 4) }
        let data = try Dataset(
            columns: plain.columns, featureNames: plain.featureNames, target: plain.target,
            targetName: plain.targetName, weights: weights)
        let learner = try RandomForestClassifier(trees: 1, bootstrap: false, seed: 1)
        for tree in try learner.grow(trees: 0..<1, on: data) {
            #expect(tree.cover == reached(tree, data) { Double(weights[$0]) })
        }
    }

    @Test("A booster's tree counts rows; those left out of its sample do not count")
    func booster() throws {
        let data = try SampleData.regression()
        var values = ["rounds": "4", "num_leaves": "12", "min_data_in_leaf": "3"]
        let all = try GradientBoostingRegressor(BoosterParameters(named: values))
        for tree in try all.fit(data, threads: 2).ensemble.trees {
            #expect(tree.cover == reached(tree, data))
        }
        values["bagging_fraction"] = "0.5"
        values["bagging_freq"] = "1"
        let half = try GradientBoostingRegressor(BoosterParameters(named: values))
        for tree in try half.fit(data, threads: 2).ensemble.trees {
            expectSums(tree)
            #expect((100...200).contains(tree.cover[0]))
        }
    }

    @Test("An oblique tree counts the rows it sees")
    func oblique() throws {
        let data = try SampleData.withMissing()
        let learner = try ObliqueForestClassifier(trees: 2, seed: 2)
        for tree in try learner.grow(trees: 0..<2, on: data) {
            #expect(tree.cover[0] == Float(data.rowCount))
            expectSums(tree)
        }
    }

    @Test("Covers travel with the trees; what is no weight is refused")
    func coding() throws {
        let data = try SampleData.withMissing(rows: 80)
        let trees = try RandomForestClassifier(trees: 2, seed: 1).grow(trees: 0..<2, on: data)
        #expect(try TreeCodec.decode(TreeCodec.encode(trees)) == trees)
        for bad in [-1, Float.infinity, .nan] {
            var tree = trees[0]
            tree.cover[1] = bad
            let ensemble = TreeEnsemble(
                featureCount: data.featureCount, outputCount: 2, trees: [tree])
            #expect(throws: EnsembleError.self) { try ensemble.validate() }
        }
        var short = trees[0]
        short.cover.removeLast()
        let ensemble = TreeEnsemble(
            featureCount: data.featureCount, outputCount: 2, trees: [short])
        #expect(throws: EnsembleError.self) { try ensemble.validate() }
    }
}
