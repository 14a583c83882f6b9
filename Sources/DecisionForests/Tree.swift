/// A decision tree as parallel arrays: index `i` in every array describes node `i`.
///
/// Both children of a node stand after it, so a walk from the root (node 0) moves forward only and
/// ends at a leaf.
public struct Tree: Sendable, Hashable {
    /// The feature a node tests, or `Tree.leaf`. −2 − p stands for projection p: the node compares
    /// a weighted sum of features.
    public package(set) var splitFeature: [Int32]
    /// A value goes left when `value <= threshold`, as in ONNX's BRANCH_LEQ. 0 at leaves and at
    /// categorical nodes.
    public package(set) var threshold: [Float]
    /// Where a missing value (NaN) goes, and a category that the node's set does not know.
    public package(set) var missingGoesLeft: [Bool]
    /// Inner nodes: the left child's index; the right child is the next index. Leaves: the leaf's
    /// index, so that its values are
    /// `leafValues[child * leafWidth ..< (child + 1) * leafWidth]`.
    public package(set) var leftChild: [Int32]
    /// `TreeEnsemble.leafWidth` values per leaf: class shares, or one value.
    public package(set) var leafValues: [Float]
    /// Per node the set of categories that go left, or −1 for a node that compares; empty if no
    /// node is categorical.
    public package(set) var categorySet: [Int32]
    /// What `categorySet` points into.
    public package(set) var categorySets: CategorySets
    /// What `splitFeature` below −1 points into.
    public package(set) var projections: Projections

    /// Per node the training weight that reached it, in a unit of the tree's own; empty if unknown.
    ///
    /// Only the shares of siblings count: explanations send a row whose feature is left out both
    /// ways in this proportion. Forests keep the weight of the drawn rows (bootstrap draws ×
    /// weights), as scikit-learn does, boosters the number of rows that the tree saw, as LightGBM.
    public package(set) var cover: [Float]

    /// Per node how much its split gained in training, in the learner's own unit; 0 at leaves.
    /// Empty in a finished model, which keeps `TrainedModel.gainImportances` instead.
    public package(set) var splitGains: [Float]

    /// What `splitFeature` holds at a leaf.
    public static let leaf: Int32 = -1

    package init(
        splitFeature: [Int32], threshold: [Float], missingGoesLeft: [Bool], leftChild: [Int32],
        leafValues: [Float], categorySet: [Int32] = [], categorySets: CategorySets = .none,
        projections: Projections = .none, cover: [Float] = [], splitGains: [Float] = []
    ) {
        self.splitFeature = splitFeature
        self.threshold = threshold
        self.missingGoesLeft = missingGoesLeft
        self.leftChild = leftChild
        self.leafValues = leafValues
        self.categorySet = categorySet
        self.categorySets = categorySets
        self.projections = projections
        self.cover = cover
        self.splitGains = splitGains
    }

    /// Inner nodes and leaves together.
    public var nodeCount: Int { splitFeature.count }

    /// Leaves, and levels below the root. For a validated tree.
    package var shape: (leaves: Int, depth: Int) {
        // Children stand after their parents, so one pass sees each parent first.
        var depths = [Int](repeating: 0, count: nodeCount)
        var leaves = 0
        for node in 0..<nodeCount {
            guard splitFeature[node] != Tree.leaf else {
                leaves += 1
                continue
            }
            let child = Int(leftChild[node])
            depths[child] = depths[node] + 1
            depths[child + 1] = depths[node] + 1
        }
        return (leaves, depths.max() ?? 0)
    }

    /// Whether an inner node asks for a category rather than compares.
    @inline(__always)
    func isCategorical(_ node: Int) -> Bool {
        !categorySet.isEmpty && categorySet[node] >= 0
    }
}
