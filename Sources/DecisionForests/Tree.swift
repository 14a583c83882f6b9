/// A decision tree as parallel arrays: index `i` in every array describes node `i`.
///
/// Both children of a node stand after it, so a walk from the root (node 0) moves forward only and
/// ends at a leaf.
public struct Tree: Sendable, Hashable {
    /// The feature a node tests, or `Tree.leaf`.
    public package(set) var splitFeature: [Int32]
    /// A value goes left when `value <= threshold`, as in ONNX's BRANCH_LEQ. 0 at leaves.
    public package(set) var threshold: [Float]
    /// Where a missing value (NaN) goes.
    public package(set) var missingGoesLeft: [Bool]
    /// Inner nodes: the left child's index; the right child is the next index. Leaves: the leaf's
    /// index, so that its values are
    /// `leafValues[child * outputCount ..< (child + 1) * outputCount]`.
    public package(set) var leftChild: [Int32]
    /// `outputCount` values per leaf: class shares, or one mean.
    public package(set) var leafValues: [Float]

    /// What `splitFeature` holds at a leaf.
    public static let leaf: Int32 = -1

    package init(
        splitFeature: [Int32], threshold: [Float], missingGoesLeft: [Bool], leftChild: [Int32],
        leafValues: [Float]
    ) {
        self.splitFeature = splitFeature
        self.threshold = threshold
        self.missingGoesLeft = missingGoesLeft
        self.leftChild = leftChild
        self.leafValues = leafValues
    }

    /// Inner nodes and leaves together.
    public var nodeCount: Int { splitFeature.count }
}
