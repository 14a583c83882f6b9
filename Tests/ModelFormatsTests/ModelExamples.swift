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
    var seed: UInt64 = 7

    var testDescription: String { name }

    private var outputCount: Int { transform == .logistic ? 1 : classes?.count ?? 1 }

    var model: TrainedModel {
        var chance = SplitMix(state: seed)
        let trees = (0..<treeCount).map { _ in tree(&chance) }
        return TrainedModel(
            ensemble: TreeEnsemble(
                featureCount: featureNames.count, outputCount: outputCount, trees: trees,
                aggregation: aggregation, baseScores: baseScores, transform: transform),
            featureNames: featureNames, optionalFeatures: optional, targetName: "target",
            task: classes.map { .classification(classes: $0) } ?? .regression,
            learner: "RandomForestClassifier",
            parameters: [.init("n_estimators", "\(treeCount)"), .init("seed", "\(seed)")],
            trainingRowCount: 569)
    }

    /// Thresholds lie on quarters, so that test rows can meet them exactly.
    static func threshold(_ chance: inout SplitMix) -> Float {
        Float(Int.random(in: -12...12, using: &chance)) / 4
    }

    private func tree(_ chance: inout SplitMix) -> Tree {
        var tree = Tree(
            splitFeature: [Tree.leaf], threshold: [0], missingGoesLeft: [false], leftChild: [0],
            leafValues: [])
        var open = [(node: 0, depth: 0)]
        while let (node, level) = open.popLast() {
            if level == depth || (level > 0 && Int.random(in: 0..<6, using: &chance) == 0) {
                tree.leftChild[node] = Int32(tree.leafValues.count / outputCount)
                tree.leafValues += leaf(&chance)
                continue
            }
            let child = tree.splitFeature.count
            tree.splitFeature[node] = Int32.random(
                in: 0..<Int32(featureNames.count), using: &chance)
            tree.threshold[node] = Self.threshold(&chance)
            tree.missingGoesLeft[node] = hasMissingSplits && Bool.random(using: &chance)
            tree.leftChild[node] = Int32(child)
            for offset in 0..<2 {
                tree.splitFeature.append(Tree.leaf)
                tree.threshold.append(0)
                tree.missingGoesLeft.append(false)
                tree.leftChild.append(0)
                open.append((child + offset, level + 1))
            }
        }
        return tree
    }

    /// Class shares for forests of classes, else any numbers.
    private func leaf(_ chance: inout SplitMix) -> [Float] {
        let values = (0..<outputCount).map { _ in Float.random(in: 0...1, using: &chance) }
        guard classes != nil, transform == .identity else {
            return values.map { ($0 - 0.5) * leafScale }
        }
        let total = values.reduce(0, +)
        return values.map { $0 / total }
    }

    /// Rows that are hard on a reader: values at, just above and just below thresholds, missing and
    /// infinite ones.
    func rows(_ count: Int) -> [[Float]] {
        var chance = SplitMix(state: seed &+ 1)
        return (0..<count).map { _ in
            featureNames.map { _ in
                let threshold = Self.threshold(&chance)
                switch Int.random(in: 0..<100, using: &chance) {
                case 0..<8: return .nan
                case 8..<10: return .infinity
                case 10..<12: return -.infinity
                case 12..<40: return threshold
                case 40..<50: return threshold.nextUp
                case 50..<60: return threshold.nextDown
                default: return Float.random(in: -4...4, using: &chance)
                }
            }
        }
    }
}

extension ModelExample {
    static let strangeNames = [
        "sepal length (cm)", "a.b", "größe", "say \"x\"", "c *d &e", "'q'", " lead", "0", "tab\tx",
        "line\nbreak", "back\\slash", "年収", "{\"type\": 1}", "# no", "a: b", "\u{2028}", "🌲",
        "\u{FFFE}", "\u{85}",
    ]

    static let all: [ModelExample] = [
        ModelExample(name: "two integer classes, 75 trees", treeCount: 75),
        ModelExample(
            name: "two classes with labels other than 0 and 1",
            classes: [.integer(-5), .integer(10)]
        ),
        ModelExample(
            name: "three string classes", classes: [.string("a"), .string("ß b"), .string("c")]),
        ModelExample(
            name: "five classes, 1000 trees", treeCount: 1000, depth: 3,
            classes: (1...5).map { .integer($0) }),
        ModelExample(name: "regression, 300 trees", treeCount: 300, classes: nil, leafScale: 1000),
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
    ]
}
