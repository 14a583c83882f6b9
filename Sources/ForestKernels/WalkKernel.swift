internal import CLanes

/// Walks trees of any shape, 16 or more walks side by side: each waits for its own loads only.
///
/// What is compared are keys: unsigned integers in the order of the numbers they stand for, which
/// are never NaN. A row's keys have slots, from 1 on; slot 0 holds the key 0. A node is eight
/// bytes: its threshold's key, and in one word its slot and how far its left child stands behind
/// it; the right child is the next. A leaf has its number in place of a threshold and the word 0:
/// its slot's key is greater than none, so that a walk which has arrived stays.
package enum WalkKernel {
    /// A node of eight bytes.
    package struct Node: BitwiseCopyable {
        package var threshold: UInt32
        package var word: UInt32

        /// An inner node: a row goes left when its key in `slot` is not greater than `threshold`.
        package init(threshold: UInt32, slot: Int, offset: Int, slotBits: Int) {
            self.threshold = threshold
            word = UInt32(truncatingIfNeeded: offset << (slotBits + 3) | slot << 3)
        }

        /// A leaf.
        package init(leaf: Int) {
            threshold = UInt32(truncatingIfNeeded: leaf)
            word = 0
        }
    }

    /// Bits of a word that say the slot of one of `slotCount`, slot 0 among them: the fewer, the
    /// farther a child may stand. Nil if there are too many.
    package static func slotBits(_ slotCount: Int) -> Int? {
        [9, 12].first { slotCount <= 1 << $0 }
    }

    /// Slots of a row, at most.
    package static var slotCountMax: Int { 1 << 12 }

    /// How far a left child stands behind its parent, at most.
    package static func offsetMax(slotBits: Int) -> Int { 1 << (29 - slotBits) - 1 }

    /// Rows that walk side by side through a tree; roots of trees are padded to as many.
    package static var lanes: Int { 16 }
    /// Trees that one row walks through side by side, at most: their lower nodes come from a far
    /// cache, and the more are on their way, the less each costs.
    package static var treesMax: Int { 64 }
    /// Bytes that the processor fetches at once.
    package static var lineSize: Int { 64 }

    /// The leaves of one row in `count` trees, a multiple of 16 and at most 64; `depth` is that of
    /// the deepest. The row has one key for each slot.
    @inline(never)
    package static func walkTrees(
        _ nodes: UnsafePointer<Node>, roots: UnsafePointer<Int>, count: Int, depth: Int,
        keys: UnsafePointer<UInt32>, slotBits: Int, to leaves: UnsafeMutablePointer<Int32>
    ) {
        manta_walk_trees(nodes, roots, count, depth, keys, slotBits, leaves)
    }

    /// The leaves of rows in the tree of one root.
    ///
    /// - Parameters:
    ///   - keys: of each group of 16 rows `slotCount` × 16 keys, those of a slot side by side.
    ///   - groupCount: how many times 16 rows there are.
    ///   - ahead: `aheadSize` bytes that are soon read, asked for in equal parts while the rows are
    ///     walked: a tree that comes from a far cache would stop each walk at almost every node.
    @inline(never)
    package static func walkRows(
        _ root: UnsafePointer<Node>, depth: Int, keys: UnsafePointer<UInt32>, slotCount: Int,
        slotBits: Int, groupCount: Int, ahead: UnsafeRawPointer, aheadSize: Int,
        to leaves: UnsafeMutablePointer<Int32>
    ) {
        guard groupCount > 0 else { return }
        let part = (aheadSize / lineSize / groupCount &+ 1) &* lineSize
        var place = 0
        for group in 0..<groupCount {
            let end = (group &+ 1) &* part
            while place < end, place < aheadSize {
                manta_prefetch(ahead + place)
                place &+= lineSize
            }
            let first = group &* lanes
            manta_walk_rows16(root, depth, keys + first &* slotCount, slotBits, leaves + first)
        }
    }
}
