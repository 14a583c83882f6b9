/// What a booster keeps of each row: target, weight, scores, gradients, and the entries that trees
/// sort into their nodes.
///
/// All arrays are flat and stay for the whole fit. Loops over rows work on chunks, so that what one
/// step of a chunk leaves is still in the cache for the next.
struct RowStates: Sendable {
    let rowCount: Int
    let sections: RowSections
    /// Scores per row.
    let outputCount: Int
    /// The class's number or the value of each row.
    let targets: HugeBuffer<Float>
    /// How much each row counts; nil if all count once.
    let weights: HugeBuffer<Float>?
    /// The score of row r for output k at `k * rowCount + r`: base plus the trees' values in the
    /// trees' order, as a `Predictor` sums them.
    let scores: HugeBuffer<Double>
    /// Gradients of the tree at hand: 30 bits and sign.
    let gradients: HugeBuffer<Int32>
    /// Hessians of the tree at hand in 30 bits; nil where all are 1.
    let hessians: HugeBuffer<Int32>?
    /// The rows in the order of the tree's nodes, see `HistogramKernel`, or `spare` has them.
    let entries: HugeBuffer<UInt64>
    /// Where a node's rows go when they are divided, and come back from when its children are.
    let spare: HugeBuffer<UInt64>
    /// The leaf that each row reached in the last tree.
    let leafOfRow: HugeBuffer<UInt16>

    /// Rows of a chunk: its floats fit the first cache.
    static let chunkRows = 2048

    /// For a fit on `threads` threads.
    init(
        targets: [Float], weights: [Float]?, outputCount: Int, hasHessians: Bool, threads: Int
    ) {
        rowCount = targets.count
        sections = RowSections(rowCount: rowCount, threads: threads)
        self.outputCount = outputCount
        self.targets = Self.copy(targets)
        self.weights = weights.map(Self.copy)
        scores = HugeBuffer(count: rowCount * outputCount)
        gradients = HugeBuffer(count: rowCount)
        hessians = hasHessians ? HugeBuffer(count: rowCount) : nil
        entries = HugeBuffer(count: rowCount)
        spare = HugeBuffer(count: rowCount)
        leafOfRow = HugeBuffer(count: rowCount)
    }

    private static func copy(_ values: [Float]) -> HugeBuffer<Float> {
        let buffer = HugeBuffer<Float>(count: values.count)
        values.withUnsafeBufferPointer { values in
            if let base = values.baseAddress { buffer.base.update(from: base, count: values.count) }
        }
        return buffer
    }

    var chunkCount: Int { (rowCount + Self.chunkRows - 1) / Self.chunkRows }

    /// The entries, or the spare ones.
    func entries(inSpare isInSpare: Bool) -> UnsafeMutablePointer<UInt64> {
        isInSpare ? spare.base : entries.base
    }

    /// The rows of a chunk.
    func rows(ofChunk chunk: Int) -> Range<Int> {
        let start = chunk * Self.chunkRows
        return start..<min(rowCount, start + Self.chunkRows)
    }
}
