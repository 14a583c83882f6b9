import Synchronization

/// Which features the nodes of an ensemble compare with thresholds, and where they send missing
/// values: one pass over all trees, which threads share.
enum ComparedFeatures {
    /// A node's place in a table that has two for leaves and two for each feature: the first of
    /// nodes that send missing values right.
    @inline(__always)
    static func entry(of node: Int, _ trees: ColumnsView) -> Int {
        // A leaf's feature is −1.
        2 &* (Int(trees.feature[node]) &+ 1) &+ Int(trees.missingGoesLeft[node] & 1)
    }

    /// Features for which each thread gets a table of its own; wider ensembles are for one thread.
    private static let sharedFeatureCountMax = 1 << 14

    /// Such a table with 0 for what nodes test and −1 for all else, leaves too. Nil if a node asks
    /// only whether its feature is there: if it sends what is missing right and all else left.
    ///
    /// For sound trees without sets and projections.
    static func table(_ trees: ColumnsView, featureCount: Int) -> [Int32]? {
        let isNarrow = featureCount <= sharedFeatureCountMax
        let threads = isNarrow ? HelperPool.loadThreadCount : 1
        let size = 2 * (featureCount + 1)
        var tables = [Int32](repeating: -1, count: threads * size)
        let asksForPresence = Atomic<Bool>(false)
        tables.withUnsafeMutableBufferPointer { tables in
            guard let base = tables.baseAddress else { return }
            nonisolated(unsafe) let (trees, first) = (trees, base)
            let runs = trees.runs()
            HelperPool.shared.forEach(runs.count, threads: threads) { index, worker in
                if mark(trees.nodes(of: runs[index]), trees, first + worker * size) {
                    asksForPresence.store(true, ordering: .relaxed)
                }
            }
        }
        guard !asksForPresence.load(ordering: .relaxed) else { return nil }
        for worker in 1..<max(1, threads) {
            for entry in 0..<size {
                tables[entry] = max(tables[entry], tables[worker * size + entry])
            }
        }
        tables.removeLast((threads - 1) * size)
        (tables[0], tables[1]) = (-1, -1)
        return tables
    }

    /// Marks what some nodes test; whether one asks only whether its feature is there.
    private static func mark(
        _ nodes: Range<Int>, _ trees: ColumnsView, _ table: UnsafeMutablePointer<Int32>
    ) -> Bool {
        guard let features = trees.feature.baseAddress,
            let thresholds = trees.threshold.baseAddress,
            let flags = trees.missingGoesLeft.baseAddress
        else { return false }
        var found: UInt32 = 0
        for node in nodes {
            let isInfinite: UInt32 = thresholds[node] == .infinity ? 1 : 0
            let goesRight = UInt32(flags[node] & 1) ^ 1
            let isInner: UInt32 = features[node] == Tree.leaf ? 0 : 1
            found |= isInfinite & goesRight & isInner
            table[entry(of: node, trees)] = 0
        }
        return found != 0
    }
}
