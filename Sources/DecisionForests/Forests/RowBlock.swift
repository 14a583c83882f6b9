/// The bins of one subtree's rows, gathered side by side, for one thread.
///
/// Deep in a tree a node's rows are scattered over the columns, and each read fetches a cache line
/// for one byte. Once a node has few enough rows for the second cache, its rows' bins are copied
/// here, each feature when a node of the subtree first tries it, and all below works on the copy.
/// Row numbers become positions in the block.
struct RowBlock {
    /// Rows that a block holds at most; 0 where the data has too many features for one.
    let rowCountMax: Int
    /// The block's rows, by position.
    private let rows: UnsafeMutablePointer<UInt32>
    /// The bin of feature f in the row at position p at `f * rowCountMax + p`.
    private let bins: UnsafeMutablePointer<UInt8>
    /// Which opening of the block a feature was gathered for.
    private let gathered: UnsafeMutablePointer<UInt32>
    private let featureCount: Int
    private var opening: UInt32 = 0
    private var count = 0

    /// Half of what second caches commonly hold.
    private static let sizeInBytesMax = 256 << 10
    /// Larger blocks spare few levels and cost a longer way to the cache.
    private static let rowCountLimit = 2048
    /// Smaller blocks are not worth the copy.
    private static let rowCountFloor = 64

    init(rowCount: Int, featureCount: Int) {
        let fitting = Self.sizeInBytesMax / featureCount
        rowCountMax =
            fitting < Self.rowCountFloor ? 0 : min(rowCount, min(fitting, Self.rowCountLimit))
        self.featureCount = featureCount
        rows = .allocate(capacity: rowCountMax)
        rows.initialize(repeating: 0, count: rowCountMax)
        bins = .allocate(capacity: rowCountMax * featureCount)
        bins.initialize(repeating: 0, count: rowCountMax * featureCount)
        gathered = .allocate(capacity: featureCount)
        gathered.initialize(repeating: 0, count: featureCount)
    }

    func deallocate() {
        rows.deallocate()
        bins.deallocate()
        gathered.deallocate()
    }

    /// Starts a block of these rows, and replaces their numbers by their positions in it.
    mutating func open(_ rows: UnsafeMutablePointer<UInt32>, count: Int) {
        precondition(count <= rowCountMax, "more rows than a block holds")
        self.count = count
        self.rows.update(from: rows, count: count)
        for position in 0..<count { rows[position] = UInt32(truncatingIfNeeded: position) }
        if opening == .max {
            gathered.update(repeating: 0, count: featureCount)
            opening = 0
        }
        opening += 1
    }

    /// The feature's bins by position, gathered from its whole column if they are not here yet.
    @inline(__always)
    func bins(of feature: Int, from column: UnsafePointer<UInt8>) -> UnsafePointer<UInt8> {
        let own = bins + feature &* rowCountMax
        if gathered[feature] != opening {
            gathered[feature] = opening
            for position in 0..<count { own[position] = column[Int(rows[position])] }
        }
        return UnsafePointer(own)
    }
}
