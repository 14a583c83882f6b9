import DecisionForests

/// A tree ensemble as the parallel lists of a TreeEnsembleRegressor node (ai.onnx.ml 3).
struct ONNXTreeAttributes {
    private var treeIDs: [Int64] = []
    private var nodeIDs: [Int64] = []
    private var features: [Int64] = []
    private var modes: [String] = []
    private var thresholds: [Double] = []
    private var trueNodes: [Int64] = []
    private var falseNodes: [Int64] = []
    private var missingTracksTrue: [Int64] = []
    private var targetTrees: [Int64] = []
    private var targetNodes: [Int64] = []
    private var targetIDs: [Int64] = []
    private var targetWeights: [Double] = []
    private let ensemble: TreeEnsemble

    init(of ensemble: TreeEnsemble) {
        self.ensemble = ensemble
        for (index, tree) in ensemble.trees.enumerated() {
            append(tree, id: Int64(index))
        }
    }

    /// In the alphabetical order that ONNX's own tools write.
    var attributes: [(name: String, value: ONNXGraph.Attribute)] {
        var attributes: [(name: String, value: ONNXGraph.Attribute)] = [
            ("aggregate_function", .string("SUM"))
        ]
        if ensemble.baseScores.contains(where: { $0 != 0 }) {
            attributes.append(
                ("base_values_as_tensor", .doubles(ensemble.baseScores.map(Double.init))))
        }
        attributes += [
            ("n_targets", .integer(Int64(ensemble.outputCount))),
            ("nodes_falsenodeids", .integers(falseNodes)),
            ("nodes_featureids", .integers(features)),
            ("nodes_missing_value_tracks_true", .integers(missingTracksTrue)),
            ("nodes_modes", .strings(modes)),
            ("nodes_nodeids", .integers(nodeIDs)),
            ("nodes_treeids", .integers(treeIDs)),
            ("nodes_truenodeids", .integers(trueNodes)),
            ("nodes_values_as_tensor", .doubles(thresholds)),
            ("post_transform", .string("NONE")),
            ("target_ids", .integers(targetIDs)),
            ("target_nodeids", .integers(targetNodes)),
            ("target_treeids", .integers(targetTrees)),
            ("target_weights_as_tensor", .doubles(targetWeights)),
        ]
        return attributes
    }

    private mutating func append(_ tree: Tree, id: Int64) {
        for node in 0..<tree.nodeCount {
            let isLeaf = tree.splitFeature[node] == Tree.leaf
            let child = Int64(tree.leftChild[node])
            treeIDs.append(id)
            nodeIDs.append(Int64(node))
            features.append(isLeaf ? 0 : Int64(tree.splitFeature[node]))
            modes.append(isLeaf ? "LEAF" : "BRANCH_LEQ")
            thresholds.append(isLeaf ? 0 : Double(tree.threshold[node]))
            trueNodes.append(isLeaf ? 0 : child)
            falseNodes.append(isLeaf ? 0 : child + 1)
            missingTracksTrue.append(!isLeaf && tree.missingGoesLeft[node] ? 1 : 0)
            if isLeaf {
                appendLeaf(Int(child), of: tree, at: Int64(node), treeID: id)
            }
        }
    }

    private mutating func appendLeaf(_ leaf: Int, of tree: Tree, at node: Int64, treeID: Int64) {
        let divisor = ensemble.aggregation == .average ? Double(ensemble.trees.count) : 1
        for output in 0..<ensemble.outputCount {
            targetTrees.append(treeID)
            targetNodes.append(node)
            targetIDs.append(Int64(output))
            targetWeights.append(
                Double(tree.leafValues[leaf * ensemble.outputCount + output]) / divisor)
        }
    }
}
