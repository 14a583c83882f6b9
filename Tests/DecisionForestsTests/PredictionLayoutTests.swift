import Testing

@testable import DecisionForests

@Suite("Every layout and every build of the loops answers with the same bytes")
struct PredictionLayoutTests {
    typealias Shape = RandomEnsemble.Shape

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
        // Around 511 inputs, and with more: nodes have another form, and rows are cut in parts.
        Shape(leaves: 900, features: 255), Shape(leaves: 900, features: 256),
        Shape(leaves: 900, features: 900, trees: 4),
        Shape(leaves: 129, isDepthFirst: true),
        Shape(leaves: 700, outputs: 3, leafWidth: 3, isDepthFirst: true),
    ]

    @Test("One row, batches and threads equal a walk node by node", arguments: shapes)
    func agreement(shape: Shape) throws {
        let ensemble = RandomEnsemble.ensemble(shape)
        let rows = RandomEnsemble.rows(300, shape)
        let expected = rows.flatMap { RandomEnsemble.reference($0, ensemble) }
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
        let ensemble = RandomEnsemble.ensemble(shape)
        let rows = RandomEnsemble.rows(140, shape)
        let matrix = try FeatureMatrix(rows: rows)
        let sums = rows.flatMap { RandomEnsemble.sums($0, ensemble) }
        let leaves = rows.flatMap { row in
            ensemble.trees.map { RandomEnsemble.leaf(of: row, in: $0, ensemble) }
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
        var tree = RandomEnsemble.tree(Shape(leaves: leaves), Chance(seed: 9))
        for node in 0..<tree.nodeCount where tree.splitFeature[node] == Tree.leaf {
            tree.leftChild[node] = 0
        }
        tree.leafValues = [2.5]
        let ensemble = TreeEnsemble(
            featureCount: 7, outputCount: 1, trees: [tree, tree], aggregation: .sum)
        let rows = try FeatureMatrix(rows: RandomEnsemble.rows(70, Shape(leaves: leaves)))
        for choice in KernelChoice.available {
            let predictor = try Predictor(ensemble, kernels: choice)
            #expect(try predictor.predict(rows).allSatisfy { $0 == 5 })
            let first = try FeatureMatrix(values: Array(rows.values[..<7]), featureCount: 7)
            #expect(try predictor.predict(first) == [5])
        }
    }

    @Test("Zeros of either sign are equal, and the numbers next to them are not")
    func zeros() throws {
        let edges: [Float] = [-0.0, 0, 0x1p-149, -0x1p-149, -.infinity, .infinity]
        let shape = Shape(leaves: 200, features: 5)
        let trees = (0..<4).map { number in
            var tree = RandomEnsemble.tree(shape, Chance(seed: 6).child(UInt64(number)))
            for node in 0..<tree.nodeCount where tree.splitFeature[node] != Tree.leaf {
                tree.threshold[node] = edges[(number + node) % 4]
            }
            return tree
        }
        let ensemble = TreeEnsemble(
            featureCount: shape.features, outputCount: 1, trees: trees, aggregation: .sum)
        let chance = Chance(seed: 3)
        let rows = (0..<100).map { row in
            (0..<shape.features).map { feature in
                edges[chance.index(below: edges.count, UInt64(row * shape.features + feature))]
            }
        }
        try expectReference(of: rows, ensemble)
    }

    /// A root whose left child has so many leaves below it, one level after the other, and whose
    /// right child is no leaf.
    private func wideTree(leafCount: Int, features: Int) -> Tree {
        var tree = Tree(
            splitFeature: [], threshold: [], missingGoesLeft: [], leftChild: [], leafValues: [])
        func append(_ child: Int, isLeaf: Bool = false) {
            let number = tree.splitFeature.count
            tree.splitFeature.append(isLeaf ? Tree.leaf : Int32(number % features))
            tree.threshold.append(isLeaf ? 0 : Float(number % 19) - 9)
            tree.missingGoesLeft.append(!isLeaf && number % 3 == 0)
            tree.leftChild.append(Int32(child))
        }
        append(1)
        append(3)
        append(2 * leafCount + 1)
        // The nodes below the left child, in the order of a heap.
        for place in 2..<2 * leafCount {
            append(
                place < leafCount ? 2 * place + 1 : place - leafCount, isLeaf: place >= leafCount)
        }
        append(leafCount, isLeaf: true)
        append(leafCount + 1, isLeaf: true)
        tree.leafValues = (0..<leafCount + 2).map { Float($0) }
        return tree
    }

    @Test("Where children stand too far away for the form of nodes, walks go one by one")
    func farChildren() throws {
        // 602 inputs leave 17 bits: a distance of 131,071 nodes.
        let cases = [
            (65_537, 40, "walks"), (65_536, 301, "walks"),
            (65_537, 301, "one walk after the other"),
        ]
        for (leafCount, features, name) in cases {
            let ensemble = TreeEnsemble(
                featureCount: features, outputCount: 1,
                trees: [wideTree(leafCount: leafCount, features: features)], aggregation: .sum)
            #expect(try Predictor(ensemble).layoutNames.together == name)
            try expectReference(
                of: RandomEnsemble.rows(40, Shape(leaves: 2, features: features)), ensemble)
        }
    }

    /// Each row alone and all together get what a walk node by node answers, in every build.
    private func expectReference(of rows: [[Float]], _ ensemble: TreeEnsemble) throws {
        let expected = rows.flatMap { RandomEnsemble.reference($0, ensemble) }
        for choice in KernelChoice.available {
            let predictor = try Predictor(ensemble, kernels: choice)
            #expect(try predictor.predict(FeatureMatrix(rows: rows)) == expected)
            let alone = try rows.flatMap { try predictor.predict(FeatureMatrix(rows: [$0])) }
            #expect(alone == expected)
        }
    }

    @Test("A predictor says by which layout it scores")
    func layoutNames() throws {
        for choice in KernelChoice.available {
            let alone = [31, 100, 900].map { choice >= .avx2 && $0 <= 64 ? "leaf bits" : "walks" }
            let together = ["blocks", "blocks", "walks"]
            for (number, leaves) in [31, 100, 900].enumerated() {
                let ensemble = RandomEnsemble.ensemble(Shape(leaves: leaves, trees: 40))
                let names = try Predictor(ensemble, kernels: choice).layoutNames
                #expect(names.alone == alone[number])
                #expect(names.together == together[number])
            }
        }
    }
}
