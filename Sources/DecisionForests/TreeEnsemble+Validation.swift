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
    package func validate() throws(EnsembleError) {
        func fault(_ problem: String) -> EnsembleError {
            EnsembleError(tree: nil, node: nil, problem: problem)
        }
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
        guard baseScores.count == outputCount, baseScores.allSatisfy(\.isFinite) else {
            throw fault("its base scores are not \(outputCount) finite numbers")
        }
        if let linear {
            guard aggregation == .sum else { throw fault("a linear part beside averaged trees") }
            guard linear.coefficients.count == featureCount * outputCount,
                linear.coefficients.allSatisfy(\.isFinite)
            else { throw fault("its linear part is not \(outputCount) finite numbers a feature") }
        }
        let isImputed = linear != nil || trees.contains { $0.projections.count > 0 }
        guard imputations.count == (isImputed ? featureCount : 0),
            imputations.allSatisfy(\.isFinite)
        else { throw fault("\(imputations.count) stand-ins for \(featureCount) features") }
        // A predictor counts all trees' words and terms in 32 bits.
        let words = trees.reduce(0) { $0 + $1.categorySets.words.count }
        let terms = trees.reduce(0) { $0 + $1.projections.features.count }
        guard max(words, terms) <= Int(Int32.max) else {
            throw fault("more than 2^31 - 1 words of sets or terms of projections")
        }
        for (number, tree) in trees.enumerated() {
            try tree.validate(number: number, featureCount: featureCount, leafWidth: leafWidth)
        }
    }
}

extension Tree {
    /// Throws unless the tree is sound. Children stand after their parent, so there is no cycle.
    func validate(number: Int, featureCount: Int, leafWidth: Int) throws(EnsembleError) {
        func fault(_ problem: String, node: Int? = nil) -> EnsembleError {
            EnsembleError(tree: number, node: node, problem: problem)
        }
        guard nodeCount > 0, nodeCount <= Int(Int32.max) else { throw fault("\(nodeCount) nodes") }
        guard threshold.count == nodeCount, missingGoesLeft.count == nodeCount,
            leftChild.count == nodeCount
        else { throw fault("its arrays differ in length") }
        guard leafValues.count % leafWidth == 0, leafValues.allSatisfy(\.isFinite) else {
            throw fault("its leaf values are not finite numbers, \(leafWidth) per leaf")
        }
        try validateSets { fault($0, node: $1) }
        try validateProjections(featureCount: featureCount) { fault($0, node: $1) }
        let leafCount = leafValues.count / leafWidth
        for node in 0..<nodeCount {
            let (feature, child) = (Int(splitFeature[node]), Int(leftChild[node]))
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
            guard threshold[node].isFinite else { throw fault("threshold not finite", node: node) }
            guard child > node, child + 1 < nodeCount else {
                throw fault("children at \(child) of \(nodeCount) nodes", node: node)
            }
        }
    }

    private func validateSets(
        _ fault: (String, Int?) -> EnsembleError
    ) throws(EnsembleError) {
        guard categorySet.isEmpty || categorySet.count == nodeCount else {
            throw fault("its arrays differ in length", nil)
        }
        let known = -1..<Int32(categorySets.count)
        if let node = categorySet.firstIndex(where: { !known.contains($0) }) {
            throw fault("set \(categorySet[node]) of \(categorySets.count)", node)
        }
        guard Self.divides(categorySets.starts, into: categorySets.words.count) else {
            throw fault("its sets of categories do not follow each other", nil)
        }
        let starts = categorySets.starts
        let wordCountMax = Int32((FeatureKind.levelCountMax + 31) / 32)
        guard zip(starts, starts.dropFirst()).allSatisfy({ $1 - $0 <= wordCountMax }) else {
            throw fault("a set of more than \(FeatureKind.levelCountMax) categories", nil)
        }
    }

    private func validateProjections(
        featureCount: Int, _ fault: (String, Int?) -> EnsembleError
    ) throws(EnsembleError) {
        let features = 0..<Int32(featureCount)
        guard Self.divides(projections.starts, into: projections.features.count),
            projections.weights.count == projections.features.count,
            projections.weights.allSatisfy(\.isFinite),
            projections.features.allSatisfy(features.contains)
        else { throw fault("its projections are not sound", nil) }
    }

    /// Whether these are the starts of runs that together make up `count` items.
    private static func divides(_ starts: [Int32], into count: Int) -> Bool {
        starts.first == 0 && starts.last.map(Int.init) == count
            && zip(starts, starts.dropFirst()).allSatisfy { $0 <= $1 }
    }
}
