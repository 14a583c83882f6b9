/// Where the values of each feature are cut into at most 255 bins.
///
/// A feature with few different values gets a bin for each, so that splits are as exact as on the
/// values themselves; others get bins of about equally many rows. An edge is a float32 e with the
/// test `x <= e`, the same test a tree's node makes.
///
/// A categorical feature has no edges: each level has a bin, in the order of the codes. Where there
/// are more levels than bins, the most frequent ones have a bin each and all others share the last.
package struct FeatureBinner: Sendable, Hashable {
    /// Bins for values. Bin numbers are bytes; the last one is left for missing values.
    package static let valueBinsMax = 255
    /// The number of the bin of missing values.
    package static let missingBin: UInt8 = 255
    /// Rows that edges are taken from: quantiles of so many rows are within 0.2 % of the true ones.
    package static let sampleRowsMax = 200_000

    /// Per feature, ascending; bin b holds the values x with `edges[b - 1] < x <= edges[b]`.
    package let edges: [[Float]]
    /// Per categorical feature the bin of each level code; empty for other features.
    package let categoryBins: [[UInt8]]

    /// The edges for this data. A row's part in the sample depends on `seed` and its number alone.
    ///
    /// `valueBins`, in 2 ... `valueBinsMax`, is the number of bins for a feature's values at most.
    package init(
        _ dataset: Dataset, seed: UInt64, threads: Int, valueBins: Int = valueBinsMax
    ) {
        let sample = Self.sample(rowCount: dataset.rowCount, seed: seed)
        edges = Parallel.map(dataset.featureCount, threads: threads) { feature, _ in
            guard dataset.featureKinds[feature].levels == nil else { return [] }
            return Self.edges(of: dataset.columns[feature], sample: sample, valueBins: valueBins)
        }
        categoryBins = Parallel.map(dataset.featureCount, threads: threads) { feature, _ in
            guard let levels = dataset.featureKinds[feature].levels else { return [] }
            return Self.categoryBins(of: dataset.columns[feature], levelCount: levels.count)
        }
    }

    /// Bins by edges and levels' bins that are given, a list of each per feature.
    init(edges: [[Float]], categoryBins: [[UInt8]]) {
        self.edges = edges
        self.categoryBins = categoryBins
    }

    /// The codes of the levels in these bins, ascending.
    package func codes(of feature: Int, in bins: BinMask) -> [Int] {
        let table = categoryBins[feature]
        return table.indices.filter { bins.contains(table[$0]) }
    }

    /// A bin per level code.
    private static func categoryBins(of column: [Float], levelCount: Int) -> [UInt8] {
        guard levelCount > valueBinsMax else { return (0..<levelCount).map { UInt8($0) } }
        var counts = [Int](repeating: 0, count: levelCount)
        for value in column where !value.isNaN { counts[Int(value)] += 1 }
        let frequent = counts.indices.sorted {
            counts[$0] != counts[$1] ? counts[$0] > counts[$1] : $0 < $1
        }.prefix(valueBinsMax - 1)
        var bins = [UInt8](repeating: UInt8(valueBinsMax - 1), count: levelCount)
        for (bin, code) in frequent.sorted().enumerated() { bins[code] = UInt8(bin) }
        return bins
    }

    /// The rows that edges are taken from; nil for all.
    private static func sample(rowCount: Int, seed: UInt64) -> [Int]? {
        guard rowCount > sampleRowsMax else { return nil }
        let chance = Chance(seed: seed).child(0x62696E73)  // "bins"
        let threshold = UInt64(Double(sampleRowsMax) / Double(rowCount) * 0x1p64)
        return (0..<rowCount).filter { chance.bits(UInt64($0)) < threshold }
    }

    private static func edges(
        of column: [Float], sample: [Int]?, valueBins: Int
    ) -> [Float] {
        var values: [Float]
        if let sample {
            values = sample.map { column[$0] }.filter { !$0.isNaN }
        } else {
            values = column.filter { !$0.isNaN }
        }
        FloatSorting.sort(&values)
        let runs = runs(of: values)
        return runs.count <= valueBins
            ? zip(runs, runs.dropFirst()).map { midpoint($0.value, $1.value) }
            : quantileEdges(runs, rowCount: values.count, valueBins: valueBins)
    }

    /// Different values, ascending, each with how often it occurs.
    private static func runs(of sorted: [Float]) -> [(value: Float, count: Int)] {
        var runs: [(value: Float, count: Int)] = []
        for value in sorted {
            if let last = runs.last, last.value == value {
                runs[runs.count - 1].count += 1
            } else {
                runs.append((value, 1))
            }
        }
        return runs
    }

    /// Closes a bin as soon as it holds its share of the rows that are left, so that one frequent
    /// value takes a bin and the others divide the rest evenly.
    private static func quantileEdges(
        _ runs: [(value: Float, count: Int)], rowCount: Int, valueBins: Int
    ) -> [Float] {
        var edges: [Float] = []
        var (rowsLeft, binsLeft, held) = (rowCount, valueBins, 0)
        for (run, next) in zip(runs, runs.dropFirst()) {
            held += run.count
            guard binsLeft > 1, held * binsLeft >= rowsLeft else { continue }
            edges.append(midpoint(run.value, next.value))
            rowsLeft -= held
            binsLeft -= 1
            held = 0
        }
        return edges
    }

    /// A threshold t between two different values, `low <= t < high`: the middle where float32 has
    /// one, else `low` itself.
    package static func midpoint(_ low: Float, _ high: Float) -> Float {
        let middle = Float((Double(low) + Double(high)) / 2)
        return middle < high ? middle : low
    }
}

/// A set of bins.
package struct BinMask: Sendable, Hashable {
    private var words = SIMD4<UInt64>(repeating: 0)

    package init() {}

    package init(_ bins: some Sequence<UInt8>) {
        for bin in bins { insert(bin) }
    }

    @inline(__always)
    package func contains(_ bin: UInt8) -> Bool {
        words[Int(bin >> 6)] >> UInt64(bin & 63) & 1 == 1
    }

    @inline(__always)
    package mutating func insert(_ bin: UInt8) {
        words[Int(bin >> 6)] |= 1 << UInt64(bin & 63)
    }
}
