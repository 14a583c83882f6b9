import DecisionForests
import Foundation

/// Predicts straight from the definition, in double, so that writers are compared with what the
/// model means rather than with another fast path.
struct ReferencePrediction {
    let model: TrainedModel

    /// The regression value, or one share per class.
    func outputs(of row: [Float]) -> [Double] {
        let ensemble = model.ensemble
        var sums = [Double](repeating: 0, count: ensemble.outputCount)
        for tree in ensemble.trees {
            let leaf = leaf(of: row, in: tree)
            for output in sums.indices {
                sums[output] += Double(tree.leafValues[leaf * ensemble.outputCount + output])
            }
        }
        if ensemble.aggregation == .average {
            sums = sums.map { $0 / Double(ensemble.trees.count) }
        }
        sums = zip(sums, ensemble.baseScores).map { $0 + Double($1) }
        switch ensemble.transform {
        case .identity: return sums
        case .exponential: return sums.map { exp($0) }
        case .logistic: return [1 / (1 + exp(sums[0])), 1 / (1 + exp(-sums[0]))]
        case .softmax:
            let exponents = sums.map { exp($0 - (sums.max() ?? 0)) }
            return exponents.map { $0 / exponents.reduce(0, +) }
        }
    }

    private func leaf(of row: [Float], in tree: Tree) -> Int {
        var node = 0
        while tree.splitFeature[node] != Tree.leaf {
            let value = row[Int(tree.splitFeature[node])]
            let goesLeft =
                value.isNaN ? tree.missingGoesLeft[node] : value <= tree.threshold[node]
            node = Int(tree.leftChild[node]) + (goesLeft ? 0 : 1)
        }
        return Int(tree.leftChild[node])
    }
}
