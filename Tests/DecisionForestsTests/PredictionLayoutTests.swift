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
