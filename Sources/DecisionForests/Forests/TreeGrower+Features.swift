extension TreeGrower {
    /// Tries features in a random order until enough were seen and one was not constant (as in
    /// scikit-learn: constant ones count, but never end the search).
    func searchFeatures(of node: PendingNode) -> Split? {
        var best = Split()
        let (featureOrder, swaps) = (featureOrder, swaps)
        let drawsThresholds = plan.parameters.thresholds == .random
        var (tried, hasVaried) = (0, false)
        while tried < featureCount, tried < plan.featuresPerNode || !hasVaried {
            let pick = tried + node.chance.index(below: featureCount - tried, UInt64(tried) + 2)
            let feature = featureOrder[pick]
            featureOrder[pick] = featureOrder[tried]
            featureOrder[tried] = feature
            swaps[tried] = Int32(truncatingIfNeeded: pick)
            tried += 1
            let varies =
                drawsThresholds
                ? judgeOneThreshold(feature, of: node, best: &best)
                : kernel.search(view(Int(feature), of: node), feature: feature, best: &best)
            if varies { hasVaried = true }
        }
        // Undone, so that a node's features depend on the node alone.
        for turn in stride(from: tried - 1, through: 0, by: -1) {
            let pick = Int(swaps[turn])
            let feature = featureOrder[pick]
            featureOrder[pick] = featureOrder[turn]
            featureOrder[turn] = feature
        }
        return best.feature == Int32.max ? nil : best
    }

    /// Divides a feature at one random place (Geurts, Ernst and Wehenkel, "Extremely randomized
    /// trees", Machine Learning 63, 2006). False if the feature is constant in the node.
    ///
    /// The threshold is uniform between the least and the greatest value that occur in the bins
    /// which the node's rows occupy: of a feature with a bin per value, the node's own values. A
    /// bin goes left as a whole, if its middle is not above the threshold.
    private func judgeOneThreshold(
        _ feature: Int32, of node: PendingNode, best: inout Split
    ) -> Bool {
        let rows = view(Int(feature), of: node)
        if rows.isCategorical { return judgeOneSet(feature, rows, of: node, best: &best) }
        var (least, aboveGreatest): (UInt8, UInt8) = (.max, 0)
        var missingCount = 0
        for index in 0..<rows.count {
            let bin = rows.bins[Int(rows.rows[index])]
            least = min(least, bin)
            // The missing bin, the last of all, turns into 0.
            aboveGreatest = max(aboveGreatest, bin &+ 1)
            missingCount &+= bin == FeatureBinner.missingBin ? 1 : 0
        }
        guard aboveGreatest > 0 else { return false }
        let greatest = aboveGreatest - 1
        if least == greatest {
            guard missingCount > 0 else { return false }
            let cut = BinCut(
                lastLeftBin: greatest, firstRightBin: FeatureBinner.missingBin, threshold: .nan,
                hasMissing: true)
            kernel.judge(rows, at: cut, feature: feature, best: &best)
            return true
        }
        let place = node.chance.child(0x6375_7473).unit(UInt64(feature))  // "cuts"
        let cut = plan.data.cut(
            Int(feature), between: least, and: greatest, at: place, hasMissing: missingCount > 0)
        kernel.judge(rows, at: cut, feature: feature, best: &best)
        return true
    }
}

extension TreeGrower {
    /// Sends each of the node's categories left or right by chance. False if there is but one.
    private func judgeOneSet(
        _ feature: Int32, _ rows: NodeRows<Kernel.Payload>, of node: PendingNode,
        best: inout Split
    ) -> Bool {
        var seen = BinMask()
        for index in 0..<rows.count { seen.insert(rows.bins[Int(rows.rows[index])]) }
        let bins = (0..<FeatureBinner.missingBin).filter(seen.contains)
        let hasMissing = seen.contains(FeatureBinner.missingBin)
        guard let first = bins.first, bins.count > 1 || hasMissing else { return false }
        let chance = node.chance.child(0x6375_7473).child(UInt64(feature))  // "cuts"
        var left = BinMask(bins.filter { chance.bits(UInt64($0)) & 1 == 1 })
        var right = bins.filter { !left.contains($0) }
        if right.count == bins.count {
            left.insert(first)
            right.removeFirst()
        } else if right.isEmpty, bins.count > 1 {
            left = BinMask(bins.dropFirst())
            right = [first]
        }
        let cut = BinCut(
            lastLeftBin: 0, firstRightBin: right.first ?? FeatureBinner.missingBin,
            threshold: .nan, hasMissing: hasMissing, leftBins: left)
        kernel.judge(rows, at: cut, feature: feature, best: &best)
        return true
    }
}

extension BinnedDataset {
    /// The division at `place`, 0 ..< 1 of the way from the values of bin `least` to those of bin
    /// `greatest`, the greater one.
    func cut(
        _ feature: Int, between least: UInt8, and greatest: UInt8, at place: Double,
        hasMissing: Bool
    ) -> BinCut {
        func lowest(_ bin: Int) -> Double { Double(leastInBin[feature * 256 + bin]) }
        func highest(_ bin: Int) -> Double { Double(greatestInBin[feature * 256 + bin]) }
        let (low, high) = (lowest(Int(least)), highest(Int(greatest)))
        let threshold = low + place * (high - low)
        // The last bin whose middle is not above the threshold: at least the first, never the last.
        var (inside, outside) = (Int(least), Int(greatest))
        while outside - inside > 1 {
            let middle = (inside + outside) / 2
            if lowest(middle) + highest(middle) <= 2 * threshold {
                inside = middle
            } else {
                outside = middle
            }
        }
        let rounded = Float(threshold)
        let parts = Double(rounded) >= highest(inside) && Double(rounded) < lowest(inside + 1)
        return BinCut(
            lastLeftBin: UInt8(inside), firstRightBin: UInt8(inside + 1),
            threshold: parts ? rounded : .nan, hasMissing: hasMissing)
    }
}
