@testable import DecisionForests

/// Shapley values by their definition: the mean over all subsets of the other features of what a
/// feature adds, with the value of each subset from a walk down both sides of what is left out.
struct ShapOracle {
    let ensemble: TreeEnsemble

    /// Per output, what the ensemble's trees expect of a row of which `known` features are known.
    func value(_ row: [Float], known: Int) -> [Double] {
        var sums = ensemble.baseScores.map(Double.init)
        for (number, tree) in ensemble.trees.enumerated() {
            let first = ensemble.leafWidth == 1 ? number % ensemble.outputCount : 0
            for (offset, value) in walk(tree, 0, row, known).enumerated() {
                sums[first + offset] += value
            }
        }
        guard ensemble.aggregation == .average else { return sums }
        let trees = ensemble.trees.count * ensemble.leafWidth / ensemble.outputCount
        return sums.map { $0 / Double(trees) }
    }

    private func walk(_ tree: Tree, _ node: Int, _ row: [Float], _ known: Int) -> [Double] {
        let child = Int(tree.leftChild[node])
        guard tree.splitFeature[node] != Tree.leaf else {
            let width = ensemble.leafWidth
            return tree.leafValues[child * width..<(child + 1) * width].map(Double.init)
        }
        let feature = Int(tree.splitFeature[node])
        guard known >> feature & 1 == 0 else {
            return walk(
                tree, Self.goesLeft(row[feature], tree, node) ? child : child + 1, row, known)
        }
        let (left, right) = (Double(tree.cover[child]), Double(tree.cover[child + 1]))
        let share = left + right > 0 ? left / (left + right) : 0.5
        return zip(walk(tree, child, row, known), walk(tree, child + 1, row, known)).map {
            share * $0 + (1 - share) * $1
        }
    }

    static func goesLeft(_ value: Float, _ tree: Tree, _ node: Int) -> Bool {
        guard !tree.categorySet.isEmpty, tree.categorySet[node] >= 0 else {
            return value.isNaN ? tree.missingGoesLeft[node] : value <= tree.threshold[node]
        }
        let set = Int(tree.categorySet[node])
        let words = tree.categorySets.starts[set]..<tree.categorySets.starts[set + 1]
        guard value >= 0, value < Float(words.count * 32) else { return tree.missingGoesLeft[node] }
        let word = tree.categorySets.words[Int(words.lowerBound) + Int(value) / 32]
        return word >> UInt32(Int(value) % 32) & 1 == 1
    }

    /// What each feature adds to each output: feature f to output k at `k * featureCount + f`.
    func contributions(_ row: [Float]) -> [Double] {
        let features = ensemble.featureCount
        let values = (0..<1 << features).map { value(row, known: $0) }
        // (s)! (m − 1 − s)! / m! for s known features of m.
        var weights = [1 / Double(features)]
        for size in 1..<max(1, features) {
            weights.append(weights[size - 1] * Double(size) / Double(features - size))
        }
        var sums = [Double](repeating: 0, count: ensemble.outputCount * features)
        for known in values.indices {
            let size = known.nonzeroBitCount
            for feature in 0..<features where known >> feature & 1 == 0 {
                for output in 0..<ensemble.outputCount {
                    let added = values[known | 1 << feature][output] - values[known][output]
                    sums[output * features + feature] += weights[size] * added
                }
            }
        }
        return sums
    }

    /// The raw scores, in Double.
    func scores(_ row: [Float]) -> [Double] { value(row, known: (1 << row.count) - 1) }
}
