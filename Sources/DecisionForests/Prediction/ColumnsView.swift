/// The columns' elements where they lie, for the loops that build layouts of a sound ensemble.
struct ColumnsView {
    let leafWidth: Int
    let nodeStarts: UnsafeBufferPointer<UInt64>
    let leafStarts: UnsafeBufferPointer<UInt64>
    let feature: UnsafeBufferPointer<Int32>
    let threshold: UnsafeBufferPointer<Float>
    let child: UnsafeBufferPointer<Int32>
    let missingGoesLeft: UnsafeBufferPointer<UInt8>
    let leafValues: UnsafeBufferPointer<Float>

    var treeCount: Int { nodeStarts.count - 1 }

    @inline(__always)
    func nodes(of tree: Int) -> Range<Int> {
        Int(nodeStarts[tree])..<Int(nodeStarts[tree + 1])
    }

    /// The nodes of trees that follow each other.
    func nodes(of run: Range<Int>) -> Range<Int> {
        Int(nodeStarts[run.lowerBound])..<Int(nodeStarts[run.upperBound])
    }

    /// The leaf values of trees that follow each other.
    func values(of run: Range<Int>) -> Range<Int> {
        Int(leafStarts[run.lowerBound]) * leafWidth..<Int(leafStarts[run.upperBound]) * leafWidth
    }

    /// Nodes that a thread takes at once, about: what stays in its second cache from one pass over
    /// them to the next, and pays for asking for more.
    private static var runNodeCount: UInt64 { 4_096 }

    /// All trees in runs, each a single tree or so many that they have up to `runNodeCount` nodes.
    func runs() -> [Range<Int>] {
        HelperPool.runs(of: nodeStarts, size: Self.runNodeCount)
    }

    @inline(__always)
    func leafCount(of tree: Int) -> Int { Int(leafStarts[tree + 1] - leafStarts[tree]) }

    /// The values of a tree's leaves, one leaf after the other.
    @inline(__always)
    func values(of tree: Int) -> UnsafeBufferPointer<Float> {
        let range =
            Int(leafStarts[tree]) * leafWidth..<Int(leafStarts[tree + 1]) * leafWidth
        return UnsafeBufferPointer(rebasing: leafValues[range])
    }
}

extension TreeColumns {
    /// Calls `body` with the columns' elements, which stay until it returns.
    func withView<Result>(_ body: (ColumnsView) -> Result) -> Result {
        nodeStarts.withElements { nodeStarts in
            leafStarts.withElements { leafStarts in
                splitFeature.withElements { feature in
                    threshold.withElements { threshold in
                        leftChild.withElements { child in
                            missingGoesLeft.withElements { missingGoesLeft in
                                leafValues.withElements { leafValues in
                                    body(
                                        ColumnsView(
                                            leafWidth: leafWidth, nodeStarts: nodeStarts,
                                            leafStarts: leafStarts, feature: feature,
                                            threshold: threshold, child: child,
                                            missingGoesLeft: missingGoesLeft,
                                            leafValues: leafValues))
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// The leaves of the largest tree; 0 without trees. Nodes may share a leaf of a file that is
    /// not ours, and a leaf may belong to none: what there is more of counts.
    var leafCountMax: Int {
        (0..<treeCount).reduce(0) {
            max($0, leaves(of: $1).count, (nodes(of: $1).count + 1) / 2)
        }
    }
}
