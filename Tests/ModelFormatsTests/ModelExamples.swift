import Testing

@testable import DecisionForests

/// A small deterministic generator, so that a failing case can be run again.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// A random model of the shape the fields say.
struct ModelExample: CustomTestStringConvertible, Sendable {
    var name: String
    var treeCount = 30
    var depth = 5
    var featureNames = (0..<6).map { "feature_\($0)" }
    var optional: Set<String> = []
    var classes: [ClassLabel]? = [.integer(0), .integer(1)]
    var aggregation = TreeEnsemble.Aggregation.average
    var transform = TreeEnsemble.Transform.identity
    var baseScores: [Float]?
    var leafScale: Float = 1
    var hasMissingSplits = true
    /// All numeric if nil.
    var kinds: [FeatureKind]?
    /// 1 for a tree per class and round.
    var leafWidth: Int?
    var hasProjections = false
    var hasLinearTerm = false
    var hasImportances = false
    var hasMissingRows = true
    var seed: UInt64 = 7

    var testDescription: String { name }

    var outputCount: Int { transform == .logistic ? 1 : classes?.count ?? 1 }

    private var valuesPerLeaf: Int { leafWidth ?? outputCount }

    var featureKinds: [FeatureKind] {
        kinds ?? Array(repeating: .numeric, count: featureNames.count)
    }

    var model: TrainedModel {
        var chance = SplitMix(state: seed)
        let trees = (0..<treeCount).map { _ in tree(&chance) }
        return TrainedModel(
            ensemble: TreeEnsemble(
                featureCount: featureNames.count, outputCount: outputCount, leafWidth: leafWidth,
                trees: trees, aggregation: aggregation, baseScores: baseScores,
                transform: transform, linear: hasLinearTerm ? linearTerm(&chance) : nil,
                imputations: hasProjections || hasLinearTerm
                    ? featureNames.map { _ in Self.threshold(&chance) } : []),
            featureNames: featureNames, featureKinds: kinds, optionalFeatures: optional,
            targetName: "target",
            task: classes.map { .classification(classes: $0) } ?? .regression,
            learner: "RandomForestClassifier",
            parameters: [.init("n_estimators", "\(treeCount)"), .init("seed", "\(seed)")],
            trainingRowCount: 569,
            gainImportances: hasImportances
                ? featureNames.map { _ in 1 / Double(featureNames.count) } : [])
    }

    private func linearTerm(_ chance: inout SplitMix) -> LinearTerm {
        LinearTerm(
            coefficients: (0..<outputCount * featureNames.count).map { _ in
                Double.random(in: -0.5...0.5, using: &chance)
            })
    }

    /// Thresholds lie on quarters, so that test rows can meet them exactly.
    static func threshold(_ chance: inout SplitMix) -> Float {
        Float(Int.random(in: -12...12, using: &chance)) / 4
    }

    private func tree(_ chance: inout SplitMix) -> Tree {
        var tree = Tree(
            splitFeature: [Tree.leaf], threshold: [0], missingGoesLeft: [false], leftChild: [0],
            leafValues: [])
        if featureKinds.contains(where: { $0.levels != nil }) { tree.categorySet = [-1] }
        var open = [(node: 0, depth: 0)]
        while let (node, level) = open.popLast() {
            if level == depth || (level > 0 && Int.random(in: 0..<6, using: &chance) == 0) {
                tree.leftChild[node] = Int32(tree.leafValues.count / valuesPerLeaf)
                tree.leafValues += leaf(&chance)
                continue
            }
            let child = tree.splitFeature.count
            split(node, of: &tree, &chance)
            tree.missingGoesLeft[node] = hasMissingSplits && Bool.random(using: &chance)
            tree.leftChild[node] = Int32(child)
            for offset in 0..<2 {
                tree.splitFeature.append(Tree.leaf)
                tree.threshold.append(0)
                tree.missingGoesLeft.append(false)
                tree.leftChild.append(0)
                if !tree.categorySet.isEmpty { tree.categorySet.append(-1) }
                open.append((child + offset, level + 1))
            }
        }
        if tree.categorySets.count == 0 { tree.categorySet = [] }
        return tree
    }

