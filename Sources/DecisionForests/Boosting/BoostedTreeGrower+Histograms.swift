/// How a leaf gets its histogram and its best split.
extension BoostedTreeGrower {
    /// Updates below which one thread sums a histogram alone: about 20 microseconds.
    static let parallelUpdates = 40_000

    /// Sums the root's histogram and searches its best split.
    func openRoot(_ root: inout Leaf) {
        guard !features.isEmpty, mayBeSplit(root), let slot = histograms.take() else { return }
        root.slot = slot
        root.isPacked = fitsPacked(root)
        let isShared = fill(slot, from: root)
        if isShared { collect(slot, isPacked: root.isPacked) }
        for bin in 0..<256 {
            let sums = node(root, slot: slot).sums(feature: features[0], bin: bin)
            root.g += sums.g
            root.h += sums.h
        }
        search(root, into: 0)
        choose(&root, from: 0)
    }

    /// Gives the children of `parent` what they need to be split in their turn.
    ///
    /// One child's histogram was summed when the parent was divided; the other takes the parent's
    /// slot and what the first one leaves of its histogram.
    func open(
        _ left: inout Leaf, _ right: inout Leaf, parent: Leaf, division: Division, isLast: Bool,
        others: inout [Leaf]
    ) {
        let needsLeft = !isLast && mayBeSplit(left)
        let needsRight = !isLast && mayBeSplit(right)
        guard needsLeft || needsRight else {
            discard(division)
            if let slot = parent.slot { histograms.giveBack(slot) }
            return
        }
        left.isPacked = fitsPacked(left)
        right.isPacked = fitsPacked(right)
        guard division.slot != nil, parent.slot != nil else {
            // No histogram to subtract from: each child is summed from its rows.
            if let slot = parent.slot { histograms.giveBack(slot) }
            if needsLeft { openAlone(&left, &others) }
            if needsRight { openAlone(&right, &others) }
            return
        }
        if division.isOfLeft {
            open(summed: &left, needsLeft, other: &right, needsRight, parent, division)
        } else {
            open(summed: &right, needsRight, other: &left, needsLeft, parent, division)
        }
    }

    private func open(
        summed: inout Leaf, _ needsSummed: Bool, other: inout Leaf, _ needsOther: Bool,
        _ parent: Leaf, _ division: Division
    ) {
        guard let slot = division.slot else { return }
        summed.slot = slot
        other.slot = parent.slot
        let (first, second) = (summed, other)
        forEachFeature { feature, worker in
            if division.isShared {
                histograms.collect(
                    feature: feature, into: slot, isPacked: first.isPacked, kernels: plan.kernels)
            }
            if needsSummed { search(first, feature, worker: worker, into: 0) }
            guard needsOther else { return }
            subtract(first, from: second, feature: feature, wasPacked: parent.isPacked)
            search(second, feature, worker: worker, into: 1)
        }
        if division.isShared { histograms.endCollecting() }
        if needsSummed { choose(&summed, from: 0) } else { close(&summed) }
        if needsOther { choose(&other, from: 1) } else { close(&other) }
    }

    private func openAlone(_ leaf: inout Leaf, _ others: inout [Leaf]) {
        guard let slot = takeSlot(&others) else { return }
        leaf.slot = slot
        if fill(slot, from: leaf) {
            collect(slot, isPacked: leaf.isPacked)
        }
        search(leaf, into: 0)
        choose(&leaf, from: 0)
    }

    /// A slot of its own, or that of the leaf which is least likely to be split soon.
    func takeSlot(_ others: inout [Leaf]) -> Int? {
        if let slot = histograms.take() { return slot }
        var least: Int?
        for (index, leaf) in others.enumerated() where leaf.slot != nil {
            guard let known = least else {
                least = index
                continue
            }
            if leaf.gain <= others[known].gain { least = index }
        }
        guard let least else { return nil }
        defer { others[least].slot = nil }
        return others[least].slot
    }

    private func close(_ leaf: inout Leaf) {
        if let slot = leaf.slot { histograms.giveBack(slot) }
        leaf.slot = nil
        leaf.split = nil
    }

    private func mayBeSplit(_ leaf: Leaf) -> Bool {
        leaf.rows.count >= 2 * max(1, plan.parameters.minRowsInLeaf)
            && leaf.depth < plan.parameters.maxDepth ?? .max
    }

    private func fitsPacked(_ leaf: Leaf) -> Bool {
        !rules.quanta.isWide && leaf.rows.count <= BoosterKernels.packedRowsMax
    }

    /// The histogram of a leaf, to be read.
    func node(_ leaf: Leaf, slot: Int) -> NodeHistogram {
        NodeHistogram(
            cells: UnsafePointer(histograms.cells(ofSlot: slot)), plane: histograms.plane,
            isPacked: leaf.isPacked, g: leaf.g, h: leaf.h, count: leaf.rows.count)
    }

