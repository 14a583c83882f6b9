internal import CLanes

/// Sums of gradients and hessians per bin, over the rows of a node.
///
/// An entry is a row as a booster's node holds it: the row's number in the upper 32 bits, below it
/// the gradient g as Int16 and the hessian h as 15 bits. A packed cell is Σ g × 2³² + Σ h in one
/// Int64, exact for at most 65,535 rows; a wide histogram keeps Σ g in one plane of cells and Σ h
/// in another. A feature has 256 cells, feature after feature. All sums are integers: their order
/// and the number of threads make no difference.
///
/// A tile is the bins of up to 32 features, row after row: one byte per feature, filled up to whole
/// words of 8. A row's bins thus lie in one cache line. Features are added in pairs, so an odd
/// number's last partner, one of the bytes that fill the row up, is summed too.
package enum HistogramKernel {
    /// Rows that a packed cell can take: 65,535 × 32,767 fits 31 bits.
    package static var packedRowsMax: Int { 65_535 }

    /// Rows that a row is asked for in advance: its cache line is there when its turn comes.
    private static var prefetchDistance: Int { 16 }

    /// Adds `count` rows to the packed histogram of a tile of 1 to 32 features.
    @inline(never)
    package static func addPacked(
        _ entries: UnsafePointer<UInt64>, count: Int, tile: UnsafePointer<UInt8>, features: Int,
        to cells: UnsafeMutablePointer<Int64>
    ) {
        // A loop for each number of pairs: without a branch per row, and none too long.
        switch (features &+ 1) / 2 {
        case 1: add(entries, count, tile, cells, pairs: 1)
        case 2: add(entries, count, tile, cells, pairs: 2)
        case 3: add(entries, count, tile, cells, pairs: 3)
        case 4: add(entries, count, tile, cells, pairs: 4)
        case 5: add(entries, count, tile, cells, pairs: 5)
        case 6: add(entries, count, tile, cells, pairs: 6)
        case 7: add(entries, count, tile, cells, pairs: 7)
        case 8: add(entries, count, tile, cells, pairs: 8)
        case 9: add(entries, count, tile, cells, pairs: 9)
        case 10: add(entries, count, tile, cells, pairs: 10)
        case 11: add(entries, count, tile, cells, pairs: 11)
        case 12: add(entries, count, tile, cells, pairs: 12)
        case 13: add(entries, count, tile, cells, pairs: 13)
        case 14: add(entries, count, tile, cells, pairs: 14)
        case 15: add(entries, count, tile, cells, pairs: 15)
        default: add(entries, count, tile, cells, pairs: 16)
        }
    }

    @inline(__always)
    private static func add(
        _ entries: UnsafePointer<UInt64>, _ count: Int, _ tile: UnsafePointer<UInt8>,
        _ cells: UnsafeMutablePointer<Int64>, pairs: Int
    ) {
        let words = (pairs &+ 3) / 4
        var index = 0
        while index < min(count, prefetchDistance) {
            manta_prefetch(bins(of: entries[index], tile, words))
            index &+= 1
        }
        index = 0
        let ahead = count &- prefetchDistance
        while index < ahead {
            manta_prefetch(bins(of: entries[index &+ prefetchDistance], tile, words))
            addRow(entries[index], tile, cells, words: words, pairs: pairs)
            index &+= 1
        }
        while index < count {
            addRow(entries[index], tile, cells, words: words, pairs: pairs)
            index &+= 1
        }
    }

    @inline(__always)
    private static func addRow(
        _ entry: UInt64, _ tile: UnsafePointer<UInt8>, _ cells: UnsafeMutablePointer<Int64>,
        words: Int, pairs: Int
    ) {
        let row = bins(of: entry, tile, words)
        let value = packed(entry)
        addWord(row, value, cells, pairs: pairs)
        if pairs > 4 { addWord(row + 8, value, cells + 2048, pairs: pairs &- 4) }
        if pairs > 8 { addWord(row + 16, value, cells + 4096, pairs: pairs &- 8) }
        if pairs > 12 { addWord(row + 24, value, cells + 6144, pairs: pairs &- 12) }
    }

    @inline(__always)
    private static func addWord(
        _ bins: UnsafePointer<UInt8>, _ value: Int64, _ cells: UnsafeMutablePointer<Int64>,
        pairs: Int
    ) {
        cells[Int(bins[0])] &+= value
        cells[Int(bins[1]) &+ 256] &+= value
        guard pairs > 1 else { return }
        cells[Int(bins[2]) &+ 512] &+= value
        cells[Int(bins[3]) &+ 768] &+= value
        guard pairs > 2 else { return }
        cells[Int(bins[4]) &+ 1024] &+= value
        cells[Int(bins[5]) &+ 1280] &+= value
        guard pairs > 3 else { return }
        cells[Int(bins[6]) &+ 1536] &+= value
        cells[Int(bins[7]) &+ 1792] &+= value
    }

    @inline(__always)
    private static func bins(
        of entry: UInt64, _ tile: UnsafePointer<UInt8>, _ words: Int
    ) -> UnsafePointer<UInt8> {
        tile + Int(truncatingIfNeeded: entry >> 32) &* (words &* 8)
    }

    /// g × 2³² + h of an entry.
    @inline(__always)
    private static func packed(_ entry: UInt64) -> Int64 {
        ((Int64(truncatingIfNeeded: entry << 32) >> 16) & ~0xFFFF_FFFF)
            &+ Int64(truncatingIfNeeded: entry & 0xFFFF)
    }

    /// Adds rows with the full 31 bits of their gradients and hessians to a wide histogram; a null
    /// pointer for hessians that all count 1.
    ///
    /// For rounds where a few outliers would leave the others no digits. `cells` is the plane of
    /// gradients; the plane of hessians stands `plane` cells after it.
    @inline(never)
    package static func addWide(
        _ entries: UnsafePointer<UInt64>, count: Int, gradients: UnsafePointer<Int32>,
        hessians: UnsafePointer<Int32>?, tile: UnsafePointer<UInt8>, features: Int,
        to cells: UnsafeMutablePointer<Int64>, plane: Int
    ) {
        let rowSize = (features &+ 7) & ~7
        for index in 0..<count {
            let row = Int(truncatingIfNeeded: entries[index] >> 32)
            let bins = tile + row &* rowSize
            let gradient = Int64(gradients[row])
            let hessian: Int64 = if let hessians { Int64(hessians[row]) } else { 1 }
            for feature in 0..<features {
                let cell = cells + (feature &* 256 &+ Int(bins[feature]))
                cell[0] &+= gradient
                cell[plane] &+= hessian
            }
        }
    }

    /// Adds packed cells to wide ones.
    @inline(never)
    package static func spill(
        _ packed: UnsafePointer<Int64>, count: Int, to cells: UnsafeMutablePointer<Int64>,
        plane: Int
    ) {
        for index in 0..<count {
            let value = packed[index]
            cells[index] &+= value >> 32
            cells[index &+ plane] &+= value & 0xFFFF_FFFF
        }
    }

    /// Adds cells to others of the same kind.
    @inline(never)
    package static func merge(
        _ source: UnsafePointer<Int64>, count: Int, to cells: UnsafeMutablePointer<Int64>
    ) {
        for index in 0..<count { cells[index] &+= source[index] }
    }

    /// The sibling's histogram: what a node has and one of its children does not.
    @inline(never)
    package static func subtract(
        _ child: UnsafePointer<Int64>, count: Int, from cells: UnsafeMutablePointer<Int64>
    ) {
        for index in 0..<count { cells[index] &-= child[index] }
    }

    /// The same for a packed child of a wide node.
    @inline(never)
    package static func subtractPacked(
        _ child: UnsafePointer<Int64>, count: Int, from cells: UnsafeMutablePointer<Int64>,
        plane: Int
    ) {
        for index in 0..<count {
            cells[index] &-= child[index] >> 32
            cells[index &+ plane] &-= child[index] & 0xFFFF_FFFF
        }
    }

    /// Packs a wide histogram in place whose sums fit.
    @inline(never)
    package static func narrow(
        _ cells: UnsafeMutablePointer<Int64>, count: Int, plane: Int
    ) {
        for index in 0..<count {
            cells[index] = (cells[index] << 32) &+ cells[index &+ plane]
        }
    }
}
