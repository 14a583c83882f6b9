/// Walks trees of any shape, eight walks side by side: each waits for its own loads only.
///
/// A node is eight bytes: its threshold, and in one word the input's number (12 bits) and how far
/// its left child stands behind it (20 bits); the right child is the next. A leaf's threshold is a
/// NaN that carries the leaf's number and its children are itself, so that a walk which has arrived
/// stays. Values are never NaN.
package enum WalkKernel {
    /// A node of eight bytes.
    package struct Node {
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

        /// A leaf's number.
        @inline(__always)
        package var leaf: Int { Int(threshold.bitPattern & 0x3F_FFFF) }
    }

    /// What a node's fields hold at most.
    package static var inputCountMax: Int { 1 << 12 }
    package static var offsetMax: Int { 1 << 20 - 1 }
    package static var leafCountMax: Int { 1 << 22 }

    /// Walks side by side.
    package static var lanes: Int { 8 }
    /// Steps between two looks whether all have arrived.
    private static var stride: Int { 4 }

    @inline(__always)
    private static func next(
        _ at: UnsafePointer<Node>, _ row: UnsafePointer<Float>
    ) -> UnsafePointer<Node> {
        let node = at.pointee
        let goesRight = row[Int(node.word & 0xFFF)] > node.threshold
        return at + (Int(node.word >> 12) &+ (goesRight ? 1 : 0))
    }

    /// The leaves of one row in eight trees.
    @inline(never)
    package static func walkTrees(
        _ nodes: UnsafePointer<Node>, roots: UnsafePointer<Int>, depth: Int,
        row: UnsafePointer<Float>, to leaves: UnsafeMutablePointer<Int32>
    ) {
        var (a, b) = (nodes + roots[0], nodes + roots[1])
        var (c, d) = (nodes + roots[2], nodes + roots[3])
        var (e, f) = (nodes + roots[4], nodes + roots[5])
        var (g, h) = (nodes + roots[6], nodes + roots[7])
        var done = 0
        while done < depth {
            for _ in 0..<stride {
                (a, b) = (next(a, row), next(b, row))
                (c, d) = (next(c, row), next(d, row))
                (e, f) = (next(e, row), next(f, row))
                (g, h) = (next(g, row), next(h, row))
            }
            done &+= stride
            let moving =
                a.pointee.word | b.pointee.word | c.pointee.word | d.pointee.word
                | e.pointee.word | f.pointee.word | g.pointee.word | h.pointee.word
            if moving == 0 { break }
        }
        leaves[0] = Int32(truncatingIfNeeded: a.pointee.leaf)
        leaves[1] = Int32(truncatingIfNeeded: b.pointee.leaf)
        leaves[2] = Int32(truncatingIfNeeded: c.pointee.leaf)
        leaves[3] = Int32(truncatingIfNeeded: d.pointee.leaf)
        leaves[4] = Int32(truncatingIfNeeded: e.pointee.leaf)
        leaves[5] = Int32(truncatingIfNeeded: f.pointee.leaf)
        leaves[6] = Int32(truncatingIfNeeded: g.pointee.leaf)
        leaves[7] = Int32(truncatingIfNeeded: h.pointee.leaf)
    }

    /// The leaves of eight rows, `width` values each, in one tree.
    @inline(never)
    package static func walkRows(
        _ root: UnsafePointer<Node>, depth: Int, rows: UnsafePointer<Float>, width: Int,
        to leaves: UnsafeMutablePointer<Int32>
    ) {
        var (a, b, c, d) = (root, root, root, root)
        var (e, f, g, h) = (root, root, root, root)
        var done = 0
        while done < depth {
            for _ in 0..<stride {
                (a, b) = (next(a, rows), next(b, rows + width))
                (c, d) = (next(c, rows + 2 &* width), next(d, rows + 3 &* width))
                (e, f) = (next(e, rows + 4 &* width), next(f, rows + 5 &* width))
                (g, h) = (next(g, rows + 6 &* width), next(h, rows + 7 &* width))
            }
            done &+= stride
            let moving =
                a.pointee.word | b.pointee.word | c.pointee.word | d.pointee.word
                | e.pointee.word | f.pointee.word | g.pointee.word | h.pointee.word
            if moving == 0 { break }
        }
        leaves[0] = Int32(truncatingIfNeeded: a.pointee.leaf)
        leaves[1] = Int32(truncatingIfNeeded: b.pointee.leaf)
        leaves[2] = Int32(truncatingIfNeeded: c.pointee.leaf)
        leaves[3] = Int32(truncatingIfNeeded: d.pointee.leaf)
        leaves[4] = Int32(truncatingIfNeeded: e.pointee.leaf)
        leaves[5] = Int32(truncatingIfNeeded: f.pointee.leaf)
        leaves[6] = Int32(truncatingIfNeeded: g.pointee.leaf)
        leaves[7] = Int32(truncatingIfNeeded: h.pointee.leaf)
    }
}
