internal import ForestKernels

/// The places, counted from the left, of the leaves below each node of a small tree; for one tree
/// after the other, in memory that is lent once.
struct LeafPlaces {
    private struct Span {
        var start: UInt8
        var count: UInt8
        /// The node as `BlockKernel` names a child.
        var code: UInt8
    }

    private let spans: UnsafeMutablePointer<Span>

    /// Nodes of a tree of so many leaves.
    private static var nodeCountMax: Int { 2 * BlockKernel.leafCountMax }

    /// Calls `body` with places that `find` sets, which are there until it returns.
    static func lend<Result>(_ body: (LeafPlaces) -> Result) -> Result? {
        withUnsafeTemporaryAllocation(of: Span.self, capacity: nodeCountMax) { spans in
            spans.baseAddress.map { body(LeafPlaces(spans: $0)) }
        }
    }

    /// Looks at a tree of at most `BlockKernel.leafCountMax` leaves. `inner` are its inner nodes
    /// in ascending order, by their numbers among the nodes of all trees.
    func find(
        in nodes: Range<Int>, _ inner: UnsafeBufferPointer<Int32>, _ trees: ColumnsView
    ) {
        let first = nodes.lowerBound
        precondition(nodes.count <= Self.nodeCountMax, "a tree of more leaves")
        spans.initialize(repeating: Span(start: 0, count: 1, code: 0), count: nodes.count)
        // Children stand after their parents: counted from the back, placed from the front.
        for node in inner.reversed() {
            let left = Int(trees.child[Int(node)])
            spans[Int(node) - first].count = spans[left].count &+ spans[left + 1].count
        }
        for node in inner {
            let start = spans[Int(node) - first].start
            let left = Int(trees.child[Int(node)])
            spans[left].start = start
            spans[left + 1].start = start &+ spans[left].count
        }
        let firstLeaf = UInt8(BlockKernel.leafCountMax)
        for place in 0..<nodes.count { spans[place].code = firstLeaf &+ spans[place].start }
        for (number, node) in inner.enumerated() {
            spans[Int(node) - first].code = UInt8(truncatingIfNeeded: number)
        }
    }

    /// The first of the leaves below a node of the tree; a leaf's own place.
    @inline(__always)
    func start(_ node: Int) -> UInt8 { spans[node].start }

    /// How many leaves are below a node; 1 for a leaf.
    @inline(__always)
    func count(_ node: Int) -> UInt8 { spans[node].count }

    /// The node as `BlockKernel` names a child: inner nodes in their order, leaves by their places.
    @inline(__always)
    func code(of node: Int) -> UInt8 { spans[node].code }
}
