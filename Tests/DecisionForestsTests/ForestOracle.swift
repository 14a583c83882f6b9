import DecisionForests

/// What a tree's splits should be, found by trying everything on the values themselves.
struct ForestOracle {
    let data: Dataset
    /// Impurity of rows: Gini, entropy in bits, or variance.
    let impurity: ([Int]) -> Double

    static func gini(_ data: Dataset) -> ForestOracle {
        ForestOracle(data: data) { rows in
            1 - shares(of: rows, in: data).reduce(0) { $0 + $1 * $1 }
        }
    }

    static func entropy(_ data: Dataset) -> ForestOracle {
        ForestOracle(data: data) { rows in
            shares(of: rows, in: data).reduce(0) {
                $1 > 0 ? $0 - $1 * PortableMath.log($1) / PortableMath.log(2) : $0
            }
        }
    }

    static func variance(_ data: Dataset) -> ForestOracle {
        ForestOracle(data: data) { rows in
            guard case .values(let values) = data.target, !rows.isEmpty else { return 0 }
            let mean = rows.reduce(0) { $0 + Double(values[$1]) } / Double(rows.count)
            return rows.reduce(0) { sum, row in
                sum + (Double(values[row]) - mean) * (Double(values[row]) - mean)
            } / Double(rows.count)
        }
    }

    private static func shares(of rows: [Int], in data: Dataset) -> [Double] {
        guard case .classes(let labels, let indices) = data.target else { return [] }
        var counts = [Double](repeating: 0, count: labels.count)
        for row in rows { counts[Int(indices[row])] += 1 }
        return counts.map { $0 / Double(max(1, rows.count)) }
    }

    /// How much a division lowers the impurity, times the node's rows.
    func decrease(_ rows: [Int], left: [Int], right: [Int]) -> Double {
        Double(rows.count) * impurity(rows) - Double(left.count) * impurity(left)
            - Double(right.count) * impurity(right)
    }

    /// The greatest decrease of any threshold on any feature, missing rows on either side.
    func bestDecrease(_ rows: [Int], minSamplesLeaf: Int = 1) -> Double {
        var best = -Double.infinity
        for column in data.columns {
            let missing = rows.filter { column[$0].isNaN }
            let present = rows.filter { !column[$0].isNaN }
            for threshold in Set(present.map { column[$0] }) {
                let low = present.filter { column[$0] <= threshold }
                let high = present.filter { column[$0] > threshold }
                for (left, right) in [(low + missing, high), (low, high + missing)]
                where min(left.count, right.count) >= minSamplesLeaf {
                    best = max(best, decrease(rows, left: left, right: right))
                }
            }
        }
        return best
    }

    /// The rows of every node of a tree.
    func rows(of tree: Tree) -> [[Int]] {
        var rows = [[Int]](repeating: [], count: tree.nodeCount)
        rows[0] = Array(0..<data.rowCount)
        for node in 0..<tree.nodeCount where tree.splitFeature[node] != Tree.leaf {
            let column = data.columns[Int(tree.splitFeature[node])]
            for row in rows[node] {
                let goesLeft =
                    Self.isInSet(column[row], tree, node)
                    ?? (column[row].isNaN
                        ? tree.missingGoesLeft[node] : column[row] <= tree.threshold[node])
                rows[Int(tree.leftChild[node]) + (goesLeft ? 0 : 1)].append(row)
            }
        }
        return rows
    }

    /// Whether a categorical node sends the value left; nil for missing values and other nodes.
    private static func isInSet(_ value: Float, _ tree: Tree, _ node: Int) -> Bool? {
        guard !tree.categorySet.isEmpty, tree.categorySet[node] >= 0, !value.isNaN else {
            return nil
        }
        let (set, code) = (Int(tree.categorySet[node]), Int(value))
        let word = tree.categorySets.words[Int(tree.categorySets.starts[set]) + code / 32]
        return word >> UInt32(code % 32) & 1 == 1
    }

    /// What every split of a tree lowers the impurity by, times the node's rows; 0 at leaves.
    func decreases(of tree: Tree) -> [Double] {
        let rows = rows(of: tree)
        return (0..<tree.nodeCount).map { node in
            guard tree.splitFeature[node] != Tree.leaf else { return 0 }
            let child = Int(tree.leftChild[node])
            return decrease(rows[node], left: rows[child], right: rows[child + 1])
        }
    }
}
