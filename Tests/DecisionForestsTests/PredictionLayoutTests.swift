import Testing

@testable import DecisionForests

@Suite("Every layout and every build of the loops answers with the same bytes")
struct PredictionLayoutTests {
    /// What an ensemble of random trees is like.
    struct Shape: Sendable, CustomTestStringConvertible {
        var leaves: Int
        var features = 7
        var trees = 9
        var outputs = 1
        var leafWidth = 1
        var categories = 0
        /// Different thresholds of a feature; 0 for as many as there are nodes.
        var cuts = 0
        /// Some thresholds are infinite.
        var isUnbounded = false
        /// Zeros of every other feature count as missing.
        var zeroIsMissing = false
        var unknownCategory = TreeEnsemble.UnknownCategory.followsMissing

        var testDescription: String {
            "\(trees) × \(leaves) leaves, \(features) features, \(outputs) outputs, \(cuts) cuts"
        }
    }

    static let shapes: [Shape] = [
        Shape(leaves: 1), Shape(leaves: 2, features: 1), Shape(leaves: 31),
        Shape(leaves: 32, features: 50, trees: 40), Shape(leaves: 33), Shape(leaves: 128),
        Shape(leaves: 129), Shape(leaves: 900, features: 30),
        Shape(leaves: 31, features: 140), Shape(leaves: 31, trees: 60, cuts: 20),
        Shape(leaves: 100, features: 2, trees: 60), Shape(leaves: 24, outputs: 3),
        Shape(leaves: 70, outputs: 3), Shape(leaves: 500, outputs: 3),
        Shape(leaves: 24, outputs: 3, leafWidth: 3), Shape(leaves: 300, outputs: 4, leafWidth: 4),
        Shape(leaves: 20, categories: 40), Shape(leaves: 200, categories: 70),
        Shape(leaves: 30, isUnbounded: true), Shape(leaves: 300, cuts: 9, isUnbounded: true),
        Shape(leaves: 31, cuts: 9, zeroIsMissing: true),
        Shape(leaves: 250, features: 3, isUnbounded: true, zeroIsMissing: true),
        Shape(leaves: 20, categories: 40, zeroIsMissing: true, unknownCategory: .goesRight),
        Shape(leaves: 200, categories: 70, unknownCategory: .goesRight),
        Shape(leaves: 900, trees: 4, categories: 30, unknownCategory: .goesRight),
        Shape(leaves: 64, features: 60, trees: 35), Shape(leaves: 60, outputs: 2, leafWidth: 2),
        Shape(leaves: 31, features: 400, trees: 40), Shape(leaves: 12, features: 2, trees: 300),
        Shape(leaves: 8, trees: 70), Shape(leaves: 16, trees: 33, categories: 9),
    ]

