/// Grows one oblique tree after another on one thread, which owns this grower and all its buffers.
///
/// Depth first, as `TreeGrower` does. Each node draws projections and judges them by bins of equal
/// width; of the best one the exact best threshold is then found by narrowing the bins around it.
/// Nodes of many rows judge the projections by a part of them, drawn evenly; the threshold comes
/// from all. Rows are divided by the very comparison that prediction makes.
final class ObliqueGrower<Kernel: SplitKernel> {
    private typealias Payload = Kernel.Payload

    private let plan: ObliquePlan
    private let kernel: Kernel
    private let search: ProjectionSearch
    private let rows: UnsafeMutablePointer<UInt32>
    private let payloads: UnsafeMutablePointer<Payload>
    /// Where the rows that go right wait while a node is divided.
    private let waitingRows: UnsafeMutablePointer<UInt32>
    private let waitingPayloads: UnsafeMutablePointer<Payload>

    /// A node whose rows are known and which is not yet a leaf or split.
    private struct PendingNode {
        let index: Int
        let start: Int
        let count: Int
        let depth: Int
        let chance: Chance
    }

    /// A node's split: the rows whose projected value is at most `threshold` go left.
    private struct ObliqueSplit {
        let terms: ProjectionTerms
        let threshold: Float
    }

    init(plan: ObliquePlan, values: UnsafePointer<Float>, kernel: Kernel) {
        self.plan = plan
        self.kernel = kernel
        search = ProjectionSearch(plan: plan, values: values)
        rows = .allocate(capacity: plan.rowCount)
        payloads = .allocate(capacity: plan.rowCount)
        waitingRows = .allocate(capacity: plan.rowCount)
        waitingPayloads = .allocate(capacity: plan.rowCount)
    }

    deinit {
        rows.deallocate()
        payloads.deallocate()
        waitingRows.deallocate()
        waitingPayloads.deallocate()
    }

    /// The tree of this number.
    func grow(tree number: Int) -> Tree {
        let chance = RowSample.chance(seed: plan.parameters.seed, tree: number)
        var tree = Tree(
            splitFeature: [], threshold: [], missingGoesLeft: [], leftChild: [], leafValues: [])
        tree.appendLeaf()
        var leafCount: Int32 = 0
        var pending = [
            PendingNode(
                index: 0, start: 0, count: drawRows(tree: number), depth: 0,
                chance: chance.child(0x726F_6F74))  // "root"
        ]
        while let node = pending.popLast() {
            kernel.open(payloads + node.start, count: node.count)
            guard mayBeSplit(node), let split = bestSplit(of: node) else {
                kernel.open(payloads + node.start, count: node.count)
                kernel.appendLeaf(to: &tree.leafValues)
                tree.leftChild[node.index] = leafCount
                tree.cover[node.index] = Float(kernel.weight)
                leafCount += 1
                continue
            }
            let leftCount = divide(node, by: split.threshold)
            let left = tree.nodeCount
            record(split, at: node.index, in: &tree)
            pending.append(
                PendingNode(
                    index: left + 1, start: node.start + leftCount, count: node.count - leftCount,
                    depth: node.depth + 1, chance: node.chance.child(1)))
            pending.append(
                PendingNode(
                    index: left, start: node.start, count: leftCount, depth: node.depth + 1,
                    chance: node.chance.child(0)))
        }
        return tree
    }

    /// Fills `rows` and `payloads` with the tree's rows in ascending order; returns how many.
    ///
    /// A sample that misses every row of nonzero weight is replaced by all rows.
    private func drawRows(tree: Int) -> Int {
        let sample = RowSample(rowCount: plan.rowCount, parameters: plan.parameters)
        waitingRows.initialize(repeating: 0, count: plan.rowCount)
        sample.draw(tree: tree, into: waitingRows)
        let count = takeDrawnRows()
        if count > 0 { return count }
        waitingRows.update(repeating: 1, count: plan.rowCount)
        return takeDrawnRows()
    }

    /// Takes the rows that `waitingRows` counts, with the plan's weights.
    private func takeDrawnRows() -> Int {
        var count = 0
        for row in 0..<plan.rowCount {
            let weight = waitingRows[row] &* (plan.weights.map { $0[row] } ?? 1)
            guard weight > 0 else { continue }
            (rows + count).initialize(to: UInt32(truncatingIfNeeded: row))
            (payloads + count).initialize(to: kernel.payload(row: row, weight: weight))
            count += 1
        }
        return count
    }

    private func mayBeSplit(_ node: PendingNode) -> Bool {
        let parameters = plan.parameters
        return node.count >= parameters.minSamplesSplit
            && node.count >= 2 * parameters.minSamplesLeaf
            && node.depth < parameters.maxDepth ?? .max && !kernel.isPure
            && !plan.draw.features.isEmpty
    }

