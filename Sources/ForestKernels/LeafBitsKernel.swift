internal import CLanes

/// Scores one row through trees of at most 32 leaves, each in a few vector steps without a jump.
///
/// All tests of a tree are made at once; each that fails takes the leaves to its left away, and the
/// leftmost that stays is the row's leaf. `manta_leaf32` shows a tree's record.
package enum LeafBitsKernel {
    /// Leaves that a tree may have.
    package static var leafCountMax: Int { 32 }
    /// Bytes of a tree's record.
    package static var recordSize: Int { 192 }
    /// Inputs that a shuffle looks up at a time.
    package static var tableSize: Int { 16 }

    /// Adds the leaf value of each of `count` trees to a sum: tree t to `sums[(first + t) %
    /// width]`.
    ///
    /// `values` has 32 numbers for each tree. `codes` has 16 bytes for each table.
    @inline(never)
    package static func addValues(
        _ records: UnsafePointer<UInt8>, count: Int, codes: UnsafePointer<UInt8>, tables: Int,
        values: UnsafePointer<Float>, to sums: UnsafeMutablePointer<Double>, first: Int, width: Int
    ) {
        if width == 1 {
            var sum = sums[0]
            for tree in 0..<count {
                let leaf = manta_leaf32(records + tree &* 192, codes, tables)
                sum += Double(values[tree &* 32 &+ Int(leaf)])
            }
            sums[0] = sum
            return
        }
        var output = first
        for tree in 0..<count {
            let leaf = manta_leaf32(records + tree &* 192, codes, tables)
            sums[output] += Double(values[tree &* 32 &+ Int(leaf)])
            output &+= 1
            if output == width { output = 0 }
        }
    }
}
