/// Judges splits where some features may move scores in one direction only.
///
/// LightGBM's basic method: a leaf's value must lie within bounds that the splits above it set; a
/// split by a monotone feature must order its sides' values, and sets their middle as a bound
/// between everything below the one side and everything below the other.
struct ConstrainedSplitSearch {
    let rules: SplitRules
    /// The node's bounds in the histograms' units.
    let bounds: ClosedRange<Double>

    /// - Parameter bounds: Of leaf values before the learning rate.
    init(rules: SplitRules, bounds: ClosedRange<Double>) {
        self.rules = rules
        let unit = rules.valueUnit
        self.bounds = bounds.lowerBound / unit...bounds.upperBound / unit
    }

    /// The best split of the node by this feature, which `direction` 1, −1 or 0 constrains.
    func best(
        of node: NodeHistogram, feature: Int, valueBins: Int, direction: Int, hessianMin: Double
    ) -> NodeSplit {
        var best = NodeSplit()
        best.feature = feature
        let missing = node.sums(feature: feature, bin: Int(FeatureBinner.missingBin))
        best.hasMissing = missing.g != 0 || missing.h != 0
        for missingGoesLeft in best.hasMissing ? [false, true] : [false] {
            var (g, h) = missingGoesLeft ? missing : (0, 0)
            let cutCount = best.hasMissing && !missingGoesLeft ? valueBins : valueBins - 1
            for bin in 0..<max(0, cutCount) {
                let sums = node.sums(feature: feature, bin: bin)
                (g, h) = (g + sums.g, h + sums.h)
                let (left, right) = (Double(h), Double(node.h - h))
                guard min(left, right) >= hessianMin else { continue }
                let score = judge(
                    (Double(g), left), (Double(node.g - g), right), direction: direction)
                guard score > best.score else { continue }
                best.score = score
                best.lastLeftBin = bin
                best.missingGoesLeft = missingGoesLeft
            }
        }
        return best
    }

    private func judge(
        _ left: (g: Double, h: Double), _ right: (g: Double, h: Double), direction: Int
    ) -> Double {
        let (leftValue, rightValue) = (value(left), value(right))
        guard Double(direction) * (rightValue - leftValue) >= 0 else { return -.infinity }
        return score(left, leftValue) + score(right, rightValue)
    }

    /// The best value within the bounds.
    func value(_ side: (g: Double, h: Double)) -> Double {
        let size = side.h + rules.lambdaL2
        guard size > 0 else { return min(max(0, bounds.lowerBound), bounds.upperBound) }
        let free = -SplitRules.shrunk(side.g, by: rules.lambdaL1) / size
        return min(max(free, bounds.lowerBound), bounds.upperBound)
    }

    /// What a side gains by a value that need not be its best: G² / (H + λ) if it is.
    func score(_ side: (g: Double, h: Double), _ value: Double) -> Double {
        let g = SplitRules.shrunk(side.g, by: rules.lambdaL1)
        return -(2 * g * value + (side.h + rules.lambdaL2) * value * value)
    }

    /// The bounds of the two sides of a split, in leaf values.
    func childBounds(
        left: (g: Double, h: Double), right: (g: Double, h: Double), direction: Int,
        of bounds: ClosedRange<Double>
    ) -> (left: ClosedRange<Double>, right: ClosedRange<Double>) {
        guard direction != 0 else { return (bounds, bounds) }
        let middle = (value(left) + value(right)) / 2 * rules.valueUnit
        let kept = min(max(middle, bounds.lowerBound), bounds.upperBound)
        let (below, above) = (bounds.lowerBound...kept, kept...bounds.upperBound)
        return direction > 0 ? (below, above) : (above, below)
    }
}
