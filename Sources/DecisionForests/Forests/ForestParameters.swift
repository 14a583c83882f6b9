/// What all random forests can be told. A value that exists is valid: `init` checks every field.
public struct ForestParameters: Sendable, Hashable {
    /// Trees of the forest.
    public let treeCount: Int
    /// Levels below the root; nil for as many as the data needs.
    public let maxDepth: Int?
    /// Features that a node tries.
    public let maxFeatures: MaxFeatures
    /// Rows that a node must have to be split.
    public let minSamplesSplit: Int
    /// Rows that each side of a split must have.
    public let minSamplesLeaf: Int
    /// Whether each tree sees a sample of the rows, drawn with replacement, or all rows.
    public let bootstrap: Bool
    /// How many rows a bootstrap draws; nil for as many as there are. Without bootstrap nil.
    public let maxSamples: MaxSamples?
    /// Leaves that a tree may have, the most useful splits first; nil for any number.
    public let maxLeafNodes: Int?
    /// What a split must lower the impurity by, times the node's share of the weight.
    public let minImpurityDecrease: Double
    /// How a node's thresholds are chosen.
    public let thresholds: ThresholdChoice
    /// Decides every chance.
    public let seed: UInt64

    /// How a tried feature is divided.
    public enum ThresholdChoice: String, Sendable, Hashable, Codable {
        /// Where it separates the target best: random forests.
        case best
        /// Anywhere between the node's least and greatest value: extra-trees.
        case random
    }

    /// Parameters of these values, or an error naming the first one out of range.
    public init(
        treeCount: Int, maxDepth: Int?, maxFeatures: MaxFeatures, minSamplesSplit: Int,
        minSamplesLeaf: Int, bootstrap: Bool, maxSamples: MaxSamples? = nil,
        maxLeafNodes: Int? = nil, minImpurityDecrease: Double = 0,
        thresholds: ThresholdChoice = .best, seed: UInt64
    ) throws(ParameterError) {
        try ParameterError.check("trees", treeCount, isIn: 1...100_000)
        if let maxDepth { try ParameterError.check("maxDepth", maxDepth, isIn: 1...10_000) }
        try maxFeatures.check()
        try ParameterError.check("minSamplesSplit", minSamplesSplit, isIn: 2...Dataset.rowCountMax)
        try ParameterError.check("minSamplesLeaf", minSamplesLeaf, isIn: 1...Dataset.rowCountMax)
        if let maxSamples {
            guard bootstrap else {
                throw ParameterError(
                    "maxSamples", "\(maxSamples)", allowed: "left out where nothing is drawn")
            }
            try maxSamples.check()
        }
        if let maxLeafNodes {
            try ParameterError.check("maxLeafNodes", maxLeafNodes, isIn: 2...Dataset.rowCountMax)
        }
        try ParameterError.check(
            "minImpurityDecrease", minImpurityDecrease,
            isIn: 0...Double.greatestFiniteMagnitude)
        self.treeCount = treeCount
        self.maxDepth = maxDepth
        self.maxFeatures = maxFeatures
        self.minSamplesSplit = minSamplesSplit
        self.minSamplesLeaf = minSamplesLeaf
        self.bootstrap = bootstrap
        self.maxSamples = maxSamples
        self.maxLeafNodes = maxLeafNodes
        self.minImpurityDecrease = minImpurityDecrease
        self.thresholds = thresholds
        self.seed = seed
    }

    /// scikit-learn's names and spellings, as MLflow shows them.
    func list(criterion: String, classWeight: String?) -> [TrainedModel.Parameter] {
        var list: [TrainedModel.Parameter] = [
            .init("n_estimators", "\(treeCount)"),
            .init("criterion", criterion),
            .init("max_depth", maxDepth.map { "\($0)" } ?? "None"),
            .init("min_samples_split", "\(minSamplesSplit)"),
            .init("min_samples_leaf", "\(minSamplesLeaf)"),
            .init("max_features", maxFeatures.description),
            .init("bootstrap", bootstrap ? "True" : "False"),
        ]
        if let maxSamples { list.append(.init("max_samples", "\(maxSamples)")) }
        if let maxLeafNodes { list.append(.init("max_leaf_nodes", "\(maxLeafNodes)")) }
        if minImpurityDecrease > 0 {
            list.append(.init("min_impurity_decrease", "\(minImpurityDecrease)"))
        }
        if let classWeight { list.append(.init("class_weight", classWeight)) }
        list.append(.init("random_state", "\(seed)"))
        return list
    }

    /// "RandomForest(n_estimators=75, max_depth=30, max_features=0.7)", or "ExtraTrees(…)".
    var summary: String {
        (thresholds == .best ? "RandomForest" : "ExtraTrees")
            + "(n_estimators=\(treeCount), max_depth=\(maxDepth.map { "\($0)" } ?? "None"), "
            + "max_features=\(maxFeatures))"
    }
}

/// Decoding checks like `init`: what arrives from elsewhere is valid or refused.
extension ForestParameters: Codable {
    private enum CodingKeys: String, CodingKey {
        case treeCount, maxDepth, maxFeatures, minSamplesSplit, minSamplesLeaf, bootstrap
        case maxSamples, maxLeafNodes, minImpurityDecrease, thresholds, seed
    }

    /// Decodes and checks.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            treeCount: fields.decode(Int.self, forKey: .treeCount),
            maxDepth: fields.decodeIfPresent(Int.self, forKey: .maxDepth),
            maxFeatures: fields.decode(MaxFeatures.self, forKey: .maxFeatures),
            minSamplesSplit: fields.decode(Int.self, forKey: .minSamplesSplit),
            minSamplesLeaf: fields.decode(Int.self, forKey: .minSamplesLeaf),
            bootstrap: fields.decode(Bool.self, forKey: .bootstrap),
            maxSamples: fields.decodeIfPresent(MaxSamples.self, forKey: .maxSamples),
            maxLeafNodes: fields.decodeIfPresent(Int.self, forKey: .maxLeafNodes),
            minImpurityDecrease: fields.decode(Double.self, forKey: .minImpurityDecrease),
            thresholds: fields.decode(ThresholdChoice.self, forKey: .thresholds),
            seed: fields.decode(UInt64.self, forKey: .seed))
    }
}
