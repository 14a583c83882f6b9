extension Dataset {
    /// The data set dealt into `count` parts for cross-validation, no group in two of them.
    ///
    /// `groups` has one number per row; rows of the same number (one patient's, one customer's)
    /// stay together, so that a model is judged on groups it has never seen. Parts get equally many
    /// rows of each class as closely as whole groups allow. `count` is at least 2; with fewer
    /// groups than that there is one fold per group. Throws unless there is a group per row.
    public func folds(
        _ count: Int, groups: [Int32], seed: UInt64 = 0
    ) throws(DatasetError) -> [Fold] {
        precondition(count >= 2, "cross-validation needs at least two folds")
        return folds(count, by: try GroupedRows(self, groups: groups), seed: seed)
    }

    func folds(_ count: Int, by grouped: GroupedRows, seed: UInt64) -> [Fold] {
        let foldCount = min(count, grouped.groupCount)
        let foldOf = grouped.deal(into: foldCount, seed: seed)
        return (0..<foldCount).map { Fold(dataset: self, foldOf: foldOf, index: $0) }
    }

    /// Two parts without a common group; rows keep their order.
    ///
    /// Groups are held out in an order that `seed` decides, each one that leaves the second part
    /// within its share `holdout` (strictly between 0 and 1) of the rows; the smallest group where
    /// all are too large. Both parts have groups if there are at least two. Throws unless there is
    /// a group per row.
    public func split(
        holdout: Double, groups: [Int32], seed: UInt64
    ) throws(DatasetError) -> (train: Dataset, holdout: Dataset) {
        precondition(holdout > 0 && holdout < 1, "holdout is a share between 0 and 1")
        return split(holdout: holdout, by: try GroupedRows(self, groups: groups), seed: seed)
    }

    func split(
        holdout: Double, by grouped: GroupedRows, seed: UInt64
    ) -> (train: Dataset, holdout: Dataset) {
        let isHeldOut = grouped.holdOut(Int((holdout * Double(rowCount)).rounded(.up)), seed: seed)
        return (
            subset(rows: (0..<rowCount).filter { !isHeldOut[$0] }),
            subset(rows: (0..<rowCount).filter { isHeldOut[$0] })
        )
    }
}

/// The rows of a data set by the group they belong to.
struct GroupedRows {
    /// Some rows of one class.
    private struct ClassCount {
        let label: Int
        var count: Int
    }

    private struct Group {
        let id: Int32
        var size = 0
        /// In the order of the classes; classes that the group lacks are left out.
        var classes: [ClassCount] = []
    }

    /// In the order of their numbers.
    private let groups: [Group]
    /// Per row, an index into `groups`.
    private let groupOf: [Int32]
    /// Rows of each class; one entry for numbers.
    private let classSizes: [Int]

    var groupCount: Int { groups.count }

    init(_ dataset: Dataset, groups ids: [Int32]) throws(DatasetError) {
        guard ids.count == dataset.rowCount else {
            throw .shape("\(ids.count) group numbers for \(dataset.rowCount) rows")
        }
        self.init(dataset, checked: ids)
    }

    /// - Parameter ids: One per row, as a data set's own are.
    init(_ dataset: Dataset, checked ids: [Int32]) {
        var labels = [Int32](repeating: 0, count: ids.count)
        var classCount = 1
        if case .classes(let names, let indices) = dataset.target {
            (labels, classCount) = (indices, max(1, names.count))
        }
        var classSizes = [Int](repeating: 0, count: classCount)
        for label in labels { classSizes[Int(label)] += 1 }
        var groupOf = [Int32](repeating: 0, count: ids.count)
        var groups: [Group] = []
        // Group by group, and class by class within each.
        let order = ids.indices.sorted { (ids[$0], labels[$0]) < (ids[$1], labels[$1]) }
        for row in order {
            let label = Int(labels[row])
            if groups.last?.id != ids[row] { groups.append(Group(id: ids[row])) }
            let last = groups.count - 1
            groupOf[row] = Int32(last)
            groups[last].size += 1
            if groups[last].classes.last?.label == label {
                groups[last].classes[groups[last].classes.count - 1].count += 1
            } else {
                groups[last].classes.append(ClassCount(label: label, count: 1))
            }
        }
        (self.groups, self.groupOf, self.classSizes) = (groups, groupOf, classSizes)
    }

    /// Each row's fold.
    ///
    /// Heavy groups go first, each to the fold where Σ over classes and folds of (share of the
    /// class's rows)² grows least: the greedy rule for balanced loads (Graham, "Bounds on
    /// multiprocessing timing anomalies", 1969) with one load per class. For numbers that is the
    /// fold with the fewest rows. A group's weight is the sum of its shares of the classes, so the
    /// holders of rare classes come before their places are taken.
    func deal(into foldCount: Int, seed: UInt64) -> [Int32] {
        let weights = groups.map { group in
            group.classes.reduce(0.0) { $0 + Double($1.count) / Double(classSizes[$1.label]) }
        }
        var rowCounts = [Int](repeating: 0, count: foldCount)
        var classCounts = Array(
            repeating: [Int](repeating: 0, count: classSizes.count), count: foldCount)
        var foldOf = [Int32](repeating: 0, count: groups.count)
        let heaviestFirst = shuffled(seed: seed).enumerated().sorted {
            (weights[$1.element], $0.offset) < (weights[$0.element], $1.offset)
        }
        for index in heaviestFirst.map(\.element) {
            let growth = (0..<foldCount).map { fold in
                groups[index].classes.reduce(0.0) { sum, part in
                    let size = Double(classSizes[part.label])
                    return sum + Double(classCounts[fold][part.label]) / size
                        * (Double(part.count) / size)
                }
            }
            var best = 0
            for fold in 1..<foldCount
            where (growth[fold], rowCounts[fold]) < (growth[best], rowCounts[best]) {
                best = fold
            }
            foldOf[index] = Int32(best)
            rowCounts[best] += groups[index].size
            for part in groups[index].classes { classCounts[best][part.label] += part.count }
        }
        return groupOf.map { foldOf[Int($0)] }
    }

    /// For each row whether it is held out, with at most `wanted` rows unless every group is
    /// larger.
    func holdOut(_ wanted: Int, seed: UInt64) -> [Bool] {
        guard groups.count > 1 else { return groupOf.map { _ in false } }
        let wanted = min(wanted, groupOf.count - 1)
        var isHeldOut = [Bool](repeating: false, count: groups.count)
        var taken = 0
        for index in shuffled(seed: seed) where taken + groups[index].size <= wanted {
            isHeldOut[index] = true
            taken += groups[index].size
        }
        let smallest = groups.indices.min { groups[$0].size < groups[$1].size } ?? 0
        if taken == 0 { isHeldOut[smallest] = true }
        return groupOf.map { isHeldOut[Int($0)] }
    }

    /// The groups in an order that `seed` and their numbers decide.
    private func shuffled(seed: UInt64) -> [Int] {
        let chance = Chance(seed: seed).child(0x67726F757073)  // "groups"
        let keys = groups.map { chance.bits(UInt64(UInt32(bitPattern: $0.id))) }
        return groups.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }
    }
}
