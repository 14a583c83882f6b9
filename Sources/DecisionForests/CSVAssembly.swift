/// Puts the columns that were read together: features with their kinds, target, weights, groups.
struct CSVAssembly {
    private let table: CSVTable
    private let columns: [CSVColumn]
    private let options: ReadOptions

    init(_ table: CSVTable, columns: [CSVColumn], options: ReadOptions) {
        self.table = table
        self.columns = columns
        self.options = options
    }

    func dataset() throws(DatasetError) -> Dataset {
        var features: [[Float]] = []
        var names: [String] = []
        var kinds: [FeatureKind] = []
        var target = Dataset.Target.values([])
        var targetName = options.target
        var weights: [Float]?
        var groups: [Int32]?
        for (index, column) in columns.enumerated() {
            let mode = table.changes[index] ?? column.mode
            guard mode != .skip else { continue }
            let store = table.stores[index]
            var values = store.takeValues()
            switch column.role {
            case .feature:
                kinds.append(mode == .number ? .numeric : Self.code(&values, store, column))
                features.append(values)
                names.append(column.name)
            case .target:
                targetName = column.name
                target =
                    mode == .number
                    ? .values(values)
                    : try CSVTarget(levels: store.levels).target(of: values, task: options.task)
            case .weight:
                weights = values
            case .group:
                let ranks = CSVLevels(store.levels, declared: .categorical).values
                groups = values.map { Int32(ranks[Int($0)]) }
            }
        }
        return try Dataset(
            columns: features, featureNames: names, featureKinds: kinds, target: target,
            targetName: targetName, weights: weights, groups: groups)
    }

    /// Turns the numbers of texts into codes of levels.
    private static func code(
        _ values: inout [Float], _ store: CSVTable.Store, _ column: CSVColumn
    ) -> FeatureKind {
        let levels = CSVLevels(store.levels, declared: column.declared)
        for row in values.indices where !values[row].isNaN {
            values[row] = levels.values[Int(values[row])]
        }
        return levels.kind
    }
}
