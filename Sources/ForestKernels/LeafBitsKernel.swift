internal import CLanes

/// Scores one row through trees of at most 64 leaves, 32 trees side by side without a jump.
///
/// A band is up to 32 trees, one in each lane of a byte vector; its record has a slot for each of
/// the inner nodes of its largest tree. All tests of a tree are made; each that fails takes the
/// leaves to its left away, and the leftmost that stays is the row's leaf. `manta_leaves32` shows
/// a record. The tests of a tree stand in the order of their inputs, so that a slot of 32 trees
/// looks into few tables of 16 codes.
package enum LeafBitsKernel {
    /// Leaves that a tree may have.
    package static var leafCountMax: Int { 64 }
    /// Trees side by side.
    package static var lanes: Int { 32 }
    /// Inputs that a shuffle looks up at a time.
    package static var tableSize: Int { 16 }
    /// Tables that a slot may look into.
    package static var tableCountMax: Int { 16 }

    /// Adds the leaf values of `count` trees to a row's sums: tree t to `sums[(first + t) %
    /// outputCount]`, or with wider leaves `width` values to the first ones.
    ///
    /// - Parameters:
    ///   - bands: four numbers for each 32 trees: where its record starts, in 32 bytes; where its
    ///     slots start in `spans`; its slots; its planes of 8 leaves.
    ///   - passing: of each slot of the trees the 32 bytes that let a missing value pass; nil for
    ///     a row without any.
    ///   - starts: where each tree's values start.
    ///   - leaves: room for 32.
    @inline(never)
    package static func addValues(
        _ bands: UnsafePointer<Int32>, count: Int, records: UnsafePointer<UInt8>,
        spans: UnsafePointer<UInt8>, passing: UnsafePointer<UInt8>?,
        codes: UnsafePointer<Int8>, values: UnsafePointer<Float>,
        starts: UnsafePointer<Int32>, leaves: UnsafeMutablePointer<UInt8>, width: Int,
        to sums: UnsafeMutablePointer<Double>, first: Int, outputCount: Int
    ) {
        var band = bands
        var output = first
        var tree = 0
        while tree < count {
            manta_leaves32(
                records + Int(band[0]) &* 32, spans + Int(band[1]) &* 2, Int(band[2]),
                Int(band[3]), passing.map { $0 + Int(band[1]) &* 32 }, codes, leaves)
            band += 4
            let end = min(count &- tree, lanes)
            if width > 1 {
                for lane in 0..<end {
                    let added = values + (Int(starts[tree &+ lane]) &+ Int(leaves[lane]) &* width)
                    for index in 0..<width { sums[index] += Double(added[index]) }
                }
            } else if outputCount == 1 {
                var sum = sums[0]
                for lane in 0..<end {
                    sum += Double(values[Int(starts[tree &+ lane]) &+ Int(leaves[lane])])
                }
                sums[0] = sum
            } else {
                for lane in 0..<end {
                    sums[output] +=
                        Double(values[Int(starts[tree &+ lane]) &+ Int(leaves[lane])])
                    output &+= 1
                    if output == outputCount { output = 0 }
                }
            }
            tree &+= lanes
        }
    }
}
