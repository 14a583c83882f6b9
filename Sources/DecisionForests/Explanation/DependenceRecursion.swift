/// Partial dependence from the trees and the training weights in them: a node that tests one of the
/// features sends a point of the grid on, all others share it among their children by the weight
/// that went there (Hastie, Tibshirani and Friedman, "The elements of statistical learning", 2009,
/// section 10.13.2).
struct DependenceRecursion {
    private let ensemble: TreeEnsemble
    private let trees: [Tree]
    private let features: [Int]

    /// For an ensemble that was validated. Throws for weighted sums and for missing covers.
    init(_ ensemble: TreeEnsemble, features: [Int]) throws(ExplanationError) {
        try ensemble.checkRules()
        self.ensemble = ensemble
        trees = Array(ensemble.trees)
        self.features = features
        for (number, tree) in trees.enumerated() {
            // This throws for what a walk cannot take.
            _ = try ShapWalk(tree, number: number, leafWidth: ensemble.leafWidth, firstWord: 0)
        }
    }

    func dependence(on grids: [[Float]], threads: Int) -> PartialDependence {
        let pointCount = grids.reduce(1) { $0 * $1.count }
        let answers = Parallel.map(pointCount, threads: max(1, threads)) { point, _ in
            scores(at: PartialDependence.values(point, of: grids))
        }
        let outputs = ensemble.outputCount
        return PartialDependence(
            features: features, grids: grids, outputCount: outputs,
            averages: (0..<outputs).flatMap { output in answers.map { $0[output] } }, curves: [])
    }

    private func scores(at values: [Float]) -> [Double] {
        var sums = ensemble.baseScores.map(Double.init)
        if let linear = ensemble.linear {
            var row = ensemble.imputations
            for (feature, value) in zip(features, values) where !value.isNaN {
                row[feature] = value
            }
            for place in linear.coefficients.indices {
                let (output, feature) = place.quotientAndRemainder(
                    dividingBy: ensemble.featureCount)
                sums[output] += linear.coefficients[place] * Double(row[feature])
            }
        }
        for (number, tree) in trees.enumerated() {
            add(tree, at: values, to: &sums, first: number % ensemble.outputCount)
        }
        guard ensemble.aggregation == .average else { return sums }
        let treesPerOutput = trees.count * ensemble.leafWidth / ensemble.outputCount
        return sums.map { $0 / Double(max(1, treesPerOutput)) }
    }

    private func add(_ tree: Tree, at values: [Float], to sums: inout [Double], first: Int) {
        let width = ensemble.leafWidth
        let output = width == 1 ? first : 0
        var pending = [(node: 0, weight: 1.0)]
        while let (node, weight) = pending.popLast() {
            let child = Int(tree.leftChild[node])
            guard tree.splitFeature[node] != Tree.leaf else {
                for offset in 0..<width {
                    sums[output + offset] +=
                        weight * Double(tree.leafValues[child * width + offset])
                }
                continue
            }
            if let place = features.firstIndex(of: Int(tree.splitFeature[node])) {
                let goesLeft = tree.sendsLeft(values[place], at: node)
                pending.append((child + (goesLeft ? 0 : 1), weight))
            } else {
                let ratios = ShapWalk.ratios(tree.cover[child], tree.cover[child + 1])
                pending.append((child + 1, weight * ratios.right))
                pending.append((child, weight * ratios.left))
            }
        }
    }
}

extension TreeEnsemble {
    /// Throws unless zeros are numbers and unknown categories go where missing values go.
    func checkRules() throws(ExplanationError) {
        guard zeroIsMissing.isEmpty, unknownCategory == .followsMissing else {
            throw .foreignRules
        }
    }
}

extension Tree {
    /// Whether an inner node that tests one feature sends this value left.
    func sendsLeft(_ value: Float, at node: Int) -> Bool {
        guard isCategorical(node) else {
            return value <= threshold[node] || (value.isNaN && missingGoesLeft[node])
        }
        let set = Int(categorySet[node])
        let range = Int(categorySets.starts[set])..<Int(categorySets.starts[set + 1])
        return categorySets.words.withUnsafeBufferPointer { words in
            words.baseAddress.flatMap { CategorySets.contains(value, $0, range) }
                ?? missingGoesLeft[node]
        }
    }
}
