/// All trees of an ensemble as one array per field, tree after tree: what a `model.manta` holds and
/// what predictors are built from.
///
/// Places within a tree (children, leaves, sets, projections) are counted from the tree's own
/// first, as in `Tree`. A value that exists can be cut into trees without leaving its memory;
/// whether its nodes make sense is for `TreeEnsemble.validate()`.
package struct TreeColumns: Sendable {
    /// Values per leaf; at least 1.
    package let leafWidth: Int
    /// Tree t has the nodes `nodeStarts[t] ..< nodeStarts[t + 1]`.
    package let nodeStarts: Column<UInt64>
    /// Likewise its leaves.
    package let leafStarts: Column<UInt64>
    package let splitFeature: Column<Int32>
    package let threshold: Column<Float>
    package let leftChild: Column<Int32>
    /// 0 or 1 a node.
    package let missingGoesLeft: Column<UInt8>
    package let leafValues: Column<Float>
    /// Per node the training weight that reached it, 0 for all nodes of a tree where it is unknown;
    /// empty if it is known of no tree.
    package let cover: Column<Float>
    package let sets: Sets
    package let projections: Weighings
    /// Each tree's depth, 0 for one leaf; empty until a `TreeCheck` found the trees sound.
    package internal(set) var depths: [Int32] = []

    /// The sets of categories of all trees; all columns are empty if there is no set.
    package struct Sets: Sendable {
        /// Per node its set, counted within its tree, or −1.
        package var ofNodes: Column<Int32> = .empty
        /// Tree t has the sets `treeStarts[t] ..< treeStarts[t + 1]`.
        package var treeStarts: Column<UInt64> = .empty
        /// Set s has the words `wordStarts[s] ..< wordStarts[s + 1]`.
        package var wordStarts: Column<UInt64> = .empty
        package var words: Column<UInt32> = .empty

        /// No set.
        package init() {}

        /// Sets of all trees.
        package var count: Int { max(0, wordStarts.count - 1) }
    }

    /// The projections of all trees; all columns are empty if there is none.
    package struct Weighings: Sendable {
        /// Tree t has the projections `treeStarts[t] ..< treeStarts[t + 1]`.
        package var treeStarts: Column<UInt64> = .empty
        /// Projection p has the terms `termStarts[p] ..< termStarts[p + 1]`.
        package var termStarts: Column<UInt64> = .empty
        package var features: Column<Int32> = .empty
        package var weights: Column<Float> = .empty

        /// No projection.
        package init() {}

        /// Projections of all trees.
        package var count: Int { max(0, termStarts.count - 1) }
    }

    /// Columns from anywhere. Throws unless their lengths and starts fit each other.
    package init(
        leafWidth: Int, nodeStarts: Column<UInt64>, leafStarts: Column<UInt64>,
        splitFeature: Column<Int32>, threshold: Column<Float>, leftChild: Column<Int32>,
        missingGoesLeft: Column<UInt8>, leafValues: Column<Float>,
        cover: Column<Float> = .empty, sets: Sets, projections: Weighings
    ) throws(EnsembleError) {
        self.leafWidth = leafWidth
        self.nodeStarts = nodeStarts
        self.leafStarts = leafStarts
        self.splitFeature = splitFeature
        self.threshold = threshold
        self.leftChild = leftChild
        self.missingGoesLeft = missingGoesLeft
        self.leafValues = leafValues
        self.cover = cover
        self.sets = sets
        self.projections = projections
        try checkFrame()
    }

    /// Trees.
    package var treeCount: Int { nodeStarts.count - 1 }
    /// Nodes of all trees.
    package var nodeCount: Int { splitFeature.count }

    /// The nodes of a tree.
    package func nodes(of tree: Int) -> Range<Int> {
        Int(nodeStarts[tree])..<Int(nodeStarts[tree + 1])
    }

    /// The leaves of a tree.
    package func leaves(of tree: Int) -> Range<Int> {
        Int(leafStarts[tree])..<Int(leafStarts[tree + 1])
    }

    /// A copy of one tree.
    package subscript(tree: Int) -> Tree {
        let (nodes, leaves) = (nodes(of: tree), leaves(of: tree))
        var cut = Tree(
            splitFeature: splitFeature[nodes], threshold: threshold[nodes],
            missingGoesLeft: missingGoesLeft[nodes].map { $0 != 0 }, leftChild: leftChild[nodes],
            leafValues: leafValues[leaves.lowerBound * leafWidth..<leaves.upperBound * leafWidth])
        if !cover.isEmpty {
            let own = cover[nodes]
            cut.cover = own.contains { $0 != 0 } ? own : []
        }
        if sets.count > 0 {
            let ofNodes = sets.ofNodes[nodes]
            cut.categorySet = ofNodes.allSatisfy { $0 == -1 } ? [] : ofNodes
            let words = Self.runs(sets.wordStarts, of: tree, sets.treeStarts)
            cut.categorySets = CategorySets(
                starts: words.starts, words: sets.words[words.items])
        }
        if projections.count > 0 {
            let terms = Self.runs(projections.termStarts, of: tree, projections.treeStarts)
            cut.projections = Projections(
                starts: terms.starts, features: projections.features[terms.items],
                weights: projections.weights[terms.items])
        }
        return cut
    }

    /// A tree's runs of items: their starts counted from the tree's first item, and its items.
    private static func runs(
        _ starts: Column<UInt64>, of tree: Int, _ treeStarts: Column<UInt64>
    ) -> (starts: [Int32], items: Range<Int>) {
        let own = starts[Int(treeStarts[tree])..<Int(treeStarts[tree + 1]) + 1]
        let (first, last) = (own.first ?? 0, own.last ?? 0)
        return (own.map { Int32($0 - first) }, Int(first)..<Int(last))
    }
}

