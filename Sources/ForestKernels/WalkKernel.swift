internal import CLanes

/// Walks trees of any shape, 16 or more walks side by side: each waits for its own loads only.
///
/// A node is eight bytes: its threshold, and in one word the input's number (12 bits) and how far
/// its left child stands behind it (20 bits); the right child is the next. A leaf's threshold is a
/// NaN that carries the leaf's number and its children are itself, so that a walk which has arrived
/// stays. Values are never NaN.
package enum WalkKernel {
    /// A node of eight bytes.
    package struct Node: BitwiseCopyable {
        package var threshold: Float
        package var word: UInt32

        /// An inner node.
        package init(threshold: Float, input: Int, offset: Int) {
            self.threshold = threshold
            word = UInt32(truncatingIfNeeded: offset << 12 | input)
        }

        /// A leaf.
        package init(leaf: Int) {
            threshold = Float(bitPattern: 0x7FC0_0000 | UInt32(truncatingIfNeeded: leaf))
            word = 0
        }
    }

    /// What a node's fields hold at most.
    package static var inputCountMax: Int { 1 << 12 }
    package static var offsetMax: Int { 1 << 20 - 1 }
    package static var leafCountMax: Int { 1 << 22 }

    /// Rows that walk side by side through a tree; roots of trees are padded to as many.
    package static var lanes: Int { 16 }
    /// Trees that one row walks through side by side, at most: their lower nodes come from a far
    /// cache, and the more are on their way, the less each costs.
    package static var treesMax: Int { 64 }
    /// Bytes that the processor fetches at once.
    package static var lineSize: Int { 64 }

    /// The leaves of one row in `count` trees, a multiple of 16 and at most 64; `depth` is that of
    /// the deepest.
    @inline(never)
    package static func walkTrees(
        _ nodes: UnsafePointer<Node>, roots: UnsafePointer<Int>, count: Int, depth: Int,
        row: UnsafePointer<Float>, to leaves: UnsafeMutablePointer<Int32>
    ) {
        manta_walk_trees(nodes, roots, count, depth, row, leaves)
    }

    /// The leaves of rows, `width` values each, in one tree.
    ///
    /// - Parameters:
    ///   - groupCount: how many times 16 rows there are.
    ///   - ahead: `aheadSize` bytes that are soon read, asked for in equal parts while the rows are
    ///     walked: a tree that comes from a far cache would stop each walk at almost every node.
    @inline(never)
    package static func walkRows(
        _ nodes: UnsafePointer<Node>, root: Int, depth: Int, rows: UnsafePointer<Float>,
        width: Int, groupCount: Int, ahead: UnsafeRawPointer, aheadSize: Int,
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
            manta_walk_rows16(nodes, root, depth, rows + first &* width, width, leaves + first)
        }
    }
}
