import DecisionForests

/// The part of the graph from the matrix of features to the scores before the transform.
///
/// Plain trees are one TreeEnsembleRegressor. Oblique nodes compare projections, which become
/// further columns: gathered, weighted and added term by term in double, in the order that the
/// model defines, so that both sides take the same branches. A projection per node makes wide
/// matrices, so the trees are cut into groups, whose scores are added in double.
struct ONNXScores {
    private let ensemble: TreeEnsemble
    private let levelCounts: [Int]
    /// The matrix of features as float32 and as double.
    private let matrix: String
    private let doubles: String

    /// Projections that are computed for all rows of a batch at once: 8 kB per row.
    private static let projectionCountMax = 1_024

    init(of model: TrainedModel, matrix: String, doubles: String) {
        ensemble = model.ensemble
        levelCounts = model.featureKinds.map { $0.levels?.count ?? 0 }
        self.matrix = matrix
        self.doubles = doubles
    }

    /// Adds the nodes; the scores' name, and whether they are double rather than float32.
    func add(to graph: inout ONNXGraph) -> (name: String, isDouble: Bool) {
        let groups = groups()
        let isImputed = !ensemble.imputations.isEmpty
        let imputed = isImputed ? addImputed(to: &graph) : ""
        // An exponential would magnify what a sum is rounded by.
        let isPlain =
            groups.count == 1 && ensemble.linear == nil
            && ensemble.transform != .exponential
        if isPlain, let group = groups.first {
            return (addTrees(group, named: "scores", imputed, hasBase: true, to: &graph), false)
        }
        graph.addConstant(
            "base_scores", dimensions: [1, ensemble.outputCount],
            .doubles(ensemble.baseScores.map(Double.init)))
        var sum = "base_scores"
        if let linear = ensemble.linear {
            let product = addProduct(linear, imputed, to: &graph)
            sum = graph.add("Add", [sum, product], as: "linear_scores")
        }
        for (number, group) in groups.enumerated() {
            let scores = addTrees(
                group, named: "scores_\(number)", imputed, hasBase: false, to: &graph)
            let wide = graph.addCast(scores, to: .double, as: scores + "_double")
            sum = graph.add("Add", [sum, wide], as: "sum_\(number)")
        }
        guard ensemble.linear != nil else { return (sum, true) }
        return (Self.addClip(sum, as: "clipped_scores", to: &graph), true)
    }

    /// Keeps a value within float32's finite numbers, as prediction does.
    static func addClip(_ value: String, as output: String, to graph: inout ONNXGraph) -> String {
        let limit = Double(Float.greatestFiniteMagnitude)
        graph.addConstant(output + "_minimum", dimensions: [], .double(-limit))
        graph.addConstant(output + "_maximum", dimensions: [], .double(limit))
        return graph.add(
            "Clip", [value, output + "_minimum", output + "_maximum"], as: output)
    }

    /// Trees in their order, cut where the projections of a group become too many.
    private func groups() -> [Range<Int>] {
        var groups: [Range<Int>] = []
        var (start, count) = (0, 0)
        for (index, tree) in ensemble.trees.enumerated() {
            if index > start, count + tree.projections.count > Self.projectionCountMax {
                groups.append(start..<index)
                (start, count) = (index, 0)
            }
            count += tree.projections.count
        }
        if start < ensemble.trees.count { groups.append(start..<ensemble.trees.count) }
        return groups
    }

    private func addTrees(
        _ group: Range<Int>, named name: String, _ imputed: String, hasBase: Bool,
        to graph: inout ONNXGraph
    ) -> String {
        let trees = ONNXTreeAttributes(
            of: ensemble, trees: group, levelCounts: levelCounts, hasBase: hasBase)
        var columns = doubles
        if trees.projectionCount > 0 {
            let sums = addProjections(of: group, named: name, imputed, to: &graph)
            columns = graph.add(
                "Concat", [columns, sums], as: name + "_columns",
                attributes: [("axis", .integer(1))])
        }
        return graph.add(
            "TreeEnsembleRegressor", [columns], as: name, domain: ONNXGraph.treeDomain,
            attributes: trees.attributes)
    }

    /// The features in double, missing values replaced, and a column of zeros behind them.
    private func addImputed(to graph: inout ONNXGraph) -> String {
        let isMissing = graph.add("IsNaN", [matrix], as: "is_missing")
        graph.addConstant(
            "imputations", dimensions: [1, ensemble.featureCount], .floats(ensemble.imputations))
        let filled = graph.add("Where", [isMissing, "imputations", matrix], as: "filled")
        let wide = graph.addCast(filled, to: .double, as: "filled_double")
        graph.addConstant("one_more_column", dimensions: [4], .integers([0, 0, 0, 1]))
        return graph.add("Pad", [wide, "one_more_column"], as: "filled_padded")
    }

    /// Projections of these trees as columns, one after the other.
    ///
    /// Term t of all projections is one step; a projection with fewer terms adds 0 × 0 there.
    private func addProjections(
        of group: Range<Int>, named name: String, _ imputed: String, to graph: inout ONNXGraph
    ) -> String {
        let all = ensemble.trees[group].flatMap { tree in
            zip(tree.projections.starts, tree.projections.starts.dropFirst()).map { start, end in
                (tree.projections, Int(start)..<Int(end))
            }
        }
        let termCount = all.map(\.1.count).max() ?? 0
        var sum = ""
        for term in 0..<max(1, termCount) {
            let label = "\(name)_term_\(term)"
            var features: [Int64] = []
            var weights: [Double] = []
            for (projections, terms) in all {
                let place = terms.lowerBound + term
                let isThere = place < terms.upperBound
                features.append(
                    isThere ? Int64(projections.features[place]) : Int64(ensemble.featureCount))
                weights.append(isThere ? Double(projections.weights[place]) : 0)
            }
            graph.addConstant(label + "_features", dimensions: [all.count], .integers(features))
            graph.addConstant(label + "_weights", dimensions: [all.count], .doubles(weights))
            let values = graph.add(
                "Gather", [imputed, label + "_features"], as: label + "_values",
                attributes: [("axis", .integer(1))])
            let product = graph.add("Mul", [values, label + "_weights"], as: label)
            sum = term == 0 ? product : graph.add("Add", [sum, product], as: label + "_sum")
        }
        return sum
    }

    private func addProduct(
        _ linear: LinearTerm, _ imputed: String, to graph: inout ONNXGraph
    ) -> String {
        let (features, outputs) = (ensemble.featureCount, ensemble.outputCount)
        // Row f holds feature f's coefficients; the column of zeros behind the features has zeros.
        var coefficients = [Double](repeating: 0, count: (features + 1) * outputs)
        for feature in 0..<features {
            for output in 0..<outputs {
                coefficients[feature * outputs + output] =
                    linear.coefficients[output * features + feature]
            }
        }
        graph.addConstant(
            "coefficients", dimensions: [features + 1, outputs], .doubles(coefficients))
        return graph.add("MatMul", [imputed, "coefficients"], as: "weighted_features")
    }
}
