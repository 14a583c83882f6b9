/// A data set's columns as linear learners take them: Double, centred, divided by their deviations,
/// a missing value at the centre. Solvers converge quickly on that scale, whatever the columns'
/// units are.
///
/// The matrix is never whole: it is made from the float32 columns block by block, where it fits the
/// cache. Rows are summed in chunks that depend on their number alone, so threads change no bit.
struct LinearDesign: Sendable {
    /// One column of the matrix.
    struct Column: Sendable {
        let feature: Int
        /// The code whose rows are 1 and all others 0; nil for the feature's own values.
        let level: Float?
        /// Missing values stand here: the column's weighted mean in float32.
        let centre: Double
        /// The weighted root mean square distance from the centre; 0 for constant columns.
        let deviation: Double
    }

    let dataset: Dataset
    let columns: [Column]
    /// Each row's weight, those of its class included.
    let weights: [Double]
    /// Σ weights.
    let totalWeight: Double
    /// Per feature, what stands for a missing value.
    let imputations: [Float]
    let chunkCount: Int
    /// Whether some row's weight is not 1.
    let isWeighted: Bool

    /// Rows of a block: 28 columns of 256 Doubles fill a tenth of a second-level cache.
    static let blockRowCount = 256
    /// Columns that a matrix may have: the normal equations of so many take 512 MiB.
    static let widthMax = 8_192
    /// A column with more levels than this becomes one indicator per level.
    static let plainLevelsMax = 2

    /// Throws for data that nothing can be learned from.
    init(_ dataset: Dataset, weights: [Double]?, threads: Int) throws(TrainingError) {
        guard dataset.rowCount > 0 else { throw .noRows }
        let weights = weights ?? Array(repeating: 1, count: dataset.rowCount)
        let total = weights.reduce(0, +)
        guard total > 0 else { throw .noWeight }
        let widths = dataset.featureKinds.map(Self.width)
        let width = widths.reduce(0, +)
        guard width <= Self.widthMax else {
            throw .tooWide(columns: width, most: Self.widthMax)
        }
        let columns = Parallel.map(dataset.featureCount, threads: threads) { feature, _ in
            Self.isExpanded(dataset.featureKinds[feature])
                ? Self.indicators(dataset, feature, weights, total: total)
                : [Self.plain(dataset.columns[feature], feature, weights)]
        }
        self.dataset = dataset
        self.columns = columns.flatMap { $0 }
        self.weights = weights
        totalWeight = total
        isWeighted = weights.contains { $0 != 1 }
        imputations = columns.map { $0.count == 1 && $0[0].level == nil ? Float($0[0].centre) : 0 }
        chunkCount = min(64, (dataset.rowCount + Self.blockRowCount - 1) / Self.blockRowCount)
    }

    var width: Int { columns.count }

    /// Whether a feature becomes one indicator per level.
    static func isExpanded(_ kind: FeatureKind) -> Bool {
        (kind.levels?.count ?? 0) > plainLevelsMax
    }

    private static func width(_ kind: FeatureKind) -> Int {
        isExpanded(kind) ? kind.levels?.count ?? 1 : 1
    }

    private static func plain(
        _ column: [Float], _ feature: Int, _ weights: [Double]
    ) -> Column {
        var (sum, weight, squares) = (0.0, 0.0, 0.0)
        for (value, share) in zip(column, weights) where !value.isNaN {
            sum += share * Double(value)
            weight += share
        }
        // The mean of float32 values is in their range, so it is finite in float32.
        let centre = weight > 0 ? Double(Float(sum / weight)) : 0
        for (value, share) in zip(column, weights) where !value.isNaN {
            let distance = Double(value) - centre
            squares += share * distance * distance
        }
        let deviation = weight > 0 ? (squares / weight).squareRoot() : 0
        // A constant's distance from its rounded mean is no deviation.
        let isConstant = deviation <= abs(centre) * 0x1p-24
        return Column(
            feature: feature, level: nil, centre: centre, deviation: isConstant ? 0 : deviation)
    }

    private static func indicators(
        _ dataset: Dataset, _ feature: Int, _ weights: [Double], total: Double
    ) -> [Column] {
        var sums = [Double](repeating: 0, count: dataset.featureKinds[feature].levels?.count ?? 0)
        var known = 0.0
        for (value, weight) in zip(dataset.columns[feature], weights) where !value.isNaN {
            sums[Int(value)] += weight
            known += weight
        }
        return sums.enumerated().map { level, sum in
            let share = known > 0 ? sum / known : 0
            return Column(
                feature: feature, level: Float(level), centre: share,
                deviation: max(0, share * (1 - share)).squareRoot())
        }
    }

    /// The blocks of a chunk.
    func blocks(ofChunk chunk: Int) -> Range<Int> {
        let count = (dataset.rowCount + Self.blockRowCount - 1) / Self.blockRowCount
        return chunk * count / chunkCount..<(chunk + 1) * count / chunkCount
    }

    /// The rows of a block.
    func rows(ofBlock block: Int) -> Range<Int> {
        let start = block * Self.blockRowCount
        return start..<min(start + Self.blockRowCount, dataset.rowCount)
    }

    /// Writes a block of the matrix, column c at `c * blockRowCount`, each column multiplied by its
    /// scale; rows beyond the last one stay as they are.
    func fill(
        _ block: Int, scales: [Double], kernels: LinearKernels,
        into matrix: UnsafeMutablePointer<Double>
    ) {
        let rows = rows(ofBlock: block)
        for (index, column) in columns.enumerated() {
            let target = matrix + index * Self.blockRowCount
            dataset.columns[column.feature].withUnsafeBufferPointer { values in
                guard let values = values.baseAddress.map({ $0 + rows.lowerBound }) else { return }
                if let level = column.level {
                    kernels.indicate(
                        values, rows.count, level, column.centre, scales[index], target)
                } else {
                    kernels.standardise(values, rows.count, column.centre, scales[index], target)
                }
            }
        }
    }
}

/// Zeroed room for Doubles on a cache line's boundary, freed with its last owner.
final class DoubleBuffer {
    let start: UnsafeMutablePointer<Double>

    init(count: Int) {
        let groups = UnsafeMutablePointer<SIMD8<Double>>.allocate(capacity: max(1, (count + 7) / 8))
        groups.initialize(repeating: .zero, count: max(1, (count + 7) / 8))
        start = UnsafeMutableRawPointer(groups).assumingMemoryBound(to: Double.self)
    }

    deinit { start.deallocate() }

    /// Lanes of eight from this Double on; `offset` is a multiple of eight.
    func lanes(at offset: Int) -> UnsafeMutablePointer<SIMD8<Double>> {
        UnsafeMutableRawPointer(start + offset).assumingMemoryBound(to: SIMD8<Double>.self)
    }
}
