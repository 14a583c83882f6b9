extension TreeColumns {
    /// The trees of a learner as columns. Throws if a tree's arrays do not fit each other.
    init(_ trees: [Tree], leafWidth: Int) throws(EnsembleError) {
        for (number, tree) in trees.enumerated() {
            try tree.checkArrays(number: number, leafWidth: leafWidth)
        }
        try self.init(
            leafWidth: leafWidth, nodeStarts: Self.starts(trees.map(\.nodeCount)),
            leafStarts: Self.starts(trees.map { $0.leafValues.count / leafWidth }),
            splitFeature: Column(joining: trees.map(\.splitFeature)),
            threshold: Column(joining: trees.map(\.threshold)),
            leftChild: Column(joining: trees.map(\.leftChild)),
            missingGoesLeft: Column(joining: trees.map { $0.missingGoesLeft.map { $0 ? 1 : 0 } }),
            leafValues: Column(joining: trees.map(\.leafValues)), cover: Self.cover(of: trees),
            sets: Self.sets(of: trees),
            projections: Self.projections(of: trees))
    }

    private static func cover(of trees: [Tree]) -> Column<Float> {
        guard trees.contains(where: { !$0.cover.isEmpty }) else { return .empty }
        return Column(
            joining: trees.map {
                $0.cover.isEmpty ? Array(repeating: 0, count: $0.nodeCount) : $0.cover
            })
    }

    private static func sets(of trees: [Tree]) -> Sets {
        var sets = Sets()
        guard trees.contains(where: { $0.categorySets.count > 0 }) else { return sets }
        sets.ofNodes = Column(
            joining: trees.map {
                $0.categorySet.isEmpty
                    ? Array(repeating: -1, count: $0.nodeCount) : $0.categorySet
            })
        sets.treeStarts = starts(trees.map(\.categorySets.count))
        sets.wordStarts = starts(trees.flatMap { lengths($0.categorySets.starts) })
        sets.words = Column(joining: trees.map(\.categorySets.words))
        return sets
    }

    private static func projections(of trees: [Tree]) -> Weighings {
        var projections = Weighings()
        guard trees.contains(where: { $0.projections.count > 0 }) else { return projections }
        projections.treeStarts = starts(trees.map(\.projections.count))
        projections.termStarts = starts(trees.flatMap { lengths($0.projections.starts) })
        projections.features = Column(joining: trees.map(\.projections.features))
        projections.weights = Column(joining: trees.map(\.projections.weights))
        return projections
    }

    /// Running totals from 0: where each of several runs starts, and where the last one ends.
    private static func starts(_ counts: [Int]) -> Column<UInt64> {
        Column(count: counts.count + 1) { starts in
            var total: UInt64 = 0
            for (index, count) in counts.enumerated() {
                starts[index] = total
                total += UInt64(count)
            }
            starts[counts.count] = total
        }
    }

    /// The lengths of the runs that start there.
    private static func lengths(_ starts: [Int32]) -> [Int] {
        zip(starts, starts.dropFirst()).map { Int($1 - $0) }
    }
}

extension Tree {
    /// Throws unless the arrays have the lengths that they say of each other.
    func checkArrays(number: Int, leafWidth: Int) throws(EnsembleError) {
        func fault(_ problem: String) -> EnsembleError {
            EnsembleError(tree: number, node: nil, problem: problem)
        }
        guard nodeCount > 0, nodeCount <= Int(Int32.max) else { throw fault("\(nodeCount) nodes") }
        guard threshold.count == nodeCount, missingGoesLeft.count == nodeCount,
            leftChild.count == nodeCount, categorySet.isEmpty || categorySet.count == nodeCount,
            cover.isEmpty || cover.count == nodeCount
        else { throw fault("its arrays differ in length") }
        guard leafValues.count % leafWidth == 0 else {
            throw fault("its leaf values are not finite numbers, \(leafWidth) per leaf")
        }
        guard Self.divides(categorySets.starts, into: categorySets.words.count) else {
            throw fault("its sets of categories do not follow each other")
        }
        guard categorySets.count > 0 || categorySet.allSatisfy({ $0 == -1 }) else {
            throw fault("it looks for sets of categories that it does not have")
        }
        guard Self.divides(projections.starts, into: projections.features.count),
            projections.weights.count == projections.features.count
        else { throw fault("its projections are not sound") }
    }

    /// Whether these are the starts of runs that together make up `count` items.
    private static func divides(_ starts: [Int32], into count: Int) -> Bool {
        starts.first == 0 && starts.last.map(Int.init) == count
            && zip(starts, starts.dropFirst()).allSatisfy { $0 <= $1 }
    }
}
