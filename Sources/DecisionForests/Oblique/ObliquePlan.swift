/// All that decides an oblique forest's trees besides the target: the same plan gives the same
/// trees.
struct ObliquePlan: Sendable {
    let parameters: ForestParameters
    let draw: ProjectionDraw
    /// Row after row, missing values replaced.
    let values: [Float]
    let rowCount: Int
    let featureCount: Int
    /// How often each row counts; every row once if nil.
    let weights: [UInt32]?
    let kernels: ObliqueKernels

    /// Throws for data that nothing can be learned from.
    init(
        dataset: Dataset, forest: ForestParameters, projections: ProjectionParameters,
        weights: [Double]?, threads: Int, kernels: ObliqueKernels
    ) throws(TrainingError) {
        guard dataset.rowCount > 0 else { throw .noRows }
        let unordered = zip(dataset.featureNames, dataset.featureKinds).filter {
            LinearDesign.isExpanded($1)
        }
        guard unordered.isEmpty else { throw .unorderedColumns(unordered.map(\.0)) }
        let scales = FeatureScale.all(of: dataset, threads: threads)
        let factors = scales.map { $0.factor(projections.normalization) }
        let varying = factors.indices.filter { factors[$0] > 0 }
        parameters = forest
        draw = ProjectionDraw(
            features: varying.map { Int32($0) }, scales: varying.map { factors[$0] },
            parameters: projections)
        rowCount = dataset.rowCount
        featureCount = dataset.featureCount
        values = Self.rows(of: dataset, imputations: scales.map(\.centre), threads: threads)
        self.weights = weights.map(GrowthPlan.quantised)
        self.kernels = kernels
        if let weights = self.weights, weights.allSatisfy({ $0 == 0 }) { throw .noWeight }
    }

    /// The values row after row, which is how a node's few rows are found quickly.
    private static func rows(of dataset: Dataset, imputations: [Float], threads: Int) -> [Float] {
        let (rowCount, width) = (dataset.rowCount, dataset.featureCount)
        return [Float](unsafeUninitializedCapacity: rowCount * width) { buffer, count in
            nonisolated(unsafe) let target = buffer
            let blockRows = 1_024
            Parallel.forEach((rowCount + blockRows - 1) / blockRows, threads: threads) { block, _ in
                let rows = block * blockRows..<min(rowCount, (block + 1) * blockRows)
                for feature in 0..<width {
                    dataset.columns[feature].withUnsafeBufferPointer { column in
                        for row in rows {
                            let value = column[row]
                            target.initializeElement(
                                at: row * width + feature,
                                to: value.isNaN ? imputations[feature] : value)
                        }
                    }
                }
            }
            count = rowCount * width
        }
    }

    /// The trees of these numbers, in order. Each is a function of the plan and its number, so any
    /// threads, machines and partitions give the same ones.
    func grow<Kernel: SplitKernel>(
        _ trees: Range<Int>, threads: Int, kernel: () -> Kernel
    ) -> [Tree] {
        values.withUnsafeBufferPointer { values in
            guard let values = values.baseAddress else { return [] }
            let workers = (0..<max(1, min(threads, trees.count))).map { _ in
                ObliqueGrower(plan: self, values: values, kernel: kernel())
            }
            nonisolated(unsafe) let growers = workers
            return Parallel.map(trees.count, threads: workers.count) { index, worker in
                growers[worker].grow(tree: trees.lowerBound + index)
            }
        }
    }
}

/// Where a feature's values lie: what stands for missing ones, and how far they spread.
struct FeatureScale: Sendable {
    /// The mean, which stands for missing values.
    let centre: Float
    /// The root mean square distance from it; 0 if all values are the same.
    let deviation: Double
    /// From the least to the greatest value.
    let span: Double

    static func all(of dataset: Dataset, threads: Int) -> [FeatureScale] {
        Parallel.map(dataset.featureCount, threads: threads) { feature, _ in
            FeatureScale(dataset.columns[feature])
        }
    }

    private init(_ column: [Float]) {
        var (sum, count, squares) = (0.0, 0, 0.0)
        var (least, greatest) = (Float.infinity, -Float.infinity)
        for value in column where !value.isNaN {
            sum += Double(value)
            count += 1
            least = min(least, value)
            greatest = max(greatest, value)
        }
        guard count > 0 else {
            (centre, deviation, span) = (0, 0, 0)
            return
        }
        let mean = sum / Double(count)
        for value in column where !value.isNaN {
            squares += (Double(value) - mean) * (Double(value) - mean)
        }
        centre = Float(mean)
        span = Double(greatest) - Double(least)
        deviation = span == 0 ? 0 : (squares / Double(count)).squareRoot()
    }

    /// What the feature's weights are multiplied by; 0 if it does not vary.
    func factor(_ normalization: ProjectionParameters.Normalization) -> Float {
        guard span > 0, deviation > 0 else { return 0 }
        let factor: Double =
            switch normalization {
            case .none: 1
            case .standardDeviation: 1 / deviation
            case .minMax: 1 / span
            }
        // A spread below what float32 can scale up is none.
        return factor <= Double(Float.greatestFiniteMagnitude) ? Float(factor) : 0
    }
}