    @Test("One row, batches and threads equal a walk node by node", arguments: shapes)
    func agreement(shape: Shape) throws {
        let ensemble = Self.ensemble(shape)
        let rows = Self.rows(300, shape)
        let expected = rows.flatMap { Self.reference($0, ensemble) }
        let matrix = try FeatureMatrix(rows: rows)
        for choice in KernelChoice.available {
            let predictor = try Predictor(ensemble, kernels: choice)
            for threads in [1, 3] {
                let found = try predictor.predict(matrix, threads: threads)
                #expect(found.map(\.bitPattern) == expected.map(\.bitPattern))
            }
            for count in [1, 2, 8, 11, 12, 63, 64, 65] {
                let part = try FeatureMatrix(rows: Array(rows[..<count]))
                let found = try predictor.predict(part)
                #expect(
                    found.map(\.bitPattern)
                        == expected[..<(count * predictor.outputCount)].map(\.bitPattern))
            }
            for (number, row) in rows.enumerated() {
                var scores = [Float](repeating: 0, count: predictor.outputCount)
                row.withUnsafeBufferPointer { row in
                    scores.withUnsafeMutableBufferPointer { predictor.predict(row: row, into: $0) }
                }
                let start = number * predictor.outputCount
                #expect(scores == Array(expected[start..<start + predictor.outputCount]))
            }
        }
    }

    @Test("Sums before the transform, and leaves, are those of a walk", arguments: shapes)
    func rawAndLeaves(shape: Shape) throws {
        let ensemble = Self.ensemble(shape)
        let rows = Self.rows(140, shape)
        let matrix = try FeatureMatrix(rows: rows)
        let sums = rows.flatMap { Self.sums($0, ensemble) }
        let leaves = rows.flatMap { row in
            ensemble.trees.map { Self.leaf(of: row, in: $0, ensemble) }
        }
        for threads in [1, 2] {
            #expect(try Predictor(ensemble).raw(matrix, threads: threads) == sums)
            let found = try LeafFinder(ensemble).leafIndices(of: matrix, threads: threads)
            #expect(found.map(Int.init) == leaves)
        }
        let narrow = try FeatureMatrix(values: [0], featureCount: 1)
        if shape.features > 1 {
            #expect(throws: DatasetError.self) { try Predictor(ensemble).raw(narrow) }
            #expect(throws: DatasetError.self) { try LeafFinder(ensemble).leafIndices(of: narrow) }
        }
    }

    @Test("Any number of nodes may share a leaf", arguments: [2, 65, 129, 300])
    func sharedLeaves(leaves: Int) throws {
        var tree = Self.tree(Shape(leaves: leaves), Chance(seed: 9))
        for node in 0..<tree.nodeCount where tree.splitFeature[node] == Tree.leaf {
            tree.leftChild[node] = 0
        }
        tree.leafValues = [2.5]
        let ensemble = TreeEnsemble(
            featureCount: 7, outputCount: 1, trees: [tree, tree], aggregation: .sum)
        let rows = try FeatureMatrix(rows: Self.rows(70, Shape(leaves: leaves)))
        for choice in KernelChoice.available {
            let predictor = try Predictor(ensemble, kernels: choice)
            #expect(try predictor.predict(rows).allSatisfy { $0 == 5 })
            let first = try FeatureMatrix(values: Array(rows.values[..<7]), featureCount: 7)
            #expect(try predictor.predict(first) == [5])
        }
    }

    @Test("A predictor says by which layout it scores")
    func layoutNames() throws {
        for choice in KernelChoice.available {
            let alone = [31, 100, 900].map { choice >= .avx2 && $0 <= 64 ? "leaf bits" : "walks" }
            let together = ["blocks", "blocks", "walks"]
            for (number, leaves) in [31, 100, 900].enumerated() {
                let ensemble = Self.ensemble(Shape(leaves: leaves, trees: 40))
                let names = try Predictor(ensemble, kernels: choice).layoutNames
                #expect(names.alone == alone[number])
                #expect(names.together == together[number])
            }
        }
    }

    // MARK: Random ensembles

    private static func ensemble(_ shape: Shape) -> TreeEnsemble {
        TreeEnsemble(
            featureCount: shape.features, outputCount: shape.outputs, leafWidth: shape.leafWidth,
            trees: (0..<shape.trees).map { tree(shape, Chance(seed: 5).child(UInt64($0))) },
            aggregation: .sum,
            baseScores: (0..<shape.outputs).map { Float($0) / 3 },
            zeroIsMissing: shape.zeroIsMissing
                ? (0..<shape.features).map { $0 % 2 == 0 } : [],
            unknownCategory: shape.unknownCategory)
    }

    /// Splits a random leaf until there are enough.
    private static func tree(_ shape: Shape, _ chance: Chance) -> Tree {
        var tree = Tree(
            splitFeature: [Tree.leaf], threshold: [0], missingGoesLeft: [false], leftChild: [0],
            leafValues: [], categorySet: shape.categories > 0 ? [-1] : [])
        var open = [0]
        var counter: UInt64 = 0
        func draw(_ bound: Int) -> Int {
            counter += 1
            return chance.index(below: bound, counter)
        }
        while open.count < shape.leaves {
            let node = open.remove(at: draw(open.count))
            let child = tree.nodeCount
            tree.splitFeature[node] = Int32(draw(shape.features))
            tree.missingGoesLeft[node] = draw(2) == 0
            tree.leftChild[node] = Int32(child)
            if shape.categories > 0, draw(2) == 0 {
                let codes = (0..<shape.categories).filter { _ in draw(2) == 0 }
                tree.categorySet[node] = tree.categorySets.append(codes)
            } else {
                let step = shape.cuts > 0 ? Double(draw(shape.cuts)) : chance.unit(counter) * 20
                tree.threshold[node] = Float(step) - 10
                if shape.isUnbounded, draw(4) == 0 {
                    tree.threshold[node] = draw(2) == 0 ? .infinity : -.infinity
                }
            }
            for _ in 0..<2 {
                tree.splitFeature.append(Tree.leaf)
                tree.threshold.append(0)
                tree.missingGoesLeft.append(false)
                tree.leftChild.append(0)
                if shape.categories > 0 { tree.categorySet.append(-1) }
            }
            open += [child, child + 1]
        }
        for (leaf, node) in open.enumerated() {
            tree.leftChild[node] = Int32(leaf)
            for _ in 0..<shape.leafWidth {
                counter += 1
                tree.leafValues.append(Float(chance.unit(counter)) - 0.5)
            }
        }
        return tree
    }

    private static func rows(_ count: Int, _ shape: Shape) -> [[Float]] {
        let chance = Chance(seed: 77)
        let special: [Float] = [
            .nan, .infinity, -.infinity, 0, -0.0, .greatestFiniteMagnitude, 0x1p-140, -10, 9, 3,
            1e-35, -1e-35, Float(1e-35).nextUp,
        ]
        return (0..<count).map { row in
            (0..<shape.features).map { feature in
                let counter = UInt64(row * shape.features + feature) * 3
                if chance.index(below: 6, counter) == 0 {
                    return special[chance.index(below: special.count, counter + 1)]
                }
                let value = chance.unit(counter + 2) * 24 - 12
                return shape.categories > 0 ? Float(value.rounded() * 4) : Float(value)
            }
        }
    }

    // MARK: The definition

    private static func reference(_ row: [Float], _ ensemble: TreeEnsemble) -> [Float] {
        sums(row, ensemble).map { Float($0) }
    }

    private static func sums(_ row: [Float], _ ensemble: TreeEnsemble) -> [Double] {
        var sums = ensemble.baseScores.map(Double.init)
        for (number, tree) in ensemble.trees.enumerated() {
            let leaf = leaf(of: row, in: tree, ensemble)
            for index in 0..<ensemble.leafWidth {
                let output = ensemble.leafWidth == 1 ? number % ensemble.outputCount : index
                sums[output] += Double(tree.leafValues[leaf * ensemble.leafWidth + index])
            }
        }
        return sums
    }

    private static func leaf(of row: [Float], in tree: Tree, _ ensemble: TreeEnsemble) -> Int {
        var node = 0
        while tree.splitFeature[node] != Tree.leaf {
            let feature = Int(tree.splitFeature[node])
            var value = row[feature]
            if !ensemble.zeroIsMissing.isEmpty, ensemble.zeroIsMissing[feature],
                abs(value) <= TreeEnsemble.zeroMax
            {
                value = .nan
            }
            var goesLeft = value.isNaN ? tree.missingGoesLeft[node] : value <= tree.threshold[node]
            if !tree.categorySet.isEmpty, tree.categorySet[node] >= 0 {
                let set = Int(tree.categorySet[node])
                let words = tree.categorySets.words[
                    Int(tree.categorySets.starts[set])..<Int(tree.categorySets.starts[set + 1])]
                let unknownGoesRight = ensemble.unknownCategory == .goesRight && !value.isNaN
                goesLeft = tree.missingGoesLeft[node] && !unknownGoesRight
                if value >= 0, value < Float(words.count * 32) {
                    let code = Int(value)
                    goesLeft = words[words.startIndex + code / 32] >> UInt32(code % 32) & 1 == 1
                }
            }
            node = Int(tree.leftChild[node]) + (goesLeft ? 0 : 1)
        }
        return Int(tree.leftChild[node])
    }
}
