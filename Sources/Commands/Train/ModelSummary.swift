import DecisionForests
import Foundation
import ModelFormats

/// What `manta inspect --json` prints about a model.
struct ModelSummary: Encodable {
    struct Feature: Encodable {
        let name: String
        let kind: String
        /// Of categorical columns.
        let levels: [String]?
        /// Whether it had missing values in training.
        let optional: Bool
        /// Its share of all gain, where the learner keeps it.
        let gain: Double?
        /// Nodes that test it.
        let splits: Int
        let profile: Profile?
    }

    /// The training distribution. Names have no minimum; what they have is their most frequent
    /// ones.
    struct Profile: Encodable {
        let missingShare: Double
        let minimum: Double?
        let maximum: Double?
        let mean: Double?
        let standardDeviation: Double?
        let frequentLevels: [Level]?

        struct Level: Encodable {
            let name: String
            let share: Double
        }

        private enum CodingKeys: String, CodingKey {
            case missingShare = "missing_share"
            case minimum, maximum, mean
            case standardDeviation = "standard_deviation"
            case frequentLevels = "frequent_levels"
        }
    }

    struct Parameter: Encodable {
        let name: String
        let value: String
    }

    let learner: String
    let parameters: [Parameter]
    let task: String
    let target: String
    let classes: [String]
    let trainingRows: Int
    let features: [Feature]
    let trees: TreeStatistics.Summary
    /// Whether it has weighted sums of features: a linear part, or oblique nodes.
    let isLinear: Bool
    let sizeBytes: Int
    let digest: String
    let created: String
    let runID: String?
    /// What trained it, where `manta train` did.
    let recipe: TrainingRecipe?
    /// Only with `--trees`.
    var firstTrees: [TreeStatistics]?

    private enum CodingKeys: String, CodingKey {
        case learner, parameters, task, target, classes
        case trainingRows = "training_rows"
        case features, trees
        case isLinear = "has_linear_part"
        case sizeBytes = "size_bytes"
        case digest, created
        case runID = "run_id"
        case recipe
        case firstTrees = "first_trees"
    }

    init(_ loaded: LoadedModel, recipe: TrainingRecipe?, sizeInBytes: Int) {
        let model = loaded.model
        learner = model.learner
        parameters = model.parameters.map { .init(name: $0.name, value: $0.value) }
        (task, target) = (model.task.name, model.targetName)
        if case .classification(let classes) = model.task {
            self.classes = classes.map(\.description)
        } else {
            classes = []
        }
        trainingRows = model.trainingRowCount
        let splits = TreeStatistics.splitCounts(of: model.ensemble)
        features = model.featureNames.indices.map { index in
            let profile = loaded.profile?.features[index]
            let name = model.featureNames[index]
            return Feature(
                name: name, kind: model.featureKinds[index].name,
                levels: model.featureKinds[index].levels,
                optional: model.optionalFeatures.contains(name),
                gain: model.gainImportances.isEmpty ? nil : model.gainImportances[index],
                splits: splits[index], profile: profile.map(Profile.init))
        }
        trees = .init(model.ensemble)
        isLinear = model.ensemble.linear != nil
        sizeBytes = sizeInBytes
        digest = loaded.sha256.hex
        created = loaded.facts.created.formatted(.iso8601)
        runID = loaded.facts.runID
        self.recipe = recipe
    }
}

extension ModelSummary.Profile {
    fileprivate init(_ column: TrainingProfile.Column) {
        missingShare = column.missingShare
        (minimum, maximum) = (column.numbers?.minimum, column.numbers?.maximum)
        (mean, standardDeviation) = (column.numbers?.mean, column.numbers?.standardDeviation)
        frequentLevels = column.levels.map { levels in
            zip(levels.names, levels.shares).map { Level(name: $0, share: $1) }
        }
    }
}

/// The shape of one tree.
struct TreeStatistics: Encodable {
    let nodes: Int
    let leaves: Int
    /// Levels below the root.
    let depth: Int

    /// The shape of all trees together.
    struct Summary: Encodable {
        let count: Int
        let nodes: Int
        let leaves: Int
        let depthMean: Double
        let depthMax: Int
        let leavesMean: Double

        private enum CodingKeys: String, CodingKey {
            case count, nodes, leaves
            case depthMean = "depth_mean"
            case depthMax = "depth_max"
            case leavesMean = "leaves_mean"
        }

        init(_ ensemble: TreeEnsemble) {
            let trees = ensemble.trees.map(TreeStatistics.init)
            count = trees.count
            nodes = trees.reduce(0) { $0 + $1.nodes }
            leaves = trees.reduce(0) { $0 + $1.leaves }
            let divisor = Double(max(1, trees.count))
            depthMean = Double(trees.reduce(0) { $0 + $1.depth }) / divisor
            depthMax = trees.map(\.depth).max() ?? 0
            leavesMean = Double(leaves) / divisor
        }
    }

    init(_ tree: Tree) {
        nodes = tree.nodeCount
        (leaves, depth) = tree.shape
    }

    /// Per feature, the nodes that test it, alone or in a weighted sum.
    static func splitCounts(of ensemble: TreeEnsemble) -> [Int] {
        var counts = [Int](repeating: 0, count: ensemble.featureCount)
        for tree in ensemble.trees {
            for feature in tree.splitFeature where feature != Tree.leaf {
                for own in tree.features(of: feature) { counts[own] += 1 }
            }
        }
        return counts
    }
}

extension Tree {
    /// The features that a node's test looks at, given its `splitFeature`.
    func features(of split: Int32) -> [Int] {
        guard split < Tree.leaf else { return [Int(split)] }
        let projection = Int(-2 - split)
        let terms = Int(projections.starts[projection])..<Int(projections.starts[projection + 1])
        return projections.features[terms].map(Int.init)
    }
}
