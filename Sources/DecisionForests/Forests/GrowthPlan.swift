/// All that decides a forest's trees besides the target: the same plan gives the same trees.
struct GrowthPlan: Sendable {
    let data: BinnedDataset
    let parameters: ForestParameters
    /// Features that a node tries.
    let featuresPerNode: Int
    /// How often each row counts; every row once if nil.
    let weights: [UInt32]?

    /// Throws for data that nothing can be learned from.
    init(
        data: BinnedDataset, parameters: ForestParameters, weights: [Double]?
    ) throws(TrainingError) {
        guard data.rowCount > 0 else { throw .noRows }
        self.data = data
        self.parameters = parameters
        featuresPerNode = parameters.maxFeatures.count(of: data.featureCount)
        self.weights = weights.map(Self.quantised)
        if let weights = self.weights, weights.allSatisfy({ $0 == 0 }) { throw .noWeight }
    }

    /// The trees of these numbers, in order. Each is a function of the plan and its number, so any
    /// threads, machines and partitions give the same ones.
    func grow<Kernel: SplitKernel>(
        _ trees: Range<Int>, threads: Int, kernel: () -> Kernel
    ) -> [Tree] {
        data.bins.withUnsafeBufferPointer { bins in
            guard let bins = bins.baseAddress else { return [] }
            let workers = (0..<max(1, min(threads, trees.count))).map { _ in
                TreeGrower(plan: self, bins: bins, kernel: kernel())
            }
            nonisolated(unsafe) let growers = workers
            return Parallel.map(trees.count, threads: workers.count) { index, worker in
                growers[worker].grow(tree: trees.lowerBound + index)
            }
        }
    }

    /// The rows that each tree sees.
    var sample: RowSample {
        RowSample(rowCount: data.rowCount, parameters: parameters)
    }

    /// Integer weights in proportion to real ones, whose sum over any bootstrap fits 31 bits.
    ///
    /// Whole numbers stay as they are where they fit. Others are scaled by a power of two: up to
    /// 65,536 rows keep 15 bits of the greatest weight, a million rows keep 11.
    static func quantised(_ weights: [Double]) -> [UInt32] {
        let greatest = weights.max() ?? 0
        let limit = min(32_768, Double((1 << 31) / max(1, weights.count)))
        if greatest <= limit, weights.allSatisfy({ $0 == $0.rounded() }) {
            return weights.map { UInt32($0) }
        }
        guard greatest > 0 else { return weights.map { _ in 0 } }
        let scale = Double(
            sign: .plus, exponent: Int((limit / greatest).exponent), significand: 1)
        return weights.map { UInt32(($0 * scale).rounded()) }
    }
}
