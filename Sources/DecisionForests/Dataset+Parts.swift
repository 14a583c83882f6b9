extension Dataset {
    /// Two parts without a common row; rows keep their order.
    ///
    /// `holdout` is the second part's share, strictly between 0 and 1, rounded up to whole rows.
    /// Classes keep their shares in both parts as closely as whole rows allow. Both parts have rows
    /// if there are at least two. Which rows go where depends on `seed` and the row's number alone.
    /// Where the data set has groups, whole groups are held out: `split(holdout:groups:seed:)`.
    public func split(holdout: Double, seed: UInt64) -> (train: Dataset, holdout: Dataset) {
        precondition(holdout > 0 && holdout < 1, "holdout is a share between 0 and 1")
        if let groups {
            return split(holdout: holdout, by: GroupedRows(self, checked: groups), seed: seed)
        }
        let wanted = min(Int((holdout * Double(rowCount)).rounded(.up)), max(0, rowCount - 1))
        let groups = shuffledGroups(seed: seed)
        let counts = Self.apportion(wanted, among: groups.map(\.count))
        var isHeldOut = [Bool](repeating: false, count: rowCount)
        for (group, count) in zip(groups, counts) {
            for row in group.prefix(count) { isHeldOut[row] = true }
        }
        return (
            subset(rows: (0..<rowCount).filter { !isHeldOut[$0] }),
            subset(rows: (0..<rowCount).filter { isHeldOut[$0] })
        )
    }

    /// The data set dealt into `count` parts for cross-validation, each class evenly.
    ///
    /// `count` is at least 2; with fewer rows than that there is one fold per row. Where the data
    /// set has groups, none is in two parts: `folds(_:groups:seed:)`.
    public func folds(_ count: Int, seed: UInt64 = 0) -> [Fold] {
        precondition(count >= 2, "cross-validation needs at least two folds")
        if let groups { return folds(count, by: GroupedRows(self, checked: groups), seed: seed) }
        let foldCount = min(count, rowCount)
        var foldOf = [Int32](repeating: 0, count: rowCount)
        // One round over all classes: a small class starts where the one before it ended.
        for (turn, row) in shuffledGroups(seed: seed).joined().enumerated() {
            foldOf[row] = Int32(turn % foldCount)
        }
        return (0..<foldCount).map { Fold(dataset: self, foldOf: foldOf, index: $0) }
    }

    /// The rows of each class (all rows for numbers), in an order that `seed` decides.
    private func shuffledGroups(seed: UInt64) -> [[Int]] {
        let chance = Chance(seed: seed).child(0x73706C6974)  // "split"
        var groups: [[Int]]
        switch target {
        case .classes(let labels, let indices):
            groups = Array(repeating: [], count: labels.count)
            for (row, index) in indices.enumerated() { groups[Int(index)].append(row) }
        case .values:
            groups = [Array(0..<rowCount)]
        }
        return groups.map { rows in
            let keyed = rows.map { (key: chance.bits(UInt64($0)), row: $0) }
            return keyed.sorted { ($0.key, $0.row) < ($1.key, $1.row) }.map(\.row)
        }
    }

    /// `total` divided in proportion to `sizes`, the largest remainders rounded up.
    static func apportion(_ total: Int, among sizes: [Int]) -> [Int] {
        let sum = sizes.reduce(0, +)
        guard sum > 0 else { return sizes.map { _ in 0 } }
        var counts = sizes.map { $0 * total / sum }
        let byRemainder = sizes.indices.sorted {
            let (a, b) = (sizes[$0] * total % sum, sizes[$1] * total % sum)
            return (b, $0) < (a, $1)
        }
        for index in byRemainder.prefix(total - counts.reduce(0, +)) { counts[index] += 1 }
        return counts
    }
}

/// One turn of a cross-validation: which rows of a shared data set are held back.
///
/// Cheap to copy and to keep; its two parts are gathered when they are asked for.
public struct Fold: Sendable {
    /// The data set that all folds share.
    public let dataset: Dataset
    /// This fold's number, from 0.
    public let index: Int
    private let foldOf: [Int32]

    init(dataset: Dataset, foldOf: [Int32], index: Int) {
        self.dataset = dataset
        self.foldOf = foldOf
        self.index = index
    }

    /// The held-back rows, against `dataset.subset(rows:)`.
    public var validationRows: [Int] { foldOf.indices.filter { foldOf[$0] == Int32(index) } }

    /// The rows to learn from.
    public var trainRows: [Int] { foldOf.indices.filter { foldOf[$0] != Int32(index) } }

    /// The rows to judge the model by.
    public var validation: Dataset { dataset.subset(rows: validationRows) }

    /// The rows to learn from.
    public var train: Dataset { dataset.subset(rows: trainRows) }
}

/// A fold inside another value is the whole data set and one fold number per row.
extension Fold: Codable {
    private enum CodingKeys: String, CodingKey {
        case dataset, index, foldOf
    }

    /// Decodes and checks.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        dataset = try fields.decode(Dataset.self, forKey: .dataset)
        index = try fields.decode(Int.self, forKey: .index)
        foldOf = try fields.decode([Int32].self, forKey: .foldOf)
        guard foldOf.count == dataset.rowCount, Int32(exactly: index) != nil else {
            throw DecodingError.dataCorruptedError(
                forKey: .foldOf, in: fields,
                debugDescription: "\(foldOf.count) fold numbers for \(dataset.rowCount) rows")
        }
    }

    /// Encodes the data set, the fold's number and each row's.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(dataset, forKey: .dataset)
        try fields.encode(index, forKey: .index)
        try fields.encode(foldOf, forKey: .foldOf)
    }
}
