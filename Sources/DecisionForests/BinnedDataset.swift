/// A data set as trees are grown from it: one byte per cell, column after column.
public struct BinnedDataset: Sendable {
    /// The rows themselves.
    public let dataset: Dataset
    /// Where the bins are cut.
    package let binner: FeatureBinner
    /// The bin of feature f in row r at `f * rowCount + r`.
    let bins: [UInt8]
    /// Per feature and bin at `f * 256 + b`, the least and the greatest value that occurs in it.
    /// A threshold halfway between two bins' values separates the rows of both as the bins do.
    let leastInBin: [Float]
    let greatestInBin: [Float]

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
        self.dataset = dataset
        self.binner = binner
        let (rowCount, featureCount) = (dataset.rowCount, dataset.featureCount)
        var least = [Float](repeating: .infinity, count: featureCount * 256)
        var greatest = [Float](repeating: -.infinity, count: featureCount * 256)
        bins = [UInt8](unsafeUninitializedCapacity: rowCount * featureCount) { buffer, count in
            least.withUnsafeMutableBufferPointer { least in
                greatest.withUnsafeMutableBufferPointer { greatest in
                    nonisolated(unsafe) let (bins, low, high) = (buffer, least, greatest)
                    Parallel.forEach(featureCount, threads: threads) { feature, _ in
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
            count = rowCount * featureCount
        }
        leastInBin = least
        greatestInBin = greatest
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
                for row in 0..<column.count {
                    let value = column[row]
                    guard !value.isNaN else {
                        bins.initializeElement(at: row, to: FeatureBinner.missingBin)
                        continue
                    }
                    var bin = 0
                    var step = 128
                    while step > 0 {
                        bin += value > edges[bin + step - 1] ? step : 0
                        step >>= 1
                    }
                    bins.initializeElement(at: row, to: UInt8(truncatingIfNeeded: bin))
                    if value < least[bin] { least[bin] = value }
                    if value > greatest[bin] { greatest[bin] = value }
                }
            }
        }
    }
}