    /// Sums the rows of a leaf into a slot. True if the sums are with the workers, to be collected.
    private func fill(_ slot: Int, from leaf: Leaf) -> Bool {
        let entries = states.entries(inSpare: leaf.isInSpare)
        let updates = leaf.rows.count * plan.tiles.paddedCount
        guard plan.team.size > 1, updates >= Self.parallelUpdates else {
            return fillAlone(slot, from: entries, leaf.rows)
        }
        let groups = groups(of: leaf.rows, isShared: true)
        plan.team.forEach(groups.count) { index, worker in
            add(leaf.rows.ranges[groups[index]], of: entries, worker: worker)
        }
        return true
    }

    /// The same on this thread.
    func fillAlone(
        _ slot: Int, from entries: UnsafePointer<UInt64>, _ rows: SectionedRows
    ) -> Bool {
        let isWide = rules.quanta.isWide
        guard isWide || rows.count <= BoosterKernels.packedRowsMax else {
            // More rows than packed cells can take: by way of the first worker's.
            add(rows.ranges, of: entries, worker: 0)
            return true
        }
        let cells = histograms.cells(ofSlot: slot)
        cells.update(repeating: 0, count: isWide ? 2 * histograms.plane : histograms.plane)
        forEachPiece(of: rows.ranges) { pieces, _ in
            isWide ? addWide(entries, pieces, to: cells) : addPacked(entries, pieces, to: cells)
        }
        return false
    }

    /// Sums rows into a worker's own cells.
    func add(
        _ ranges: some Sequence<Range<Int>>, of entries: UnsafePointer<UInt64>, worker: Int
    ) {
        forEachPiece(of: ranges) { pieces, count in
            if rules.quanta.isWide {
                addWide(entries, pieces, to: histograms.wideCells(ofWorker: worker))
            } else {
                addPacked(
                    entries, pieces,
                    to: histograms.packedCells(of: worker, rows: count, kernels: plan.kernels))
            }
        }
    }

    /// Runs `body` for ranges that together have at most `groupRowsMax` rows: few enough to stay in
    /// the cache while tile after tile is summed.
    private func forEachPiece(
        of ranges: some Sequence<Range<Int>>, _ body: (_ pieces: [Range<Int>], _ count: Int) -> Void
    ) {
        var pieces: [Range<Int>] = []
        var count = 0
        for range in ranges {
            var start = range.lowerBound
            while start < range.upperBound {
                let end = min(range.upperBound, start + Self.groupRowsMax - count)
                pieces.append(start..<end)
                count += end - start
                start = end
                guard count == Self.groupRowsMax else { continue }
                body(pieces, count)
                pieces.removeAll(keepingCapacity: true)
                count = 0
            }
        }
        if count > 0 { body(pieces, count) }
    }

    private func addPacked(
        _ entries: UnsafePointer<UInt64>, _ pieces: [Range<Int>],
        to cells: UnsafeMutablePointer<Int64>
    ) {
        for tile in activeTiles {
            for rows in pieces {
                plan.kernels.addPacked(
                    entries + rows.lowerBound, rows.count, plan.tiles.bins(of: tile),
                    tile.featureCount, cells + tile.firstFeature * 256)
            }
        }
    }

    private func addWide(
        _ entries: UnsafePointer<UInt64>, _ pieces: [Range<Int>],
        to cells: UnsafeMutablePointer<Int64>
    ) {
        for tile in activeTiles {
            for rows in pieces {
                plan.kernels.addWide(
                    entries + rows.lowerBound, rows.count, states.gradients.base,
                    (states.hessians?.base).map { UnsafePointer($0) }, plan.tiles.bins(of: tile),
                    tile.featureCount, cells + tile.firstFeature * 256, histograms.plane)
            }
        }
    }

    private func collect(_ slot: Int, isPacked: Bool) {
        forEachFeature { feature, _ in
            histograms.collect(
                feature: feature, into: slot, isPacked: isPacked, kernels: plan.kernels)
        }
        histograms.endCollecting()
    }

    /// Turns the parent's cells of a feature into those of the larger child.
    private func subtract(_ small: Leaf, from large: Leaf, feature: Int, wasPacked: Bool) {
        guard let smallSlot = small.slot, let slot = large.slot else { return }
        let source = histograms.cells(ofSlot: smallSlot) + feature * 256
        let target = histograms.cells(ofSlot: slot) + feature * 256
        let plane = histograms.plane
        switch (wasPacked, small.isPacked) {
        case (true, _):
            plan.kernels.subtract(source, 256, target)
        case (false, true):
            plan.kernels.subtractPacked(source, 256, target, plane)
        case (false, false):
            plan.kernels.subtract(source, 256, target)
            plan.kernels.subtract(source + plane, 256, target + plane)
        }
        if !wasPacked, large.isPacked { plan.kernels.narrow(target, 256, plane) }
    }

    /// Runs `body` for the tree's features, a few at a time on each thread.
    private func forEachFeature(_ body: (_ feature: Int, _ worker: Int) -> Void) {
        let isShared = plan.team.size > 1
        let groupSize = isShared ? max(1, features.count / (6 * plan.team.size)) : features.count
        let groupCount = (features.count + groupSize - 1) / groupSize
        plan.team.forEach(groupCount) { group, worker in
            let end = min(features.count, (group + 1) * groupSize)
            for index in group * groupSize..<end { body(features[index], worker) }
        }
    }

