internal import ForestKernels

/// The places, counted from the left, of the leaves below each node of a small tree; for one tree
/// after the other, so that building a layout allocates once.
struct LeafPlaces {
    private struct Span {
        var start: UInt8
        var count: UInt8
        /// The node as `BlockKernel` names a child.
        var code: UInt8
    }

    private var spans: [Span] = []

    /// Leaves of the tree.
    var count: Int { spans.first.map { Int($0.count) } ?? 0 }

    /// Looks at a tree of at most `BlockKernel.leafCountMax` leaves.
    mutating func find(in tree: Int, _ trees: ColumnsView) {
        let nodes = trees.nodes(of: tree)
        let first = nodes.lowerBound
        spans.removeAll(keepingCapacity: true)
        spans += repeatElement(Span(start: 0, count: 1, code: 0), count: nodes.count)
        // Children stand after their parents: counted from the back, placed from the front.
        for node in nodes.reversed() where trees.feature[node] != Tree.leaf {
            let left = Int(trees.child[node])
            spans[node - first].count = spans[left].count + spans[left + 1].count
        }
        var innerCount: UInt8 = 0
        for node in nodes {
            let start = spans[node - first].start
            if trees.feature[node] == Tree.leaf {
                spans[node - first].code = UInt8(BlockKernel.leafCountMax) + start
                continue
            }
            spans[node - first].code = innerCount
            innerCount += 1
            let left = Int(trees.child[node])
            spans[left].start = start
            spans[left + 1].start = start + spans[left].count
        }
    }

    /// The leaves below a node; a leaf's own place is the only one.
    @inline(__always)
    func below(_ node: Int) -> Range<Int> {
        let start = Int(spans[node].start)
        return start..<start + Int(spans[node].count)
    }

    /// The node as `BlockKernel` names a child: inner nodes in their order, leaves by their places.
    @inline(__always)
    func code(of node: Int) -> UInt8 { spans[node].code }
}
