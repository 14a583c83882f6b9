/// A data set as trees are grown from it: one byte per cell, column after column.
///
/// It holds all that growing needs, so that it can be sent without the values it was made from
/// (see `encoded()`): thresholds come from the least and greatest value of each bin.
public struct BinnedDataset: Sendable {
    /// One name per column.
    public let featureNames: [String]
    /// What each column's numbers stand for.
    public let featureKinds: [FeatureKind]
    /// The target column's name.
    public let targetName: String
    /// Classes or numbers.
    public let target: Dataset.Target
    /// How much each row counts; every row once if nil.
    public let weights: [Float]?
    /// Rows.
    public let rowCount: Int
    /// The data set that was binned; nil where only its bins have arrived.
    package let dataset: Dataset?
    /// Where the bins are cut.
    package let binner: FeatureBinner
    /// The bin of feature f in row r at `f * rowCount + r`.
    let bins: SharedBytes
    /// Per feature and bin at `f * 256 + b`, the least and the greatest value that occurs in it.
    /// A threshold halfway between two bins' values separates the rows of both as the bins do.
    let leastInBin: [Float]
    let greatestInBin: [Float]

    /// Columns.
    public var featureCount: Int { featureNames.count }

    /// Whether a column has missing values.
    func hasMissing(feature: Int) -> Bool {
        bins.withUnsafeBufferPointer { bins in
            bins[feature * rowCount..<(feature + 1) * rowCount].contains(FeatureBinner.missingBin)
        }
    }

    /// Threads that run at once on this machine: what learners use unless told otherwise.
    public static var threadsDefault: Int { Parallel.coreCount }

    /// The binned form of `dataset`. Any two machines get the same one.
    public init(_ dataset: Dataset, seed: UInt64, threads: Int = threadsDefault) {
        self.init(
            dataset, binner: FeatureBinner(dataset, seed: seed, threads: threads), threads: threads)
    }

    /// Bins by edges that are given, of a data set with as many features.
    package init(_ dataset: Dataset, binner: FeatureBinner, threads: Int) {
        precondition(binner.edges.count == dataset.featureCount, "one list of edges per feature")
        (featureNames, featureKinds) = (dataset.featureNames, dataset.featureKinds)
        (targetName, target) = (dataset.targetName, dataset.target)
        (weights, rowCount) = (dataset.weights, dataset.rowCount)
        self.dataset = dataset
        self.binner = binner
        let table = BinTable(dataset, binner: binner, threads: threads)
        (bins, leastInBin, greatestInBin) = (table.bins, table.least, table.greatest)
    }
}

/// The bins of all cells, and the least and the greatest value of each bin.
struct BinTable {
    let bins: SharedBytes
    let least: [Float]
    let greatest: [Float]

    init(_ dataset: Dataset, binner: FeatureBinner, threads: Int) {
        let (rowCount, featureCount) = (dataset.rowCount, dataset.featureCount)
        var least = [Float](repeating: .infinity, count: featureCount * 256)
        var greatest = [Float](repeating: -.infinity, count: featureCount * 256)
        let storage = ByteStorage(count: rowCount * featureCount) { buffer in
            least.withUnsafeMutableBufferPointer { least in
                greatest.withUnsafeMutableBufferPointer { greatest in
                    nonisolated(unsafe) let (bins, low, high) = (
                        buffer.bindMemory(to: UInt8.self), least, greatest
                    )
                    Parallel.forEach(featureCount, threads: threads) { feature, _ in
                        let table = binner.categoryBins[feature]
                        guard table.isEmpty else {
                            return Self.assign(
                                dataset.columns[feature], table: table,
                                to: UnsafeMutableBufferPointer(
                                    rebasing: bins[feature * rowCount..<(feature + 1) * rowCount]))
                        }
                        Self.assign(
                            dataset.columns[feature], edges: binner.edges[feature],
                            to: UnsafeMutableBufferPointer(
                                rebasing: bins[feature * rowCount..<(feature + 1) * rowCount]),
                            least: UnsafeMutableBufferPointer(
                                rebasing: low[feature * 256..<(feature + 1) * 256]),
                            greatest: UnsafeMutableBufferPointer(
                                rebasing: high[feature * 256..<(feature + 1) * 256]))
                    }
                }
            }
        }
        bins = SharedBytes(storage)
        (self.least, self.greatest) = (least, greatest)
    }

    /// The bin of each level code. A code without a level, which only rows of other data than the
    /// binner's can have, counts as missing.
    private static func assign(
        _ column: [Float], table: [UInt8], to bins: UnsafeMutableBufferPointer<UInt8>
    ) {
        for (row, value) in column.enumerated() {
            // False for NaN.
            let isKnown = value >= 0 && value < Float(table.count)
            bins.initializeElement(
                at: row, to: isKnown ? table[Int(value)] : FeatureBinner.missingBin)
        }
    }

    /// The bin of each value: how many edges lie below it.
    private static func assign(
        _ column: [Float], edges: [Float], to bins: UnsafeMutableBufferPointer<UInt8>,
        least: UnsafeMutableBufferPointer<Float>, greatest: UnsafeMutableBufferPointer<Float>
    ) {
        // Padded to 256 with infinities, so that the search always takes eight steps.
        let padded = edges + Array(repeating: .infinity, count: 256 - edges.count)
        padded.withUnsafeBufferPointer { edges in
            column.withUnsafeBufferPointer { column in
                guard let edges = edges.baseAddress, let values = column.baseAddress,
                    let bins = bins.baseAddress, let least = least.baseAddress,
                    let greatest = greatest.baseAddress
                else { return }
                var row = 0
                while row < column.count {
                    // Four searches side by side: each waits for its own loads only.
                    let found = search(values + row, min(4, column.count - row), edges)
                    for lane in 0..<min(4, column.count - row) {
                        let (value, bin) = (values[row + lane], Int(found[lane]))
                        let code =
                            value.isNaN
                            ? FeatureBinner.missingBin : UInt8(truncatingIfNeeded: bin)
                        (bins + row + lane).initialize(to: code)
                        // False for NaN.
                        if value < least[bin] { least[bin] = value }
                        if value > greatest[bin] { greatest[bin] = value }
                    }
                    row += 4
                }
            }
        }
    }

    /// The bins of up to four values, by halving; NaN gets bin 0.
    @inline(__always)
    private static func search(
        _ values: UnsafePointer<Float>, _ count: Int, _ edges: UnsafePointer<Float>
    ) -> SIMD4<Int32> {
        let (a, b) = (values[0], values[min(1, count - 1)])
        let (c, d) = (values[min(2, count - 1)], values[min(3, count - 1)])
        var (binA, binB, binC, binD) = (0, 0, 0, 0)
        var step = 128
        while step > 0 {
            // Multiplied rather than chosen: a branch would be mispredicted every other time.
            binA &+= (a > edges[binA &+ step &- 1] ? 1 : 0) &* step
            binB &+= (b > edges[binB &+ step &- 1] ? 1 : 0) &* step
            binC &+= (c > edges[binC &+ step &- 1] ? 1 : 0) &* step
            binD &+= (d > edges[binD &+ step &- 1] ? 1 : 0) &* step
            step >>= 1
        }
        return SIMD4(Int32(binA), Int32(binB), Int32(binC), Int32(binD))
    }
}
