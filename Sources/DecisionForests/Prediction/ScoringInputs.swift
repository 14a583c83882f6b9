/// What the tests of an ensemble compare with their thresholds, made of a row's features.
///
/// A feature is one input for the nodes that send missing values left and one for those that send
/// them right: there minus or plus infinity stands for NaN, so that a comparison is all a node
/// needs. Whether a feature is in a node's set of categories is an input too, 0 if the row goes
/// left and 1 if not; and so is whether it is missing at all, where that is what nodes ask.
struct ScoringInputs: Sendable {
    /// An input that says whether a feature is in a set of categories, or whether it is there.
    struct Member {
        var input: Int
        var feature: Int
        /// 0 or 1 for a missing value.
        var missing: Float
        /// 0 or 1 for a category that the set does not know.
        var unknown: Float
        /// Words of the set; nil where any value that is there is 0.
        var set: Range<Int>?
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

    var count: Int { features.count }

    /// What the nodes of all trees test, in the trees' order: needed while a layout is built.
    struct Tests {
        /// For leaves and then for each feature the input of nodes that send missing values right,
        /// and of those that send them left: −1 where there is none.
        fileprivate var table: [Int32] = []
        /// The input of an inner node, or −1 at a leaf; empty where `table` tells it of all nodes.
        fileprivate var inputs: [Int32] = []
        /// Thresholds that are not the columns' own.
        fileprivate var thresholds: [Int: Float] = [:]

        /// Calls `body` with what finds a node's test; it is there until `body` returns.
        @inline(__always)
        func withView<Result>(_ trees: ColumnsView, _ body: (TestsView) -> Result) -> Result {
            table.withUnsafeBufferPointer { table in
                inputs.withUnsafeBufferPointer { inputs in
                    body(
                        TestsView(
                            trees: trees, table: table, inputs: inputs, thresholds: thresholds))
                }
            }
        }
    }

    /// The tests of all trees where they lie, for the loops that build layouts.
    struct TestsView {
        let trees: ColumnsView
        fileprivate let table: UnsafeBufferPointer<Int32>
        fileprivate let inputs: UnsafeBufferPointer<Int32>
        fileprivate let thresholds: [Int: Float]

        /// Per feature the input, at 2 × (feature + 1), and one further for nodes that send missing
        /// values left; nil unless all nodes compare features with their columns' thresholds. A
        /// leaf's feature is −1.
        var inputOfFeature: UnsafePointer<Int32>? { inputs.isEmpty ? table.baseAddress : nil }

        /// The input of an inner node, or −1 at a leaf.
        @inline(__always)
        func input(of node: Int) -> Int32 {
            inputs.isEmpty ? table[ComparedFeatures.entry(of: node, trees)] : inputs[node]
        }

        /// The threshold of an inner node: a row goes left when its input is not greater.
        @inline(__always)
        func threshold(of node: Int) -> Float {
            inputs.isEmpty
                ? trees.threshold[node] : thresholds[node] ?? trees.threshold[node]
        }
    }

    /// Nil if a node compares a weighted sum, or if there would be more than `countMax` inputs.
    static func make(
        of ensemble: TreeEnsemble, _ columns: TreeColumns, countMax: Int
    ) -> (inputs: ScoringInputs, tests: Tests)? {
        guard columns.projections.count == 0 else { return nil }
        var made = ScoringInputs()
        let tests: Tests? = columns.withView { trees in
            let table =
                columns.sets.count == 0
                ? ComparedFeatures.table(trees, featureCount: ensemble.featureCount) : nil
            guard let table else {
                return made.insertAll(trees, columns.sets, ensemble, countMax)
            }
            return made.insertNumbers(table, featureCount: ensemble.featureCount, countMax)
        }
        return tests.map { (made, $0) }
    }

    /// The inputs of nodes that compare a feature with a threshold, all of them. `table` has 0 for
    /// each that is tested: see `ComparedFeatures`.
    private mutating func insertNumbers(
        _ table: [Int32], featureCount: Int, _ countMax: Int
    ) -> Tests? {
        var tests = Tests(table: table)
        for feature in 0..<featureCount {
            var column = -1
            for direction in 0...1 where tests.table[2 * (feature + 1) + direction] == 0 {
                tests.table[2 * (feature + 1) + direction] = insertNumber(
                    feature, goesLeft: direction == 1, column: &column)
            }
        }
        return count <= countMax ? tests : nil
    }

    /// A feature's column and its input for presence; −1 for none.
    private struct Place {
        var column = -1
        var presence: Int32 = -1
    }

