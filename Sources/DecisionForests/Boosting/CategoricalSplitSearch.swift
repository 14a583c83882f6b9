/// Judges splits that send a set of categories left.
///
/// Few categories are tried one against the others. More are sorted by G / H, after which the best
/// set is a prefix of the order (Fisher, "On Grouping for Maximum Homogeneity", JASA 53, 1958); as
/// in LightGBM the set is the smaller side, rare categories are left out, and a larger L2 penalty
/// makes up for the freedom of choice. Missing values and categories never seen go right.
struct CategoricalSplitSearch {
    let rules: SplitRules
    private let parameters: BoosterParameters

    init(rules: SplitRules) {
        self.rules = rules
        parameters = rules.parameters
    }

    private struct Side {
        var g: Int64 = 0
        var h: Int64 = 0
        var rows = 0.0
    }

    private struct Category {
        let bin: Int
        let g: Int64
        let h: Int64
        let rows: Double
        let order: Double
    }

    /// The best split of the node by this feature.
    func best(
        of node: NodeHistogram, feature: Int, valueBins: Int, hessianMin: Double
    ) -> NodeSplit {
        var best = NodeSplit()
        best.feature = feature
        best.lastLeftBin = -1
        best.hasMissing = true
        let categories = occupied(node, feature: feature, valueBins: valueBins)
        if valueBins <= parameters.oneHotCategoriesMax {
            for category in categories {
                offer(
                    [category][...], Side(g: category.g, h: category.h, rows: category.rows), node,
                    lambda: rules.lambdaL2, hessianMin: hessianMin, best: &best)
            }
            return best
        }
        let kept = categories.filter { $0.rows.rounded() >= parameters.categorySmoothing }
            .sorted { ($0.order, $0.bin) < ($1.order, $1.bin) }
        searchPrefixes(of: kept, node, hessianMin: hessianMin, best: &best)
        searchPrefixes(of: kept.reversed(), node, hessianMin: hessianMin, best: &best)
        return best
    }

    private func occupied(
        _ node: NodeHistogram, feature: Int, valueBins: Int
    ) -> [Category] {
        let rowsPerHessian = Double(node.count) / Double(max(1, node.h))
        let smoothing = parameters.categorySmoothing / rules.quanta.histogramHessian
        return (0..<valueBins).compactMap { bin in
            let sums = node.sums(feature: feature, bin: bin)
            guard sums.h > 0 else { return nil }
            return Category(
                bin: bin, g: sums.g, h: sums.h, rows: Double(sums.h) * rowsPerHessian,
                order: Double(sums.g) / (Double(sums.h) + smoothing))
        }
    }

    private func searchPrefixes(
        of order: [Category], _ node: NodeHistogram, hessianMin: Double, best: inout NodeSplit
    ) {
        let lambda = rules.lambdaL2 + parameters.categoryL2 / rules.quanta.histogramHessian
        let longest = min(parameters.categoriesInSplitMax, (order.count + 1) / 2)
        var side = Side()
        var groupRows = 0.0
        for (index, category) in order.prefix(longest).enumerated() {
            side.g += category.g
            side.h += category.h
            side.rows += category.rows
            groupRows += category.rows
            let rightRows = Double(node.count) - side.rows
            let least = Double(max(parameters.minRowsInLeaf, parameters.minRowsInCategoryGroup))
            guard rightRows >= least, Double(node.h - side.h) >= hessianMin else { return }
            guard Double(side.h) >= hessianMin,
                groupRows >= Double(parameters.minRowsInCategoryGroup)
            else { continue }
            groupRows = 0
            offer(
                order[...index], side, node, lambda: lambda, hessianMin: hessianMin, best: &best)
        }
    }

    private func offer(
        _ left: ArraySlice<Category>, _ side: Side, _ node: NodeHistogram, lambda: Double,
        hessianMin: Double, best: inout NodeSplit
    ) {
        let (leftH, rightH) = (Double(side.h), Double(node.h - side.h))
        guard min(leftH, rightH) >= hessianMin else { return }
        let leftG = SplitRules.shrunk(Double(side.g), by: rules.lambdaL1)
        let rightG = SplitRules.shrunk(Double(node.g - side.g), by: rules.lambdaL1)
        let score = leftG * leftG / (leftH + lambda) + rightG * rightG / (rightH + lambda)
        guard score > best.score else { return }
        best.score = score
        var set = BinSet()
        for category in left { set.insert(category.bin) }
        best.categories = set
    }
}
