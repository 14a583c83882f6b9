import Testing

@testable import DecisionForests

/// Ensembles of random trees, rows that try their edges, and what a walk node by node answers.
enum RandomEnsemble {
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
        /// Nodes stand in the order in which our forests grow them.
        var isDepthFirst = false

        var testDescription: String {
            "\(trees) × \(leaves) leaves, \(features) features, \(outputs) outputs, \(cuts) cuts"
        }
    }

    /// An ensemble of the same trees on every call.
    static func ensemble(_ shape: Shape) -> TreeEnsemble {
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
    static func tree(_ shape: Shape, _ chance: Chance) -> Tree {
        var tree = Tree(
            splitFeature: [Tree.leaf], threshold: [0], missingGoesLeft: [false], leftChild: [0],
            leafValues: [], categorySet: shape.categories > 0 ? [-1] : [])
        var open = [0]
        var counter: UInt64 = 0
        func draw(_ bound: Int) -> Int {
            counter += 1
            return chance.index(below: bound, counter)
        }
        var closed: [Int] = []
        while open.count + closed.count < shape.leaves {
            if shape.isDepthFirst, open.count > 1, draw(2) == 0 { closed.append(open.removeLast()) }
            let node = shape.isDepthFirst ? open.removeLast() : open.remove(at: draw(open.count))
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
            open += shape.isDepthFirst ? [child + 1, child] : [child, child + 1]
        }
        for (leaf, node) in (closed + open).enumerated() {
            tree.leftChild[node] = Int32(leaf)
            for _ in 0..<shape.leafWidth {
                counter += 1
                tree.leafValues.append(Float(chance.unit(counter)) - 0.5)
            }
        }
        return tree
    }

    /// Rows in which every sixth value is missing, infinite, huge or at the edge of something.
    static func rows(_ count: Int, _ shape: Shape) -> [[Float]] {
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

    /// A row's scores as the types' documentation defines them.
    static func reference(_ row: [Float], _ ensemble: TreeEnsemble) -> [Float] {
        sums(row, ensemble).map { Float($0) }
    }

    /// A row's sums before the transform.
    static func sums(_ row: [Float], _ ensemble: TreeEnsemble) -> [Double] {
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

    /// The leaf that a walk node by node ends in.
    static func leaf(of row: [Float], in tree: Tree, _ ensemble: TreeEnsemble) -> Int {
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
