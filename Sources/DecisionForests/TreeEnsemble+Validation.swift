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
        guard !trees.isEmpty else { throw fault("it has no trees") }
        guard baseScores.count == outputCount, baseScores.allSatisfy(\.isFinite) else {
            throw fault("its base scores are not \(outputCount) finite numbers")
        }
        for (number, tree) in trees.enumerated() {
            try tree.validate(number: number, featureCount: featureCount, outputCount: outputCount)
        }
    }
}

extension Tree {
    /// Throws unless the tree is sound. Children stand after their parent, so there is no cycle.
    func validate(number: Int, featureCount: Int, outputCount: Int) throws(EnsembleError) {
        func fault(_ problem: String, node: Int? = nil) -> EnsembleError {
            EnsembleError(tree: number, node: node, problem: problem)
        }
        guard nodeCount > 0, nodeCount <= Int(Int32.max) else { throw fault("\(nodeCount) nodes") }
        guard threshold.count == nodeCount, missingGoesLeft.count == nodeCount,
            leftChild.count == nodeCount
        else { throw fault("its arrays differ in length") }
        guard leafValues.count % outputCount == 0, leafValues.allSatisfy(\.isFinite) else {
            throw fault("its leaf values are not finite numbers, \(outputCount) per leaf")
        }
        let leafCount = leafValues.count / outputCount
        for node in 0..<nodeCount {
            let (feature, child) = (Int(splitFeature[node]), Int(leftChild[node]))
            if splitFeature[node] == Tree.leaf {
                guard (0..<leafCount).contains(child) else {
                    throw fault("leaf \(child) of \(leafCount)", node: node)
                }
                continue
            }
            guard (0..<featureCount).contains(feature) else {
                throw fault("feature \(feature) of \(featureCount)", node: node)
            }
            guard threshold[node].isFinite else { throw fault("threshold not finite", node: node) }
            guard child > node, child + 1 < nodeCount else {
                throw fault("children at \(child) of \(nodeCount) nodes", node: node)
            }
        }
    }
}