extension TreeColumns {
    /// Throws unless every tree is a part of every column.
    private func checkFrame() throws(EnsembleError) {
        func fault(_ problem: String) -> EnsembleError {
            EnsembleError(tree: nil, node: nil, problem: problem)
        }
        guard leafWidth > 0, leafValues.count % leafWidth == 0 else {
            throw fault("its leaf values are not \(leafWidth) per leaf")
        }
        let counts = [threshold.count, leftChild.count, missingGoesLeft.count]
        guard counts.allSatisfy({ $0 == nodeCount }), cover.isEmpty || cover.count == nodeCount,
            leafStarts.count == nodeStarts.count,
            Self.divides(nodeStarts, into: nodeCount),
            Self.divides(leafStarts, into: leafValues.count / leafWidth)
        else { throw fault("its trees' nodes and leaves do not follow each other") }
        // Counted within a tree in 32 bits, and by predictors over all trees.
        guard max(sets.words.count, projections.features.count) <= Int(Int32.max) else {
            throw fault("more than 2^31 - 1 words of sets or terms of projections")
        }
        guard
            sets.count == 0
                ? sets.words.isEmpty && sets.ofNodes.isEmpty
                : sets.ofNodes.count == nodeCount && sets.treeStarts.count == nodeStarts.count
                    && Self.divides(sets.treeStarts, into: sets.count)
                    && Self.divides(sets.wordStarts, into: sets.words.count)
        else { throw fault("its sets of categories do not follow each other") }
        guard projections.weights.count == projections.features.count,
            projections.count == 0
                ? projections.features.isEmpty
                : projections.treeStarts.count == nodeStarts.count
                    && Self.divides(projections.treeStarts, into: projections.count)
                    && Self.divides(projections.termStarts, into: projections.features.count)
        else { throw fault("its projections are not sound") }
    }

    /// Whether these are the starts of runs that together make up `count` items.
    private static func divides(_ starts: Column<UInt64>, into count: Int) -> Bool {
        starts.withElements { starts in
            guard starts.first == 0, starts.last == UInt64(count) else { return false }
            var isRising = true
            for index in 1..<max(1, starts.count) {
                isRising = isRising && starts[index - 1] <= starts[index]
            }
            return isRising
        }
    }
}
