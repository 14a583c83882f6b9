internal import ForestKernels

/// All trees of an ensemble as `ShapKernel` walks them.
struct ShapForest: Sendable {
    private struct Root {
        var steps: Range<Int>
        var firstNode: Int
        var firstValue: Int
        /// Eights of points that its quadrature needs.
        var eights: Int
    }

    let featureCount: Int
    let outputCount: Int
    let leafWidth: Int
    /// Rows of a walk.
    let rowsPerWalk: Int
    /// Outputs of a walk.
    let outputsPerWalk: Int
    /// Slots that the deepest tree uses.
    private(set) var slotCount = 2
    /// Per output, the sum over its trees of their leaves' values weighed by the training weight.
    private(set) var means: [Double]

    private var roots: [Root] = []
    private var steps: [Int32] = []
    private var nodes: [ShapKernel.Node] = []
    private let words: [UInt32]
    private var leafValues: [Float] = []
    /// The points of a quadrature of so many eights; empty where no tree needs that many.
    private var points: [[ShapKernel.Points]] = [[]]

    /// Outputs that share a walk: their sums stay in the second cache.
    private static let outputsPerWalkMax = 4
    /// Vectors of a room's sums: 16 MiB.
    private static let sumCountMax = 1 << 18

    init(_ ensemble: TreeEnsemble) throws(ExplanationError) {
        try ensemble.checkRules()
        featureCount = ensemble.featureCount
        outputCount = ensemble.outputCount
        leafWidth = ensemble.leafWidth
        // Wide rows are explained fewer at a time, so that the sums stay allocatable.
        let outputs = min(Self.outputsPerWalkMax, leafWidth, Self.sumCountMax / featureCount)
        outputsPerWalk = max(1, outputs)
        let rows = Self.sumCountMax / (featureCount * outputsPerWalk)
        rowsPerWalk = max(1, min(ShapKernel.rowCountMax, rows))
        means = Array(repeating: 0, count: outputCount)
        words = ensemble.trees.flatMap(\.categorySets.words) + [0]
        var firstWord = 0
        for (number, tree) in ensemble.trees.enumerated() {
            let walk = try ShapWalk(
                tree, number: number, leafWidth: leafWidth, firstWord: firstWord)
            firstWord += tree.categorySets.words.count
            append(walk, values: tree.leafValues)
            let first = leafWidth == 1 ? number % outputCount : 0
            for (offset, mean) in walk.means.enumerated() { means[first + offset] += mean }
        }
    }

    private mutating func append(_ walk: ShapWalk, values: [Float]) {
        // n points are exact to degree 2n − 1, and m features make factors of degree m − 1.
        let eights = max(1, (walk.featuresOfPathMax + 15) / 16)
        roots.append(
            Root(
                steps: steps.count..<steps.count + walk.steps.count, firstNode: nodes.count,
                firstValue: leafValues.count, eights: eights))
        steps += walk.steps
        nodes += walk.nodes
        leafValues += values
        slotCount = max(slotCount, walk.slotCount)
        while points.count <= eights { points.append([]) }
        if points[eights].isEmpty { points[eights] = Self.points(eights: eights) }
    }

    private static func points(eights: Int) -> [ShapKernel.Points] {
        let rule = GaussLegendre(count: 8 * eights)
        return (0..<eights).map { eight in
            let range = 8 * eight..<8 * eight + 8
            return (
                places: SIMD8(rule.places[range]), rests: SIMD8(rule.rests[range]),
                weights: SIMD8(rule.weights[range])
            )
        }
    }

    /// Puts the sums over the trees of what the features of these rows add into `sums`: output
    /// after output for a row, row after row.
    func explain(
        _ rows: UnsafePointer<Float>, rowCount: Int, into sums: UnsafeMutablePointer<Double>,
        kernels: ShapKernels, room: ShapRoom
    ) {
        for first in stride(from: 0, to: outputCount, by: leafWidth == 1 ? 1 : outputsPerWalk) {
            let count = leafWidth == 1 ? 1 : min(outputsPerWalk, outputCount - first)
            let width = count * featureCount
            room.sums.base.update(repeating: .zero, count: width * rowCount)
            walk(rows, rowCount: rowCount, outputs: first..<first + count, kernels, room)
            for row in 0..<rowCount {
                let target = sums + (row * outputCount + first) * featureCount
                for place in 0..<width {
                    let lanes = room.sums.base[place * rowCount + row]
                    let four = lanes.lowHalf + lanes.highHalf
                    let two = four.lowHalf + four.highHalf
                    (target + place).initialize(to: two.x + two.y)
                }
            }
        }
    }

    private func walk(
        _ rows: UnsafePointer<Float>, rowCount: Int, outputs: Range<Int>, _ kernels: ShapKernels,
        _ room: ShapRoom
    ) {
        withStorage { steps, nodes, words, leafValues in
            for number in leafWidth == 1
                ? stride(from: outputs.lowerBound, to: roots.count, by: outputCount)
                : stride(from: 0, to: roots.count, by: 1)
            {
                let root = roots[number]
                let firstValue = root.firstValue + (leafWidth == 1 ? 0 : outputs.lowerBound)
                let place = ShapKernel.room(
                    rows: rows, rowCount: rowCount, featureCount: featureCount, words: words,
                    leafValues: leafValues + firstValue, outputCount: outputs.count,
                    flags: room.flags.base, vectors: room.vectors.base, slotCount: slotCount,
                    sums: room.sums.base)
                points[root.eights].withUnsafeBufferPointer { eights in
                    guard let base = eights.baseAddress else { return }
                    for eight in 0..<eights.count {
                        kernels.walk(
                            steps + root.steps.lowerBound, root.steps.count,
                            nodes + root.firstNode, base + eight, place)
                    }
                }
            }
        }
    }

    private func withStorage(
        _ body: (
            UnsafePointer<Int32>, UnsafePointer<ShapKernel.Node>, UnsafePointer<UInt32>,
            UnsafePointer<Float>
        ) -> Void
    ) {
        steps.withUnsafeBufferPointer { steps in
            nodes.withUnsafeBufferPointer { nodes in
                words.withUnsafeBufferPointer { words in
                    leafValues.withUnsafeBufferPointer { leafValues in
                        // An ensemble without trees has nothing to walk.
                        guard let steps = steps.baseAddress, let nodes = nodes.baseAddress,
                            let words = words.baseAddress, let values = leafValues.baseAddress
                        else { return }
                        body(steps, nodes, words, values)
                    }
                }
            }
        }
    }
}

/// What one thread works in while it explains rows.
final class ShapRoom {
    let flags: HugeBuffer<UInt8>
    let vectors: HugeBuffer<SIMD8<Double>>
    let sums: HugeBuffer<SIMD8<Double>>

    init(for forest: ShapForest) {
        flags = HugeBuffer(count: ShapKernel.flagCount(slots: forest.slotCount))
        vectors = HugeBuffer(
            count: ShapKernel.vectorCount(
                slots: forest.slotCount, outputs: forest.outputsPerWalk))
        sums = HugeBuffer(
            count: forest.outputsPerWalk * forest.featureCount * forest.rowsPerWalk)
    }
}
