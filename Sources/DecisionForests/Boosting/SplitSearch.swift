internal import ForestKernels

/// The best split of a node by one feature, or by all.
struct NodeSplit: Sendable {
    /// Σ G² / (H + λ) of both sides in the histogram's own units, larger is better; −∞ for none.
    var score = -Double.infinity
    var feature = 0
    /// The last bin of values that goes left; −1 for a categorical split.
    var lastLeftBin = 0
    var missingGoesLeft = false
    /// Whether the node has rows whose value is missing: only then was their side learned.
    var hasMissing = false
    /// The bins that go left in a categorical split.
    var categories: BinSet?
}

/// A set of bins.
struct BinSet: Sendable, Hashable {
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    init() {}

    mutating func insert(_ bin: Int) {
        let bit = UInt64(1) << UInt64(bin & 63)
        switch bin >> 6 {
        case 0: words.0 |= bit
        case 1: words.1 |= bit
        case 2: words.2 |= bit
        default: words.3 |= bit
        }
    }

    func contains(_ bin: Int) -> Bool {
        let word =
            switch bin >> 6 {
            case 0: words.0
            case 1: words.1
            case 2: words.2
            default: words.3
            }
        return word >> UInt64(bin & 63) & 1 == 1
    }

    static func == (left: BinSet, right: BinSet) -> Bool { left.words == right.words }

    func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
        hasher.combine(words.3)
    }
}

/// Where a node's histogram stands and what its rows sum to.
struct NodeHistogram {
    let cells: UnsafePointer<Int64>
    /// Cells between a gradient and its hessian, if they are not packed.
    let plane: Int
    let isPacked: Bool
    let g: Int64
    let h: Int64
    /// Rows.
    let count: Int

    /// The sums of one bin of one feature.
    @inline(__always)
    func sums(feature: Int, bin: Int) -> (g: Int64, h: Int64) {
        let cell = cells[feature * 256 + bin]
        return isPacked
            ? (cell >> 32, cell & 0xFFFF_FFFF) : (cell, cells[feature * 256 + bin + plane])
    }
}

/// The penalties and bounds of a split, in the units of a tree's histograms.
///
/// Units are powers of two, so that judging in them rather than in the loss's own changes no bit.
struct SplitRules: Sendable {
    let lambdaL1: Double
    let lambdaL2: Double
    let minHessian: Double
    let minRows: Int
    let parameters: BoosterParameters
    let quanta: Quanta

    init(_ parameters: BoosterParameters, quanta: Quanta) {
        lambdaL1 = parameters.lambdaL1 / quanta.histogramGradient
        lambdaL2 = parameters.lambdaL2 / quanta.histogramHessian
        minHessian = parameters.minHessianInLeaf / quanta.histogramHessian
        minRows = parameters.minRowsInLeaf
        self.parameters = parameters
        self.quanta = quanta
    }

    /// What a score of these units is worth in the loss's own.
    var scoreUnit: Double {
        quanta.histogramGradient * quanta.histogramGradient / quanta.histogramHessian
    }

    /// What −G / H in these units is worth as a leaf value.
    var valueUnit: Double { quanta.histogramGradient / quanta.histogramHessian }

    /// The least hessian of a side. Rows are counted by their share of the node's hessian, as in
    /// LightGBM; the grower counts again when it divides the node.
    func hessianMin(of node: NodeHistogram) -> Double {
        let perRow = Double(node.h) / Double(max(1, node.count))
        return max(minHessian, (Double(minRows) - 0.5) * perRow, 0.5)
    }

    /// G² / (H + λ), G shrunk by the L1 penalty; 0 for a node without hessian.
    func score(g: Double, h: Double) -> Double {
        let size = h + lambdaL2
        guard size > 0 else { return 0 }
        let shrunk = Self.shrunk(g, by: lambdaL1)
        return shrunk * shrunk / size
    }

    /// A gradient's sum, moved toward zero by the L1 penalty.
    static func shrunk(_ g: Double, by size: Double) -> Double {
        ScanKernel.shrunk(g, by: size)
    }
}

/// Judges a node's splits by one numeric feature at a time; belongs to one worker.
struct NumericSplitSearch {
    private let sums: UnsafeMutablePointer<Int64>
    private let left: UnsafeMutablePointer<Double>
    private let right: UnsafeMutablePointer<Double>
    private let hessians: UnsafeMutablePointer<Double>
    private let scores: UnsafeMutablePointer<Double>
    private let kernels: BoosterKernels

    /// `scratch` is room for `scratchCount` numbers.
    init(scratch: UnsafeMutablePointer<Double>, kernels: BoosterKernels) {
        left = scratch
        right = scratch + 256
        hessians = scratch + 512
        scores = scratch + 768
        sums = UnsafeMutableRawPointer(scratch + 1024).bindMemory(to: Int64.self, capacity: 256)
        self.kernels = kernels
    }

    static let scratchCount = 1280

    /// The best split of the node by this feature. `valueBins` is the number of bins for values.
    func best(
        of node: NodeHistogram, feature: Int, valueBins: Int, hessianMin: Double, rules: SplitRules
    ) -> NodeSplit {
        var best = NodeSplit()
        best.feature = feature
        let missing = node.sums(feature: feature, bin: Int(FeatureBinner.missingBin))
        let hasMissing = missing.g != 0 || missing.h != 0
        best.hasMissing = hasMissing
        // With missing values on the right, all values may go left.
        let cutCount = hasMissing ? valueBins : valueBins - 1
        judge(
            node, feature, cutCount, start: (0, 0), hessianMin: hessianMin, rules: rules,
            missingGoesLeft: false, best: &best)
        if hasMissing, valueBins > 1 {
            judge(
                node, feature, valueBins - 1, start: missing, hessianMin: hessianMin, rules: rules,
                missingGoesLeft: true, best: &best)
        }
        return best
    }

    private func judge(
        _ node: NodeHistogram, _ feature: Int, _ cutCount: Int, start: (g: Int64, h: Int64),
        hessianMin: Double, rules: SplitRules, missingGoesLeft: Bool, best: inout NodeSplit
    ) {
        guard cutCount > 0 else { return }
        let cells = node.cells + feature * 256
        if node.isPacked {
            kernels.sumPacked(cells, cutCount, start.g << 32 + start.h, sums, left, hessians)
        } else {
            kernels.sumWide(cells, node.plane, cutCount, start, left, hessians)
        }
        kernels.complement(left, cutCount, Double(node.g), right)
        if rules.lambdaL1 > 0 {
            kernels.shrink(left, cutCount, rules.lambdaL1)
            kernels.shrink(right, cutCount, rules.lambdaL1)
        }
        kernels.judge(
            left, right, hessians, cutCount, Double(node.h), rules.lambdaL2, hessianMin, scores)
        let place = kernels.best(scores, cutCount)
        guard place >= 0, scores[place] > best.score else { return }
        best.score = scores[place]
        best.lastLeftBin = place
        best.missingGoesLeft = missingGoesLeft
    }
}
