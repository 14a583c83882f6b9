import DecisionForests

/// Cuts the node columns of all trees into trees.
extension ModelFileReader {
    func trees() throws(ModelFileError) -> [Tree] {
        let nodeStarts = try starts(.treeNodeStarts, total: layout.nodeCount)
        let leafStarts = try starts(.treeLeafStarts, total: layout.leafCount)
        let features = column(.splitFeatures, as: Int32.self)
        let thresholds = floats(.thresholds)
        let children = column(.leftChildren, as: Int32.self)
        let missing = self[.missingGoesLeft].map { $0 != 0 }
        let values = floats(.leafValues)
        let leafWidth = Int(layout.leafWidth)
        var trees: [Tree] = []
        trees.reserveCapacity(nodeStarts.count - 1)
        for index in 0..<(nodeStarts.count - 1) {
            let nodes = nodeStarts[index]..<nodeStarts[index + 1]
            let leaves = (leafStarts[index] * leafWidth)..<(leafStarts[index + 1] * leafWidth)
            trees.append(
                Tree(
                    splitFeature: Array(features[nodes]), threshold: Array(thresholds[nodes]),
                    missingGoesLeft: Array(missing[nodes]), leftChild: Array(children[nodes]),
                    leafValues: Array(values[leaves])))
        }
        try addSets(to: &trees, nodeStarts: nodeStarts)
        try addProjections(to: &trees)
        return trees
    }

    private func addSets(to trees: inout [Tree], nodeStarts: [Int]) throws(ModelFileError) {
        let words = column(.setWords, as: UInt32.self)
        guard layout.setCount > 0 else {
            return try expectNone(words.count, "words of category sets")
        }
        let treeStarts = try starts(.treeSetStarts, total: layout.setCount)
        let wordStarts = try starts(.setWordStarts, total: layout.wordCount)
        let sets = column(.categorySets, as: Int32.self)
        for index in trees.indices {
            let own = wordStarts[treeStarts[index]...treeStarts[index + 1]]
            let ofNodes = sets[nodeStarts[index]..<nodeStarts[index + 1]]
            trees[index].categorySet = ofNodes.allSatisfy { $0 == -1 } ? [] : Array(ofNodes)
            trees[index].categorySets = CategorySets(
                starts: try Self.relative(own), words: Array(words[Self.range(of: own)]))
        }
    }

    private func addProjections(to trees: inout [Tree]) throws(ModelFileError) {
        let features = column(.termFeatures, as: Int32.self)
        guard layout.projectionCount > 0 else {
            return try expectNone(features.count, "terms of projections")
        }
        let treeStarts = try starts(.treeProjectionStarts, total: layout.projectionCount)
        let termStarts = try starts(.projectionTermStarts, total: layout.termCount)
        let weights = floats(.termWeights)
        for index in trees.indices {
            let own = termStarts[treeStarts[index]...treeStarts[index + 1]]
            let terms = Self.range(of: own)
            trees[index].projections = Projections(
                starts: try Self.relative(own), features: Array(features[terms]),
                weights: Array(weights[terms]))
        }
    }

    private func expectNone(_ count: Int, _ what: String) throws(ModelFileError) {
        guard count == 0 else {
            throw .malformed(part: "tree table", problem: "\(count) \(what) belong to nothing")
        }
    }

    /// A column of running totals, checked to rise from 0 to `total`; all of them then fit `Int`.
    private func starts(
        _ section: ModelFileLayout.Section, total: UInt64
    ) throws(ModelFileError) -> [Int] {
        let starts = column(section, as: UInt64.self)
        guard starts.first == 0, starts.last == total,
            zip(starts, starts.dropFirst()).allSatisfy({ $0 <= $1 })
        else {
            throw .malformed(part: "tree table", problem: "its entries do not rise to the total")
        }
        return starts.map(Int.init)
    }

    /// One tree's part of a column of starts, counted within the tree.
    private static func relative(_ starts: ArraySlice<Int>) throws(ModelFileError) -> [Int32] {
        let first = starts.first ?? 0
        guard let last = starts.last, last - first <= Int(Int32.max) else {
            throw .malformed(part: "tree table", problem: "a tree has more than 2^31 - 1 terms")
        }
        return starts.map { Int32($0 - first) }
    }

    private static func range(of starts: ArraySlice<Int>) -> Range<Int> {
        (starts.first ?? 0)..<(starts.last ?? 0)
    }
}
