internal import ForestKernels

/// Trees of at most 64 leaves as the records of `LeafBitsKernel`: for rows that come alone. A
/// `LeafBitsBuilder` makes them.
final class LeafBits: Sendable {
    /// Bytes of a row's codes; those beyond the inputs are never looked at.
    let codeCount: Int
    /// Four numbers for each band, as `LeafBitsKernel` reads them.
    private let bands: [Int32]
    private let spans: [UInt8]
    private let records: HugeBuffer<UInt8>
    private let passing: HugeBuffer<UInt8>

    init(
        columnCount: Int, bands: [Int32], spans: [UInt8], records: HugeBuffer<UInt8>,
        passing: HugeBuffer<UInt8>
    ) {
        let tableSize = LeafBitsKernel.tableSize
        codeCount = max(1, (columnCount + tableSize - 1) / tableSize) * tableSize
        (self.bands, self.spans) = (bands, spans)
        (self.records, self.passing) = (records, passing)
    }

    /// Adds the values of a group's trees for one row to its sums.
    ///
    /// `firstBand` is the first of the group's bands, `starts` has where each of its trees' values
    /// start.
    func add(
        _ trees: Range<Int>, firstBand: Int, codes: UnsafePointer<Int8>, hasMissing: Bool,
        values: UnsafePointer<Float>, starts: UnsafePointer<Int32>, width: Int,
        to sums: UnsafeMutablePointer<Double>, outputCount: Int, _ kernels: PredictionKernels
    ) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: LeafBitsKernel.lanes) { leaves in
            bands.withUnsafeBufferPointer { bands in
                spans.withUnsafeBufferPointer { spans in
                    guard let bands = bands.baseAddress, let leaves = leaves.baseAddress else {
                        return
                    }
                    let noSpans = UnsafePointer<UInt8>(leaves)
                    kernels.addBits(
                        bands + 4 * firstBand, trees.count, records.base,
                        spans.baseAddress ?? noSpans, hasMissing ? passing.base : nil,
                        codes, values, starts, leaves, width, sums,
                        trees.lowerBound % outputCount, outputCount)
                }
            }
        }
    }
}

extension HugeBuffer {
    /// The same elements.
    convenience init(copying elements: [Element]) {
        self.init(count: elements.count)
        elements.withUnsafeBufferPointer { source in
            if let start = source.baseAddress { base.update(from: start, count: source.count) }
        }
    }
}