    private func search(_ leaf: Leaf, into side: Int) {
        forEachFeature { feature, worker in search(leaf, feature, worker: worker, into: side) }
    }

    private func search(_ leaf: Leaf, _ feature: Int, worker: Int, into side: Int) {
        guard let slot = leaf.slot else { return }
        let histogram = node(leaf, slot: slot)
        let hessianMin = max(leaf.hessianMin, rules.hessianMin(of: histogram))
        let valueBins = plan.valueBins[feature]
        let place = side * plan.valueBins.count + feature
        if plan.levels[feature] != nil {
            found[place] = CategoricalSplitSearch(rules: rules).best(
                of: histogram, feature: feature, valueBins: valueBins, hessianMin: hessianMin)
        } else if plan.isConstrained {
            found[place] = ConstrainedSplitSearch(rules: rules, bounds: leaf.bounds).best(
                of: histogram, feature: feature, valueBins: valueBins,
                direction: plan.parameters.monotone[feature], hessianMin: hessianMin)
        } else {
            let search = NumericSplitSearch(
                scratch: searchScratch.base + worker * NumericSplitSearch.scratchCount,
                kernels: plan.kernels)
            found[place] = search.best(
                of: histogram, feature: feature, valueBins: valueBins, hessianMin: hessianMin,
                rules: rules)
        }
    }

    /// What the node itself is worth, unsplit.
    private func ownScore(_ leaf: Leaf) -> Double {
        let sums = (g: Double(leaf.g), h: Double(leaf.h))
        guard plan.isConstrained else { return rules.score(g: sums.g, h: sums.h) }
        let search = ConstrainedSplitSearch(rules: rules, bounds: leaf.bounds)
        return search.score(sums, search.value(sums))
    }

    /// The bounds of a split leaf's children.
    func childBounds(
        of leaf: Leaf, _ split: NodeSplit
    ) -> (left: ClosedRange<Double>, right: ClosedRange<Double>) {
        guard plan.isConstrained else { return (leaf.bounds, leaf.bounds) }
        let right = (g: leaf.g - leaf.leftSums.g, h: leaf.h - leaf.leftSums.h)
        return ConstrainedSplitSearch(rules: rules, bounds: leaf.bounds).childBounds(
            left: (Double(leaf.leftSums.g), Double(leaf.leftSums.h)),
            right: (Double(right.g), Double(right.h)),
            direction: plan.parameters.monotone[split.feature], of: leaf.bounds)
    }

    /// Gives a leaf the best of the splits that were found: ties go to the lower feature. A leaf
    /// without a gain is closed.
    private func choose(_ leaf: inout Leaf, from side: Int) {
        let ofLevel = BoosterPlan.draw(
            features, share: plan.parameters.featureShareByLevel,
            chance: chance.child(0x6C65_7665).child(UInt64(leaf.depth)))  // "leve"
        let allowed = BoosterPlan.draw(
            ofLevel, share: plan.parameters.featureShareByNode,
            chance: chance.child(UInt64(leaf.node)))
        var best = NodeSplit()
        for feature in allowed {
            let split = found[side * plan.valueBins.count + feature]
            if split.score > best.score { best = split }
        }
        let own = ownScore(leaf)
        let gain = (best.score - own) * rules.scoreUnit
        // What rounding alone may leave is no gain.
        let least = max(plan.parameters.minGain, 1e-12 * own * rules.scoreUnit)
        guard best.score > -.infinity, gain > least, let slot = leaf.slot else {
            close(&leaf)
            return
        }
        leaf.split = best
        leaf.gain = gain
        leaf.leftSums = sums(in: node(leaf, slot: slot), best)
    }

    /// The sums of the rows that a split sends left.
    private func sums(in histogram: NodeHistogram, _ split: NodeSplit) -> (g: Int64, h: Int64) {
        var sums: (g: Int64, h: Int64) = (0, 0)
        for bin in 0..<256 {
            let isMissing = bin == Int(FeatureBinner.missingBin)
            let isLeft =
                isMissing
                ? split.missingGoesLeft
                : split.categories?.contains(bin) ?? (bin <= split.lastLeftBin)
            guard isLeft else { continue }
            let cell = histogram.sums(feature: split.feature, bin: bin)
            sums.g += cell.g
            sums.h += cell.h
        }
        return sums
    }

    /// Searches a leaf's splits again after one proved to leave too few rows on a side: what the
    /// hessian suggested was wrong there. Splits as small as that one are no longer taken.
    func searchAgain(_ leaf: inout Leaf, below split: NodeSplit) {
        guard leaf.slot != nil else {
            leaf.split = nil
            return
        }
        let smaller = min(leaf.leftSums.h, leaf.h - leaf.leftSums.h)
        leaf.hessianMin = max(leaf.hessianMin, Double(smaller) + 0.5)
        search(leaf, into: 0)
        choose(&leaf, from: 0)
    }
}