    private func split(_ node: Int, of tree: inout Tree, _ chance: inout SplitMix) {
        let feature = Int.random(in: featureNames.indices, using: &chance)
        tree.splitFeature[node] = Int32(feature)
        if let levels = featureKinds[feature].levels, Int.random(in: 0..<4, using: &chance) > 0 {
            // Some sets are empty or full, and some end before the last level.
            let shares: [Double] = [0, 0.1, 0.5, 0.9, 1]
            let share = shares.randomElement(using: &chance) ?? 0
            let end = Int.random(in: 0...levels.count, using: &chance)
            tree.categorySet[node] = tree.categorySets.append(
                (0..<(Bool.random(using: &chance) ? end : levels.count)).filter { _ in
                    Double.random(in: 0..<1, using: &chance) < share
                })
            return
        }
        if hasProjections, Bool.random(using: &chance) {
            let count = Int.random(in: 0...4, using: &chance)
            let features = (0..<count).map { _ in
                Int32.random(in: 0..<Int32(featureNames.count), using: &chance)
            }
            let weights = (0..<count).map { _ in Float.random(in: -1...1, using: &chance) }
            let number = tree.projections.append(features: features, weights: weights)
            tree.splitFeature[node] = -2 - number
        }
        tree.threshold[node] = Self.threshold(&chance)
    }

    /// Class shares for forests of classes, else any numbers.
    private func leaf(_ chance: inout SplitMix) -> [Float] {
        let values = (0..<valuesPerLeaf).map { _ in Float.random(in: 0...1, using: &chance) }
        guard classes != nil, transform == .identity else {
            return values.map { ($0 - 0.5) * leafScale }
        }
        let total = values.reduce(0, +)
        return values.map { $0 / total }
    }

    /// Rows that are hard on a reader: values at, just above and just below thresholds, missing,
    /// infinite and huge ones; for other kinds every code.
    func rows(_ count: Int) -> [[Float]] {
        var chance = SplitMix(state: seed &+ 1)
        return (0..<count).map { _ in
            featureKinds.map { kind in
                switch kind {
                case .numeric: return number(&chance)
                case .boolean: return code(below: 2, &chance)
                case .categorical(let levels): return code(below: levels.count, &chance)
                }
            }
        }
    }

    private func code(below count: Int, _ chance: inout SplitMix) -> Float {
        let isMissing = Int.random(in: 0..<12, using: &chance) == 0
        return isMissing && hasMissingRows ? .nan : Float(Int.random(in: 0..<count, using: &chance))
    }

    private func number(_ chance: inout SplitMix) -> Float {
        let threshold = Self.threshold(&chance)
        switch Int.random(in: 0..<100, using: &chance) {
        case 0..<8: return .nan
        // Infinity has no place in a sum of both signs.
        case 8..<10: return hasLinearTerm ? 1e30 : .infinity
        case 10..<12: return hasLinearTerm ? -3e38 : -.infinity
        case 12..<40: return threshold
        case 40..<50: return threshold.nextUp
        case 50..<60: return threshold.nextDown
        default: return Float.random(in: -4...4, using: &chance)
        }
    }
}

extension ModelExample {
    static let strangeNames = [
        "sepal length (cm)", "a.b", "größe", "say \"x\"", "c *d &e", "'q'", " lead", "0", "tab\tx",
        "line\nbreak", "back\\slash", "年収", "{\"type\": 1}", "# no", "a: b", "\u{2028}", "🌲",
        "\u{FFFE}", "\u{85}",
    ]

