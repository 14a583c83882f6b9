/// The rows that a tree of a forest sees, as a function of the plan and the tree's number alone:
/// who knows both can say which rows were left out.
struct RowSample {
    let rowCount: Int
    /// Rows drawn with replacement; nil if each tree sees every row once.
    let drawCount: Int?
    let seed: UInt64

    init(rowCount: Int, parameters: ForestParameters) {
        self.rowCount = rowCount
        drawCount =
            parameters.bootstrap
            ? parameters.maxSamples.map { $0.count(of: rowCount) } ?? rowCount : nil
        seed = parameters.seed
    }

    /// Counts how often each row was drawn into `draws`, which holds `rowCount` numbers.
    func draw(tree: Int, into draws: UnsafeMutablePointer<UInt32>) {
        guard let drawCount else {
            draws.update(repeating: 1, count: rowCount)
            return
        }
        draws.update(repeating: 0, count: rowCount)
        let chance = Self.chance(seed: seed, tree: tree).child(0x726F_7773)  // "rows"
        for turn in 0..<drawCount {
            draws[chance.index(below: rowCount, UInt64(truncatingIfNeeded: turn))] &+= 1
        }
    }

    /// The chance of all that happens in one tree.
    static func chance(seed: UInt64, tree: Int) -> Chance {
        Chance(seed: seed).child(UInt64(bitPattern: Int64(tree)))
    }
}
