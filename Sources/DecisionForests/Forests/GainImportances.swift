/// How much each feature's splits gained, as a share of all that was gained.
package enum GainImportances {
    /// The trees without their splits' gains, and what these say of the features.
    ///
    /// A tree's gains are normalised before the mean over the trees is taken, so that each tree
    /// counts alike, as in scikit-learn's `feature_importances_`; trees of one leaf do not count.
    /// Sums run over nodes and trees in their order. Gains that are not finite, from a damaged
    /// transport, count as none. The sum is 1, or 0 where nothing was split.
    package static func take(
        from trees: [Tree], featureCount: Int
    ) -> (trees: [Tree], importances: [Double]) {
        var sums = [Double](repeating: 0, count: featureCount)
        for tree in trees {
            var gains = [Double](repeating: 0, count: featureCount)
            for (feature, gain) in zip(tree.splitFeature, tree.splitGains)
            where (0..<featureCount).contains(Int(feature)) && gain.isFinite && gain > 0 {
                gains[Int(feature)] += Double(gain)
            }
            add(normalised(gains), to: &sums)
        }
        let kept = trees.map { tree in
            var kept = tree
            kept.splitGains = []
            return kept
        }
        return (kept, normalised(sums))
    }

    private static func add(_ values: [Double], to sums: inout [Double]) {
        for (index, value) in values.enumerated() { sums[index] += value }
    }

    private static func normalised(_ values: [Double]) -> [Double] {
        let sum = values.reduce(0, +)
        return sum > 0 ? values.map { $0 / sum } : values
    }
}
