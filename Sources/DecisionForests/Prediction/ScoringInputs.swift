/// What the tests of an ensemble compare with their thresholds, made of a row's features.
///
/// A feature is one input for the nodes that send missing values left and one for those that send
/// them right: there minus or plus infinity stands for NaN, so that a comparison is all a node
/// needs. Whether a feature is in a node's set of categories is an input too, 0 if the row goes
/// left and 1 if not.
struct ScoringInputs: Sendable {
    private struct Input {
        var feature: Int
        /// Stands for a missing value.
        var missing: Float
        /// Words of a set of categories; empty for a comparison.
        var set: Range<Int>
    }

    private var inputs: [Input] = []
    private var words: [UInt32] = []
    /// Per feature, the inputs for missing values that go right and left; −1 for none.
    private var numbers: [Int]
    /// Numbers of the inputs that categorical nodes test, by tree and node.
    private var memberNumbers: [Int: Int] = [:]

    var count: Int { inputs.count }

    /// Nil if a node compares a weighted sum, or if there would be more than `countMax` inputs.
    init?(_ ensemble: TreeEnsemble, countMax: Int) {
        numbers = Array(repeating: -1, count: 2 * ensemble.featureCount)
        for (number, tree) in ensemble.trees.enumerated() {
            for node in 0..<tree.nodeCount where tree.splitFeature[node] != Tree.leaf {
                guard tree.splitFeature[node] >= 0 else { return nil }
                insert(node, of: tree, number: number)
                guard inputs.count <= countMax else { return nil }
            }
        }
    }

    private mutating func insert(_ node: Int, of tree: Tree, number: Int) {
        let feature = Int(tree.splitFeature[node])
        let goesLeft = tree.missingGoesLeft[node]
        if tree.isCategorical(node) {
            let set = Int(tree.categorySet[node])
            let (start, end) = (tree.categorySets.starts[set], tree.categorySets.starts[set + 1])
            let first = words.count
            words += tree.categorySets.words[Int(start)..<Int(end)]
            memberNumbers[Self.key(number, node)] = inputs.count
            inputs.append(
                Input(feature: feature, missing: goesLeft ? 0 : 1, set: first..<words.count))
        } else if numbers[2 * feature + (goesLeft ? 1 : 0)] < 0 {
            numbers[2 * feature + (goesLeft ? 1 : 0)] = inputs.count
            inputs.append(
                Input(feature: feature, missing: goesLeft ? -.infinity : .infinity, set: 0..<0))
        }
    }

    private static func key(_ tree: Int, _ node: Int) -> Int { tree << 32 | node }

    /// The input that an inner node tests, and its threshold: a row goes left when the input is not
    /// greater.
    func test(_ node: Int, of tree: Tree, number: Int) -> (input: Int, threshold: Float) {
        if tree.isCategorical(node) { return (memberNumbers[Self.key(number, node)] ?? 0, 0.5) }
        let side = tree.missingGoesLeft[node] ? 1 : 0
        return (numbers[2 * Int(tree.splitFeature[node]) + side], tree.threshold[node])
    }

    /// The inputs of a row: `count` values, none of them NaN.
    func fill(_ row: UnsafePointer<Float>, into values: UnsafeMutablePointer<Float>) {
        words.withUnsafeBufferPointer { words in
            inputs.withUnsafeBufferPointer { inputs in
                for index in 0..<inputs.count {
                    let input = inputs[index]
                    var value = row[input.feature]
                    if input.missing.isFinite {
                        let isMember = words.baseAddress.flatMap {
                            CategorySets.contains(value, $0, input.set)
                        }
                        value = isMember.map { $0 ? 0 : 1 } ?? input.missing
                    }
                    (values + index).initialize(to: value.isNaN ? input.missing : value)
                }
            }
        }
    }
}

extension Tree {
    /// Whether an inner node asks for a category rather than compares.
    @inline(__always)
    func isCategorical(_ node: Int) -> Bool {
        !categorySet.isEmpty && categorySet[node] >= 0
    }
}