    private mutating func insertAll(
        _ trees: ColumnsView, _ sets: TreeColumns.Sets, _ ensemble: TreeEnsemble, _ countMax: Int
    ) -> Tests? {
        var tests = Tests(inputs: Array(repeating: -1, count: trees.feature.count))
        var places = [Place](repeating: Place(), count: ensemble.featureCount)
        for tree in 0..<trees.treeCount {
            for node in trees.nodes(of: tree) where trees.feature[node] != Tree.leaf {
                let feature = Int(trees.feature[node])
                let goesLeft = trees.missingGoesLeft[node] != 0
                if sets.count > 0, sets.ofNodes[node] >= 0 {
                    tests.inputs[node] = Int32(count)
                    tests.thresholds[node] = 0.5
                    insertMember(node, of: tree, trees, sets, ensemble.unknownCategory)
                } else if !goesLeft, trees.threshold[node] == .infinity {
                    // Infinity cannot both go left and stand for what goes right.
                    if places[feature].presence < 0 {
                        places[feature].presence = Int32(count)
                        insertMember(
                            Member(
                                input: count, feature: feature, missing: 1, unknown: 0, set: nil))
                    }
                    tests.inputs[node] = places[feature].presence
                    tests.thresholds[node] = 0.5
                } else {
                    tests.inputs[node] = insertNumber(
                        feature, goesLeft: goesLeft, column: &places[feature].column)
                }
                guard count <= countMax else { return nil }
            }
        }
        return tests
    }

    @inline(__always)
    private mutating func insertNumber(
        _ feature: Int, goesLeft: Bool, column: inout Int
    ) -> Int32 {
        if column < 0 {
            column = columns.count
            columns.append(Column(feature: feature))
        }
        let known = goesLeft ? columns[column].left : columns[column].right
        guard known < 0 else { return Int32(known) }
        let input = count
        if goesLeft { columns[column].left = input } else { columns[column].right = input }
        append(feature, missing: goesLeft ? -.infinity : .infinity, column: column)
        return Int32(input)
    }

    private mutating func insertMember(
        _ node: Int, of tree: Int, _ trees: ColumnsView, _ sets: TreeColumns.Sets,
        _ unknown: TreeEnsemble.UnknownCategory
    ) {
        let set = Int(sets.treeStarts[tree]) + Int(sets.ofNodes[node])
        let first = words.count
        words += sets.words[Int(sets.wordStarts[set])..<Int(sets.wordStarts[set + 1])]
        let missing: Float = trees.missingGoesLeft[node] != 0 ? 0 : 1
        insertMember(
            Member(
                input: count, feature: Int(trees.feature[node]), missing: missing,
                unknown: unknown == .followsMissing ? missing : 1, set: first..<words.count))
    }

    private mutating func insertMember(_ member: Member) {
        members.append(member)
        columns.append(Column(feature: member.feature, left: member.input))
        append(member.feature, missing: member.missing, column: columns.count - 1)
    }

    private mutating func append(_ feature: Int, missing value: Float, column: Int) {
        features.append(Int32(feature))
        missing.append(value)
        columnOf.append(column)
    }

    /// The keys of a row's inputs, unsigned integers in the order of their values: `count` of them,
    /// `stride` apart.
    func fill(_ row: UnsafePointer<Float>, into keys: UnsafeMutablePointer<UInt32>, stride: Int) {
        features.withUnsafeBufferPointer { features in
            missing.withUnsafeBufferPointer { missing in
                for index in 0..<features.count {
                    let value = row[Int(features[index])]
                    // −0 becomes +0.
                    let number = (value.isNaN ? missing[index] : value) + 0
                    (keys + index &* stride).initialize(to: FloatSorting.key(of: number))
                }
            }
        }
        forEachMember(of: row) { keys[$0 &* stride] = FloatSorting.key(of: $1) }
    }

    /// The inputs that are no plain values, and what they are in a row: 0 or 1.
    @inline(__always)
    func forEachMember(
        of row: UnsafePointer<Float>, _ body: (_ input: Int, _ value: Float) -> Void
    ) {
        guard !members.isEmpty else { return }
        words.withUnsafeBufferPointer { words in
            for member in members {
                body(member.input, Self.answer(row[member.feature], member, words.baseAddress))
            }
        }
    }

    @inline(__always)
    private static func answer(
        _ value: Float, _ member: Member, _ words: UnsafePointer<UInt32>?
    ) -> Float {
        guard !value.isNaN else { return member.missing }
        guard let set = member.set else { return 0 }
        let isMember = words.flatMap { CategorySets.contains(value, $0, set) }
        return isMember.map { $0 ? 0 : 1 } ?? member.unknown
    }
}
