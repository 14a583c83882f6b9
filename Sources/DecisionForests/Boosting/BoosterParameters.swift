/// In which order a boosted tree grows.
public enum TreeGrowth: String, Sendable, Hashable, CaseIterable {
    /// The leaf with the greatest gain first, wherever it is.
    case leafWise = "leafwise"
    /// Level by level.
    case depthWise = "depthwise"
}

/// Hyperparameters of gradient boosting, with LightGBM's meanings and defaults. A value that exists
/// is valid: `init` checks every field.
///
/// `BoosterParameters(named:)` takes them by the names that LightGBM, XGBoost and scikit-learn use.
public struct BoosterParameters: Sendable, Hashable {
    /// Rounds: trees per output.
    public internal(set) var roundCount = 100
    /// What each tree's values are multiplied with.
    public internal(set) var learningRate = 0.1
    /// Leaves of a tree at most.
    public internal(set) var leafCountMax = 31
    /// Levels below the root; nil for as many as the leaves allow.
    public internal(set) var maxDepth: Int?
    /// Which leaf is split next.
    public internal(set) var growth = TreeGrowth.leafWise
    /// Rows that each side of a split must have.
    public internal(set) var minRowsInLeaf = 20
    /// Hessian that each side of a split must have.
    public internal(set) var minHessianInLeaf = 1e-3
    /// Gain, G² / (H + λ) of both sides less the node's own, that a split must exceed.
    public internal(set) var minGain = 0.0
    /// L1 penalty on leaf values.
    public internal(set) var lambdaL1 = 0.0
    /// L2 penalty on leaf values.
    public internal(set) var lambdaL2 = 0.0
    /// Share of the rows that a tree sees.
    public internal(set) var rowShare = 1.0
    /// Rounds after which the rows are drawn again; 0 for all rows always.
    public internal(set) var rowShareRounds = 0
    /// Share of the features that a tree sees.
    public internal(set) var featureShare = 1.0
    /// Share of the tree's features that the nodes of one depth see.
    public internal(set) var featureShareByLevel = 1.0
    /// Share of its level's features that a node sees.
    public internal(set) var featureShareByNode = 1.0
    /// Bins of a feature at most, the one for missing values among them as in LightGBM; 3 ... 256.
    ///
    /// Every feature has that bin, whether or not values are missing: 255 leave 254 for values.
    public internal(set) var binCountMax = 255
    /// Per feature 1 if scores may only grow with it, −1 if they may only fall, 0 if they are free;
    /// empty if all are.
    public internal(set) var monotone: [Int] = []
    /// Categories on the smaller side of a categorical split at most.
    public internal(set) var categoriesInSplitMax = 32
    /// L2 penalty added for categorical splits.
    public internal(set) var categoryL2 = 10.0
    /// Added to the hessian of a category before categories are sorted by G / H; categories with
    /// fewer rows are not tried.
    public internal(set) var categorySmoothing = 10.0
    /// Features with at most so many categories are split one against the others.
    public internal(set) var oneHotCategoriesMax = 4
    /// Rows that a group of categories must have.
    public internal(set) var minRowsInCategoryGroup = 100
    /// Rounds without a better figure on the validation rows after which a fit ends; nil for never.
    public internal(set) var earlyStoppingRounds: Int?
    /// Whether the training rows are judged after each round too. The model is the same.
    public internal(set) var judgesTraining = false
    /// Whether scores start from the target's average rather than 0.
    public internal(set) var startsFromAverage = true
    /// Decides every chance.
    public internal(set) var seed: UInt64 = 0

