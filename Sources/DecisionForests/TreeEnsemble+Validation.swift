/// Why an ensemble from outside cannot be used: which tree, which node, what is wrong.
public struct EnsembleError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The tree's number; nil if the fault is the ensemble's own.
    public let tree: Int?
    /// The node's number; nil if the fault is the whole tree's.
    public let node: Int?
    /// What is wrong.
    public let problem: String

    /// "Tree 3, node 17: feature 30 of 20."
    public var description: String {
        switch (tree, node) {
        case (let tree?, let node?): "Tree \(tree), node \(node): \(problem)."
        case (let tree?, nil): "Tree \(tree): \(problem)."
        default: "The ensemble: \(problem)."
        }
    }
}

extension TreeEnsemble {
    /// Features and outputs that an ensemble may have: a row and its scores stay allocatable.
    package static let widthMax = 1 << 20

    /// Throws unless every walk from every root ends at a leaf that exists, within its tree.
    ///
    /// What passes can be predicted with without a further check.
    package func validate() throws(EnsembleError) { _ = try validatedColumns() }

    /// The trees as columns, after every check.
    package func validatedColumns() throws(EnsembleError) -> TreeColumns {
        try validateWidths()
        var columns = try trees.columns(leafWidth: leafWidth)
        try validateAdditions(hasProjections: columns.projections.count > 0)
        guard trees.featureCountChecked != featureCount else { return columns }
        do throws(TreeCheck.Fault) {
            columns.depths = try TreeCheck(columns, featureCount: featureCount).depths()
        } catch {
            // Told node by node, once.
            try columns[error.tree].validate(
                number: error.tree, featureCount: featureCount, leafWidth: leafWidth)
            throw EnsembleError(tree: error.tree, node: nil, problem: "it is not sound")
        }
        return columns
    }

    private func fault(_ problem: String) -> EnsembleError {
        EnsembleError(tree: nil, node: nil, problem: problem)
    }

    private func validateWidths() throws(EnsembleError) {
        guard (1...Self.widthMax).contains(featureCount) else {
            throw fault("\(featureCount) features")
        }
        guard (1...Self.widthMax).contains(outputCount) else {
            throw fault("\(outputCount) outputs")
        }
        guard leafWidth == outputCount || leafWidth == 1 else {
            throw fault("\(leafWidth) values per leaf for \(outputCount) outputs")
        }
        guard !trees.isEmpty || linear != nil else { throw fault("it has no trees") }
        guard leafWidth == outputCount || trees.count % outputCount == 0 else {
            throw fault("\(trees.count) trees do not make rounds of \(outputCount)")
        }
    }

    private func validateAdditions(hasProjections: Bool) throws(EnsembleError) {
        guard baseScores.count == outputCount, baseScores.allSatisfy(\.isFinite) else {
            throw fault("its base scores are not \(outputCount) finite numbers")
        }
        if let linear {
            guard aggregation == .sum else { throw fault("a linear part beside averaged trees") }
            guard linear.coefficients.count == featureCount * outputCount,
                linear.coefficients.allSatisfy(\.isFinite)
            else { throw fault("its linear part is not \(outputCount) finite numbers a feature") }
        }
        let isImputed = linear != nil || hasProjections
        guard imputations.count == (isImputed ? featureCount : 0),
            imputations.allSatisfy(\.isFinite)
        else { throw fault("\(imputations.count) stand-ins for \(featureCount) features") }
        guard zeroIsMissing.isEmpty || zeroIsMissing.count == featureCount else {
            throw fault("\(zeroIsMissing.count) meanings of zero for \(featureCount) features")
        }
    }
}

extension Tree {
    /// Throws unless the tree is sound: what `TreeCheck` finds, in words. The arrays fit each
    /// other.
    ///
    /// Children stand after their parent, so there is no cycle, and each has only one, so that a
    /// walk over the whole tree ends in time proportional to its nodes.
    func validate(number: Int, featureCount: Int, leafWidth: Int) throws(EnsembleError) {
        func fault(_ problem: String, node: Int? = nil) -> EnsembleError {
            EnsembleError(tree: number, node: node, problem: problem)
        }
        guard nodeCount > 0, nodeCount <= Int(Int32.max) else { throw fault("\(nodeCount) nodes") }
        guard leafValues.allSatisfy(\.isFinite) else {
            throw fault("its leaf values are not finite numbers, \(leafWidth) per leaf")
        }
        guard cover.allSatisfy({ $0.isFinite && $0 >= 0 }) else {
            throw fault("its covers are not a weight per node")
        }
        try validateSets { fault($0, node: $1) }
        try validateProjections(featureCount: featureCount) { fault($0, node: $1) }
        let leafCount = leafValues.count / leafWidth
        for node in 0..<nodeCount {
            let (feature, child) = (Int(splitFeature[node]), Int(leftChild[node]))
            guard !threshold[node].isNaN else { throw fault("threshold is NaN", node: node) }
            if splitFeature[node] == Tree.leaf {
                guard categorySet.isEmpty || categorySet[node] == -1 else {
                    throw fault("a set of categories at a leaf", node: node)
                }
                guard (0..<leafCount).contains(child) else {
                    throw fault("leaf \(child) of \(leafCount)", node: node)
                }
                continue
            }
            guard (-1 - projections.count..<featureCount).contains(feature) else {
                throw fault("feature \(feature) of \(featureCount)", node: node)
            }
            if !categorySet.isEmpty, categorySet[node] >= 0, feature < 0 {
                throw fault("a set of categories for a projection", node: node)
            }
            guard child > node, child + 1 < nodeCount else {
                throw fault("children at \(child) of \(nodeCount) nodes", node: node)
            }
        }
        if let node = nodeWithoutOneParent {
            throw fault("it does not have one parent", node: node)
        }
    }

    /// A node other than the root that is the child of none or of several.
    private var nodeWithoutOneParent: Int? {
        var parentCounts = [Int](repeating: 0, count: nodeCount)
        for node in 0..<nodeCount where splitFeature[node] != Tree.leaf {
            parentCounts[Int(leftChild[node])] += 1
            parentCounts[Int(leftChild[node]) + 1] += 1
        }
        return (1..<nodeCount).first { parentCounts[$0] != 1 }
    }

    private func validateSets(
        _ fault: (String, Int?) -> EnsembleError
    ) throws(EnsembleError) {
        let known = -1..<Int32(categorySets.count)
        if let node = categorySet.firstIndex(where: { !known.contains($0) }) {
            throw fault("set \(categorySet[node]) of \(categorySets.count)", node)
        }
        let starts = categorySets.starts
        guard zip(starts, starts.dropFirst()).allSatisfy({ $1 - $0 <= TreeCheck.setWordsMax })
        else {
            throw fault("a set of more than \(FeatureKind.levelCountMax) categories", nil)
        }
    }

    private func validateProjections(
        featureCount: Int, _ fault: (String, Int?) -> EnsembleError
    ) throws(EnsembleError) {
        let features = 0..<Int32(featureCount)
        guard projections.weights.allSatisfy(\.isFinite),
            projections.features.allSatisfy(features.contains)
        else { throw fault("its projections are not sound", nil) }
    }
}