    static let all: [ModelExample] =
        [
            ModelExample(name: "two integer classes, 75 trees", treeCount: 75),
            ModelExample(
                name: "two classes with labels other than 0 and 1",
                classes: [.integer(-5), .integer(10)]
            ),
            ModelExample(
                name: "three string classes",
                classes: [.string("a"), .string("ß b"), .string("c")]),
            ModelExample(
                name: "five classes, 1000 trees", treeCount: 1000, depth: 3,
                classes: (1...5).map { .integer($0) }),
            ModelExample(
                name: "regression, 300 trees", treeCount: 300, classes: nil, leafScale: 1000),
            ModelExample(name: "one feature", treeCount: 20, featureNames: ["only"]),
            ModelExample(
                name: "optional columns", optional: ["feature_1", "feature_4"],
                classes: [.string("no"), .string("yes")]),
            ModelExample(name: "no missing-value splits", hasMissingSplits: false),
            ModelExample(
                name: "booster for two classes", treeCount: 100, depth: 3,
                classes: [.integer(0), .integer(1)], aggregation: .sum, transform: .logistic,
                baseScores: [-0.3], leafScale: 0.5),
            ModelExample(
                name: "booster for three classes", treeCount: 60, depth: 3,
                classes: [.integer(0), .integer(1), .integer(2)], aggregation: .sum,
                transform: .softmax, baseScores: [0.1, -0.2, 0.3], leafScale: 0.5),
            ModelExample(
                name: "booster for a number", treeCount: 100, classes: nil, aggregation: .sum,
                baseScores: [42.5], leafScale: 10),
            ModelExample(name: "strange column names", featureNames: strangeNames),
            ModelExample(name: "trees that are one leaf", treeCount: 3, depth: 0),
        ] + ofOtherKinds + linear

    private static func levels(_ count: Int) -> FeatureKind {
        .categorical(levels: (0..<count).map { $0 == 1 ? "größe \"1\"" : "level \($0)" })
    }

    private static let ofOtherKinds: [ModelExample] = [
        ModelExample(
            name: "booster of a tree per class and round", treeCount: 60, depth: 3,
            classes: [.string("a"), .string("b"), .string("c")], aggregation: .sum,
            transform: .softmax, baseScores: [0.1, -0.2, 0.3], leafScale: 0.5, leafWidth: 1),
        ModelExample(
            name: "booster for counts", treeCount: 40, classes: nil, aggregation: .sum,
            transform: .exponential, baseScores: [12], leafScale: 0.5, hasImportances: true),
        ModelExample(
            name: "columns of all kinds", treeCount: 40, optional: ["feature_1"],
            kinds: [.numeric, .boolean, levels(3), .numeric, levels(64), levels(1)],
            hasImportances: true),
        ModelExample(
            name: "booster over many levels", treeCount: 40, depth: 4, classes: nil,
            aggregation: .sum, baseScores: [1], leafScale: 3,
            kinds: [levels(300), .numeric, levels(65), .boolean, levels(2), .numeric]),
        ModelExample(
            name: "categories only, three classes", treeCount: 9, featureNames: ["a", "b"],
            classes: (0..<3).map { .integer($0) }, kinds: [levels(5), levels(40)]),
        ModelExample(
            name: "one categorical column", treeCount: 5, depth: 2, featureNames: ["colour"],
            kinds: [levels(7)]),
        ModelExample(
            name: "booleans only", treeCount: 20, featureNames: ["a", "b", "c"],
            kinds: [.boolean, .boolean, .boolean], hasMissingRows: false),
        ModelExample(
            name: "oblique forest", treeCount: 12, classes: [.string("x"), .string("y")],
            hasProjections: true),
        ModelExample(
            name: "oblique forest in several groups", treeCount: 90, depth: 6,
            classes: (0..<3).map { .integer($0) },
            kinds: [.numeric, .boolean, .numeric, .numeric, levels(4), .numeric],
            hasProjections: true),
    ]

    private static let linear: [ModelExample] = [
        ModelExample(
            name: "linear regression", treeCount: 0, classes: nil, aggregation: .sum,
            baseScores: [-3], hasLinearTerm: true),
        ModelExample(
            name: "logistic regression over all kinds", treeCount: 0, aggregation: .sum,
            transform: .logistic, baseScores: [0.25],
            kinds: [.numeric, .boolean, levels(3), .numeric, .numeric, .boolean],
            hasLinearTerm: true),
        ModelExample(
            name: "linear scores of three classes", treeCount: 0,
            classes: [.string("a"), .string("b"), .string("c")], aggregation: .sum,
            transform: .softmax, hasLinearTerm: true),
        ModelExample(
            name: "trees on top of a linear part", treeCount: 20, classes: nil, aggregation: .sum,
            transform: .exponential, baseScores: [0.5], leafScale: 0.2, hasProjections: true,
            hasLinearTerm: true),
    ]
}