    /// LightGBM's defaults with these changes, or an error naming the first value out of range.
    public init(
        rounds: Int = 100, learningRate: Double = 0.1, leaves: Int = 31, maxDepth: Int? = nil,
        growth: TreeGrowth = .leafWise, minRowsInLeaf: Int = 20, minHessianInLeaf: Double = 1e-3,
        minGain: Double = 0, lambdaL1: Double = 0, lambdaL2: Double = 0, rowShare: Double = 1,
        featureShare: Double = 1, featureShareByLevel: Double = 1, featureShareByNode: Double = 1,
        bins: Int = 255,
        monotone: [Int] = [], earlyStoppingRounds: Int? = nil, judgesTraining: Bool = false,
        seed: UInt64 = 0
    ) throws(ParameterError) {
        (roundCount, leafCountMax, binCountMax) = (rounds, leaves, bins)
        (self.learningRate, self.maxDepth, self.growth) = (learningRate, maxDepth, growth)
        (self.minRowsInLeaf, self.minHessianInLeaf) = (minRowsInLeaf, minHessianInLeaf)
        (self.minGain, self.lambdaL1, self.lambdaL2) = (minGain, lambdaL1, lambdaL2)
        (self.rowShare, rowShareRounds) = (rowShare, rowShare < 1 ? 1 : 0)
        self.featureShare = featureShare
        (self.featureShareByLevel, self.featureShareByNode) = (
            featureShareByLevel, featureShareByNode
        )
        self.judgesTraining = judgesTraining
        (self.monotone, self.earlyStoppingRounds) = (monotone, earlyStoppingRounds)
        self.seed = seed
        try check()
    }

    /// Throws for the first field out of range.
    func check() throws(ParameterError) {
        try ParameterError.check("num_iterations", roundCount, isIn: 1...100_000)
        try ParameterError.check("learning_rate", learningRate, isIn: 1e-6...10)
        try ParameterError.check("num_leaves", leafCountMax, isIn: 2...65_536)
        if let maxDepth { try ParameterError.check("max_depth", maxDepth, isIn: 1...10_000) }
        try ParameterError.check("min_data_in_leaf", minRowsInLeaf, isIn: 0...Dataset.rowCountMax)
        try ParameterError.check("min_sum_hessian_in_leaf", minHessianInLeaf, isIn: 0...1e30)
        try ParameterError.check("min_gain_to_split", minGain, isIn: 0...1e30)
        try ParameterError.check("lambda_l1", lambdaL1, isIn: 0...1e30)
        try ParameterError.check("lambda_l2", lambdaL2, isIn: 0...1e30)
        try ParameterError.check("bagging_fraction", rowShare, isIn: 1e-6...1)
        try ParameterError.check("bagging_freq", rowShareRounds, isIn: 0...100_000)
        try ParameterError.check("feature_fraction", featureShare, isIn: 1e-6...1)
        try ParameterError.check("colsample_bylevel", featureShareByLevel, isIn: 1e-6...1)
        try ParameterError.check("feature_fraction_bynode", featureShareByNode, isIn: 1e-6...1)
        // Fewer could part missing values from the others and nothing else.
        try ParameterError.check("max_bin", binCountMax, isIn: 3...FeatureBinner.valueBinsMax + 1)
        try ParameterError.check("max_cat_threshold", categoriesInSplitMax, isIn: 1...255)
        try ParameterError.check("cat_l2", categoryL2, isIn: 0...1e30)
        try ParameterError.check("cat_smooth", categorySmoothing, isIn: 0...1e30)
        try ParameterError.check("max_cat_to_onehot", oneHotCategoriesMax, isIn: 1...255)
        try ParameterError.check(
            "min_data_per_group", minRowsInCategoryGroup, isIn: 1...Dataset.rowCountMax)
        if let earlyStoppingRounds {
            try ParameterError.check("early_stopping_round", earlyStoppingRounds, isIn: 1...100_000)
        }
        guard monotone.allSatisfy((-1...1).contains) else {
            throw ParameterError(
                "monotone_constraints", "\(monotone)", allowed: "−1, 0 or 1 for each feature")
        }
    }

    /// Bins for the values of a feature: all but the one for missing values; 2 ... 255.
    package var valueBinsMax: Int { binCountMax - 1 }

    /// Whether trees see part of the rows.
    var samplesRows: Bool { rowShare < 1 && rowShareRounds > 0 }
}
