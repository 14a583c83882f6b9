/// What the tests of an ensemble compare with their thresholds, made of a row's features.
///
/// A feature is one input for the nodes that send missing values left and one for those that send
/// them right: there minus or plus infinity stands for NaN, so that a comparison is all a node
/// needs. Whether a feature is in a node's set of categories is an input too, 0 if the row goes
/// left and 1 if not.
struct ScoringInputs: Sendable {
    /// An input that says whether a feature is in a set of categories.
    struct Member {
        var input: Int
        var feature: Int
        /// 0 or 1 for a category that the set does not know.
        var missing: Float
        var set: Range<Int>
    }

    /// A feature as nodes compare it, or whether it is in a set: what has cuts of its own.
    struct Column {
        var feature: Int
        /// Its inputs for nodes that send missing values left and right; −1 for none.
        var left = -1
        var right = -1
    }

    /// Per input the feature.
    private(set) var features: [Int32] = []
    /// Per input what stands for a missing value.
    private(set) var missing: [Float] = []
    /// Inputs of one feature share a column; a member has one for itself, as a left input.
    private(set) var columns: [Column] = []
    /// Per input its column.
    private(set) var columnOf: [Int] = []
    /// The inputs that are no plain values.
    private(set) var members: [Member] = []
    private var words: [UInt32] = []
    /// Per feature its column; −1 for none.
    private var columnOfFeature: [Int]
    /// Numbers of the inputs that categorical nodes test, by tree and node.
    private var memberNumbers: [Int: Int] = [:]

    var count: Int { features.count }

    /// Nil if a node compares a weighted sum, or if there would be more than `countMax` inputs.
    init?(_ ensemble: TreeEnsemble, countMax: Int) {
        columnOfFeature = Array(repeating: -1, count: ensemble.featureCount)
        for (number, tree) in ensemble.trees.enumerated() {
            for node in 0..<tree.nodeCount where tree.splitFeature[node] != Tree.leaf {
                guard tree.splitFeature[node] >= 0 else { return nil }
                insert(node, of: tree, number: number)
                guard count <= countMax else { return nil }
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
            memberNumbers[Self.key(number, node)] = count
            let missing: Float = goesLeft ? 0 : 1
            members.append(
                Member(input: count, feature: feature, missing: missing, set: first..<words.count))
            columns.append(Column(feature: feature, left: count))
            append(feature, missing: missing, column: columns.count - 1)
            return
        }
        if columnOfFeature[feature] < 0 {
            columnOfFeature[feature] = columns.count
            columns.append(Column(feature: feature))
        }
        let column = columnOfFeature[feature]
        if goesLeft, columns[column].left < 0 {
            columns[column].left = count
            append(feature, missing: -.infinity, column: column)
        } else if !goesLeft, columns[column].right < 0 {
            columns[column].right = count
            append(feature, missing: .infinity, column: column)
        }
    }

    private mutating func append(_ feature: Int, missing value: Float, column: Int) {
        features.append(Int32(feature))
        missing.append(value)
        columnOf.append(column)
    }

    private static func key(_ tree: Int, _ node: Int) -> Int { tree << 32 | node }

    /// The input that an inner node tests, and its threshold: a row goes left when the input is not
    /// greater.
    func test(_ node: Int, of tree: Tree, number: Int) -> (input: Int, threshold: Float) {
        if tree.isCategorical(node) { return (memberNumbers[Self.key(number, node)] ?? 0, 0.5) }
        let column = columns[columnOfFeature[Int(tree.splitFeature[node])]]
        return (tree.missingGoesLeft[node] ? column.left : column.right, tree.threshold[node])
    }

    /// The inputs of a row: `count` values, none of them NaN.
    func fill(_ row: UnsafePointer<Float>, into values: UnsafeMutablePointer<Float>) {
        features.withUnsafeBufferPointer { features in
            missing.withUnsafeBufferPointer { missing in
                for index in 0..<features.count {
                    let value = row[Int(features[index])]
                    (values + index).initialize(to: value.isNaN ? missing[index] : value)
                }
            }
        }
        forEachMember(of: row) { values[$0] = $1 }
    }

    /// The inputs that are no plain values, and what they are in a row: 0 or 1.
    @inline(__always)
    func forEachMember(
        of row: UnsafePointer<Float>, _ body: (_ input: Int, _ value: Float) -> Void
    ) {
        guard !members.isEmpty else { return }
        words.withUnsafeBufferPointer { words in
            for member in members {
                let isMember = words.baseAddress.flatMap {
                    CategorySets.contains(row[member.feature], $0, member.set)
                }
                body(member.input, isMember.map { $0 ? 0 : 1 } ?? member.missing)
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
