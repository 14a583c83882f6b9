import DecisionForests

/// How a training set's columns are measured: one pass for the figures, a sorted sample for the
/// deciles, one pass for the bins.
extension TrainingProfile.Column {
    init(name: String, kind: FeatureKind, values: [Float]) {
        let missingCount = values.reduce(0) { $0 + ($1.isNaN ? 1 : 0) }
        self.init(
            name: name, kind: kind.name,
            missingShare: Double(missingCount) / Double(max(1, values.count)),
            numbers: kind == .numeric ? TrainingProfile.Numbers(of: values) : nil,
            levels: Self.names(of: kind).map { names in
                var counts = [Int](repeating: 0, count: names.count)
                for value in values where !value.isNaN {
                    if let code = Int(exactly: value), counts.indices.contains(code) {
                        counts[code] += 1
                    }
                }
                return TrainingProfile.Levels(names: names, counts: counts)
            })
    }

    init(target: Dataset.Target, name: String) {
        switch target {
        case .values(let values): self.init(name: name, kind: .numeric, values: values)
        case .classes(let labels, let indices):
            var counts = [Int](repeating: 0, count: labels.count)
            for index in indices { counts[Int(index)] += 1 }
            let names = labels.map(\.description)
            self.init(
                name: name, kind: FeatureKind.categorical(levels: names).name, missingShare: 0,
                numbers: nil, levels: TrainingProfile.Levels(names: names, counts: counts))
        }
    }

    private static func names(of kind: FeatureKind) -> [String]? {
        kind == .boolean ? ["false", "true"] : kind.levels
    }
}

extension TrainingProfile.Levels {
    /// Of equally frequent names the one that stands first goes first.
    init(names: [String], counts: [Int]) {
        let total = Double(max(1, counts.reduce(0, +)))
        let order = counts.indices.sorted { (-counts[$0], $0) < (-counts[$1], $1) }
        let listed = order.prefix(Self.listedMax)
        self.init(
            count: names.count, names: listed.map { names[$0] },
            shares: listed.map { Double(counts[$0]) / total },
            otherShare: Double(order.dropFirst(Self.listedMax).reduce(0) { $0 + counts[$1] })
                / total)
    }
}

extension TrainingProfile.Numbers {
    /// Deciles, as the population stability index uses them.
    private static let binCount = 10
    /// Values that the deciles are taken from, evenly spread over the rows: sorting a long column
    /// would take longer than a tree, and a decile of so many is within 0.3 % of its rank.
    private static let sampleCountMax = 100_000

    /// Infinite values count in the bins but not in the other figures.
    init(of values: [Float]) {
        var (count, sum, squares) = (0.0, 0.0, 0.0)
        var (minimum, maximum) = (Float.infinity, -Float.infinity)
        for value in values where value.isFinite {
            count += 1
            sum += Double(value)
            minimum = min(minimum, value)
            maximum = max(maximum, value)
        }
        let mean = sum / max(1, count)
        for value in values where value.isFinite {
            squares += (Double(value) - mean) * (Double(value) - mean)
        }
        let edges = Self.decileEdges(of: values)
        self.init(
            minimum: count > 0 ? Double(minimum) : 0, maximum: count > 0 ? Double(maximum) : 0,
            mean: mean, standardDeviation: (squares / max(1, count)).squareRoot(),
            edges: edges.map(Double.init), shares: Self.shares(of: values, edges: edges))
    }

    private static func decileEdges(of values: [Float]) -> [Float] {
        let step = max(1, (values.count + sampleCountMax - 1) / sampleCountMax)
        let sorted = stride(from: 0, to: values.count, by: step).map { values[$0] }
            .filter { !$0.isNaN }.sorted()
        guard let last = sorted.last else { return [] }
        var edges: [Float] = []
        for bin in 1..<binCount {
            let rank = (sorted.count * bin + binCount - 1) / binCount
            let edge = sorted[max(0, rank - 1)]
            // An edge at the largest value would leave the last bin empty.
            if edge.isFinite, edge != edges.last, edge < last { edges.append(edge) }
        }
        return edges
    }

    private static func shares(of values: [Float], edges: [Float]) -> [Double] {
        var counts = [Int](repeating: 0, count: edges.count + 1)
        for value in values where !value.isNaN {
            var bin = 0
            while bin < edges.count, value > edges[bin] { bin += 1 }
            counts[bin] += 1
        }
        let total = Double(max(1, counts.reduce(0, +)))
        return counts.map { Double($0) / total }
    }
}
