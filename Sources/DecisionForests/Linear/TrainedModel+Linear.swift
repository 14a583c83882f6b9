extension TrainedModel {
    /// A linear learner's model, in the columns' own units.
    ///
    /// Intercepts are rounded to float32: that is no more than the rounding of the columns
    /// themselves does to the scores.
    ///
    /// - Parameters:
    ///   - scales: What each column of the design was multiplied by.
    ///   - outputs: Per output the coefficients of the scaled columns, then the intercept.
    ///   - findings: What the solver tells beside the learner's parameters.
    init(
        linear design: LinearDesign, scales: [Double], outputs: [[Double]], task: Task,
        transform: TreeEnsemble.Transform, learner: some Learner, findings: [Parameter] = []
    ) throws {
        let dataset = design.dataset
        var coefficients = [Double](repeating: 0, count: dataset.featureCount * outputs.count)
        var intercepts: [Float] = []
        for (output, solution) in outputs.enumerated() {
            var intercept = solution[design.width]
            for (index, column) in design.columns.enumerated() where column.level == nil {
                let coefficient = solution[index] * scales[index]
                coefficients[output * dataset.featureCount + column.feature] = coefficient
                intercept -= coefficient * column.centre
            }
            intercepts.append(Float(intercept))
        }
        let ensemble = TreeEnsemble(
            featureCount: dataset.featureCount, outputCount: outputs.count,
            leafWidth: outputs.count,
            trees: Self.levelTrees(design, scales: scales, outputs: outputs), aggregation: .sum,
            baseScores: intercepts, transform: transform,
            linear: LinearTerm(coefficients: coefficients), imputations: design.imputations)
        self.init(
            ensemble: ensemble, featureNames: dataset.featureNames,
            featureKinds: dataset.featureKinds, optionalFeatures: dataset.optionalFeatures,
            targetName: dataset.targetName, task: task, learner: learner.name,
            parameters: learner.parameters + findings, trainingRowCount: dataset.rowCount)
        try validate()
    }

    /// A tree per column that became indicators. Its leaves hold how far each level's coefficients
    /// lie from the column's mean effect, which is what a missing or unknown level gets.
    private static func levelTrees(
        _ design: LinearDesign, scales: [Double], outputs: [[Double]]
    ) -> [Tree] {
        var trees: [Tree] = []
        var start = 0
        while start < design.width {
            let feature = design.columns[start].feature
            let end = design.columns[start...].firstIndex { $0.feature != feature } ?? design.width
            if design.columns[start].level != nil {
                var effects = Array(repeating: [Double](), count: end - start)
                let weights = design.columns[start..<end].map { $0.centre * design.totalWeight }
                for solution in outputs {
                    let own = (start..<end).map { solution[$0] * scales[$0] }
                    let mean = zip(own, design.columns[start..<end]).reduce(0) {
                        $0 + $1.0 * $1.1.centre
                    }
                    for level in own.indices { effects[level].append(own[level] - mean) }
                }
                trees.append(
                    Tree(effectsOfLevels: effects, weights: weights, feature: Int32(feature)))
            }
            start = end
        }
        return trees
    }
}

extension Tree {
    /// A tree that finds a level by halving and answers with its effects, one per output; zeros for
    /// missing and unknown levels, to whom no weight is counted.
    fileprivate init(effectsOfLevels effects: [[Double]], weights: [Double], feature: Int32) {
        let total = Float(weights.reduce(0, +))
        self.init(
            splitFeature: [feature, Tree.leaf, Tree.leaf], threshold: [0, 0, 0],
            missingGoesLeft: [false, false, false], leftChild: [1, 0, 0],
            leafValues: Array(repeating: 0, count: effects.first?.count ?? 1),
            categorySet: [0, -1, -1], cover: [total, total, 0])
        _ = categorySets.append(effects.indices)
        var pending = [(node: 1, levels: effects.indices)]
        while let (node, levels) = pending.popLast() {
            if levels.count == 1 {
                leftChild[node] = Int32(leafValues.count / effects[levels.lowerBound].count)
                leafValues += effects[levels.lowerBound].map { Float($0) }
                continue
            }
            let middle = levels.lowerBound + levels.count / 2
            splitFeature[node] = feature
            categorySet[node] = categorySets.append(levels.lowerBound..<middle)
            let left = nodeCount
            leftChild[node] = Int32(left)
            splitFeature += [Tree.leaf, Tree.leaf]
            threshold += [0, 0]
            missingGoesLeft += [false, false]
            leftChild += [0, 0]
            categorySet += [-1, -1]
            cover += [levels.lowerBound..<middle, middle..<levels.upperBound].map {
                Float(weights[$0].reduce(0, +))
            }
            pending.append((left + 1, middle..<levels.upperBound))
            pending.append((left, levels.lowerBound..<middle))
        }
    }
}
