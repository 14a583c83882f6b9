import DecisionForests
import Foundation

/// Predicts straight from the definition, in double, so that writers are compared with what the
/// model means rather than with another fast path.
struct ReferencePrediction {
    let model: TrainedModel

    /// The regression value, or one share per class.
    func outputs(of row: [Float]) -> [Double] {
        let ensemble = model.ensemble
        let imputed = zip(row, ensemble.imputations).map { Double($0.isNaN ? $1 : $0) }
        var sums = [Double](repeating: 0, count: ensemble.outputCount)
        for (number, tree) in ensemble.trees.enumerated() {
            let leaf = leaf(of: row, imputed, in: tree)
            for place in 0..<ensemble.leafWidth {
                let output = ensemble.leafWidth == 1 ? number % ensemble.outputCount : place
                sums[output] += Double(tree.leafValues[leaf * ensemble.leafWidth + place])
            }
        }
        if ensemble.aggregation == .average {
            let isShared = ensemble.leafWidth < ensemble.outputCount
            let treesPerOutput = ensemble.trees.count / (isShared ? ensemble.outputCount : 1)
            sums = sums.map { $0 / Double(treesPerOutput) }
        }
        sums = zip(sums, ensemble.baseScores).map { $0 + Double($1) }
        if let linear = ensemble.linear {
            for output in sums.indices {
                for (feature, value) in imputed.enumerated() {
                    sums[output] += linear.coefficients[output * row.count + feature] * value
                }
            }
        }
        let limit = Double(Float.greatestFiniteMagnitude)
        sums = sums.map { min(max($0, -limit), limit) }
        switch ensemble.transform {
        case .identity: return sums
        case .exponential: return sums.map { min(exp($0), limit) }
        case .logistic: return [1 / (1 + exp(sums[0])), 1 / (1 + exp(-sums[0]))]
        case .softmax:
            let exponents = sums.map { exp($0 - (sums.max() ?? 0)) }
            return exponents.map { $0 / exponents.reduce(0, +) }
        }
    }

    private func leaf(of row: [Float], _ imputed: [Double], in tree: Tree) -> Int {
        var node = 0
        while tree.splitFeature[node] != Tree.leaf {
            node = Int(tree.leftChild[node]) + (goesLeft(row, imputed, at: node, of: tree) ? 0 : 1)
        }
        return Int(tree.leftChild[node])
    }

    private func goesLeft(
        _ row: [Float], _ imputed: [Double], at node: Int, of tree: Tree
    ) -> Bool {
        let feature = Int(tree.splitFeature[node])
        guard feature >= 0 else {
            let (projections, number) = (tree.projections, -2 - feature)
            var sum = 0.0
            for term in projections.starts[number]..<projections.starts[number + 1] {
                let weight = Double(projections.weights[Int(term)])
                sum += weight * imputed[Int(projections.features[Int(term)])]
            }
            return sum <= Double(tree.threshold[node])
        }
        let value = row[feature]
        guard !tree.categorySet.isEmpty, tree.categorySet[node] >= 0 else {
            return value.isNaN ? tree.missingGoesLeft[node] : value <= tree.threshold[node]
        }
        let sets = tree.categorySets
        let set = Int(tree.categorySet[node])
        let words = sets.words[Int(sets.starts[set])..<Int(sets.starts[set + 1])]
        guard value >= 0, value < Float(words.count * 32) else { return tree.missingGoesLeft[node] }
        let code = Int(value)
        return words[words.startIndex + code / 32] & (1 << UInt32(code % 32)) != 0
    }
}