    private func bestSplit(of node: PendingNode) -> ObliqueSplit? {
        guard let terms = bestProjection(of: node) else { return nil }
        kernel.open(payloads + node.start, count: node.count)
        search.project(terms, rows: rows + node.start, count: node.count)
        guard let threshold = threshold(of: node) else { return nil }
        return ObliqueSplit(terms: terms, threshold: threshold)
    }

    /// The projection whose best bins part the node's rows best, or those drawn of many.
    private func bestProjection(of node: PendingNode) -> ProjectionTerms? {
        let most = ProjectionSearch.rowCountMax
        var (rows, payloads, count) = (rows + node.start, payloads + node.start, node.count)
        var leafCountMin = plan.parameters.minSamplesLeaf
        if node.count > most {
            // One row of each of so many runs of rows.
            let chance = node.chance.child(0x7061_7274)  // "part"
            for index in 0..<most {
                let (start, end) = (index * node.count / most, (index + 1) * node.count / most)
                let pick = start + chance.index(below: end - start, UInt64(index))
                (waitingRows + index).initialize(to: rows[pick])
                (waitingPayloads + index).initialize(to: payloads[pick])
            }
            (rows, payloads, count) = (waitingRows, waitingPayloads, most)
            leafCountMin = max(1, leafCountMin * most / node.count)
            kernel.open(payloads, count: count)
        }
        let chance = node.chance.child(0x6472_6177)  // "draw"
        for isExhaustive in [false, true] {
            // Where no projection varies, features that do may be left: then each alone.
            search.open(rows, count: count, chance: isExhaustive ? nil : chance)
            var best = Split()
            for number in 0..<search.projectionCount {
                guard search.bin(projection: number) else { continue }
                let view = NodeRows<Payload>(
                    bins: search.bins, rows: search.positions, payloads: payloads, count: count,
                    leafCountMin: leafCountMin, isCategorical: false)
                _ = kernel.search(view, feature: Int32(number), best: &best)
            }
            if best.feature != Int32.max { return search.terms(of: Int(best.feature)) }
        }
        return nil
    }

    /// The best threshold for the values that `search` holds of the node's rows: bins as wide as
    /// all values first, then ever narrower ones around the best split, until they hold one value.
    private func threshold(of node: PendingNode) -> Float? {
        var edges = search.edges(count: node.count)
        guard edges.first < edges.last else { return nil }
        for _ in 0..<Self.passesMax {
            search.bin(count: node.count, between: edges.first, and: edges.last)
            let view = NodeRows<Payload>(
                bins: search.bins, rows: search.positions, payloads: payloads + node.start,
                count: node.count, leafCountMin: plan.parameters.minSamplesLeaf,
                isCategorical: false)
            var split = Split()
            _ = kernel.search(view, feature: 0, best: &split)
            guard split.feature == 0 else { return nil }
            let found = search.edges(
                count: node.count, left: split.lastLeftBin, right: split.firstRightBin)
            let isNarrower = found.first > edges.first || found.last < edges.last
            let isExact = found.first == found.greatestLeft && found.last == found.leastRight
            edges = found
            guard isNarrower, !isExact else { break }
        }
        return FeatureBinner.midpoint(edges.greatestLeft, edges.leastRight)
    }

    /// Each pass narrows the bins about a hundredfold: three tell all values apart.
    private static var passesMax: Int { 6 }

    /// Puts the node's rows that go left before those that go right; returns how many go left.
    private func divide(_ node: PendingNode, by threshold: Float) -> Int {
        let (rows, payloads, values) = (rows + node.start, payloads + node.start, search.projected)
        let (waitingRows, waitingPayloads) = (waitingRows, waitingPayloads)
        var (leftCount, rightCount) = (0, 0)
        for index in 0..<node.count {
            let (row, payload) = (rows[index], payloads[index])
            let goesLeft = values[index] <= threshold ? 1 : 0
            // Both are written and one counter moves: no branch to mispredict.
            rows[leftCount] = row
            payloads[leftCount] = payload
            (waitingRows + rightCount).initialize(to: row)
            (waitingPayloads + rightCount).initialize(to: payload)
            leftCount &+= goesLeft
            rightCount &+= 1 &- goesLeft
        }
        (rows + leftCount).update(from: waitingRows, count: rightCount)
        (payloads + leftCount).update(from: waitingPayloads, count: rightCount)
        return leftCount
    }

    /// Makes the node an inner one and appends its children.
    private func record(_ split: ObliqueSplit, at node: Int, in tree: inout Tree) {
        let number = tree.projections.append(
            features: split.terms.features, weights: split.terms.weights)
        tree.splitFeature[node] = -2 - number
        tree.threshold[node] = split.threshold
        tree.leftChild[node] = Int32(tree.nodeCount)
        tree.cover[node] = Float(kernel.weight)
        tree.appendLeaf()
        tree.appendLeaf()
    }
}

extension Tree {
    /// One more node, a leaf for now.
    fileprivate mutating func appendLeaf() {
        splitFeature.append(Tree.leaf)
        threshold.append(0)
        missingGoesLeft.append(false)
        leftChild.append(0)
        cover.append(0)
    }
}
