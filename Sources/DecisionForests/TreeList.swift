/// The trees of an ensemble in the order they are summed: as a learner made them, or cut one by one
/// from a loaded file.
///
/// Of a loaded model each access copies a tree: take it once, then look at its nodes.
public struct TreeList: RandomAccessCollection, Sendable {
    private enum Content: Sendable {
        case trees([Tree])
        case columns(TreeColumns)
    }

    private let content: Content
    /// The features of an ensemble in which these trees have been found sound; nil if none was.
    package let featureCountChecked: Int?

    /// Trees of a learner.
    package init(_ trees: [Tree]) { (content, featureCountChecked) = (.trees(trees), nil) }

    /// Trees of a file, looked at here so that nobody has to again; whoever validates the ensemble
    /// gets to know what is wrong with trees that are not sound. `work` runs on one of the threads
    /// that look, unless there are features too many to begin.
    package init(
        _ columns: TreeColumns, checkedFor featureCount: Int,
        beside work: (@Sendable () -> Void)? = nil
    ) {
        var columns = columns
        let isUsual = (1...TreeEnsemble.widthMax).contains(featureCount)
        let depths =
            isUsual
            ? try? TreeCheck(columns, featureCount: featureCount).depths(beside: work) : nil
        columns.depths = depths ?? []
        content = .columns(columns)
        featureCountChecked = depths == nil ? nil : featureCount
    }

    /// 0.
    public var startIndex: Int { 0 }

    /// The number of trees.
    public var endIndex: Int {
        switch content {
        case .trees(let trees): trees.count
        case .columns(let columns): columns.treeCount
        }
    }

    /// The tree of this number, which must be one of `indices`.
    public subscript(number: Int) -> Tree {
        precondition(indices.contains(number), "there is no tree \(number)")
        return switch content {
        case .trees(let trees): trees[number]
        case .columns(let columns): columns[number]
        }
    }

    /// All trees as columns. Throws if a tree's arrays do not fit each other.
    package func columns(leafWidth: Int) throws(EnsembleError) -> TreeColumns {
        switch content {
        case .trees(let trees): try TreeColumns(trees, leafWidth: leafWidth)
        case .columns(let columns): columns
        }
    }
}

extension TreeList: Hashable {
    /// Whether both have equal trees, wherever they lie.
    public static func == (left: TreeList, right: TreeList) -> Bool { left.elementsEqual(right) }

    /// Hashes every tree.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(count)
        for tree in self { hasher.combine(tree) }
    }
}
