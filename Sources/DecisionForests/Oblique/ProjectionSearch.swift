/// A projection as a tree keeps it.
struct ProjectionTerms {
    var features: [Int32]
    var weights: [Float]
}

/// The projections of one node after another: draws them, computes them for the node's rows, bins
/// what comes out. Belongs to one thread.
///
/// The sums are those of prediction, in Double and in the terms' order, rounded up to float32; so
/// a bin's rows stay together whatever happens, and no bit depends on the machine. A projection has
/// few terms: adding columns of a block that fits the cache costs less than multiplying all
/// features with a matrix that is mostly zeros, and OpenBLAS's sums would depend on the CPU.
final class ProjectionSearch {
    /// Rows by which projections are judged: their 28 features fill half a second-level cache.
    static let rowCountMax = 2_048
    /// The number of the last bin; the one above it is the kernels' bin of missing values.
    private static let lastBin: Float = 254
    /// Values that tell whether a few far ones stretch the bins.
    private static let probeCount = 32

    private let plan: ObliquePlan
    private let values: UnsafePointer<Float>
    /// From one feature of the block to the next: not a power of two, which caches would mind.
    private let stride = rowCountMax + 16
    /// Per slot, a feature's values of the node's rows.
    private var block: UnsafeMutablePointer<Float>
    private var blockCapacity = 0
    private let sums: UnsafeMutablePointer<Double>
    /// A node's projected values.
    let projected: UnsafeMutablePointer<Float>
    /// The bins of `projected`.
    let bins: UnsafeMutablePointer<UInt8>
    /// 0, 1, 2, …
    let positions: UnsafeMutablePointer<UInt32>
    private var count = 0

    /// All projections' terms, one projection after another.
    private var starts: [Int] = [0]
    private var slots: [Int32] = []
    private var weights: [Float] = []
    /// Features of the node's projections; a slot is a place in this list.
    private var slotFeatures: [Int32] = []
    /// Per entry of the draw's features, its slot or −1.
    private var slotOf: [Int32]
    /// Whether most nodes need nearly all features: then a feature's slot is its place in the draw.
    private let gathersAll: Bool
    private var taken: [Bool]
    private var drawn: [(position: Int32, weight: Float)] = []

    init(plan: ObliquePlan, values: UnsafePointer<Float>) {
        self.plan = plan
        self.values = values
        let rows = max(plan.rowCount, 1)
        block = .allocate(capacity: 1)
        sums = .allocate(capacity: rows)
        sums.initialize(repeating: 0, count: rows)
        projected = .allocate(capacity: rows)
        projected.initialize(repeating: 0, count: rows)
        bins = .allocate(capacity: rows)
        bins.initialize(repeating: 0, count: rows)
        positions = .allocate(capacity: rows)
        for row in 0..<rows { (positions + row).initialize(to: UInt32(row)) }
        slotOf = Array(repeating: -1, count: plan.draw.features.count)
        gathersAll = plan.draw.termCount >= Double(plan.draw.features.count)
        taken = Array(repeating: false, count: plan.draw.features.count)
    }

    deinit {
        block.deallocate()
        sums.deallocate()
        projected.deallocate()
        bins.deallocate()
        positions.deallocate()
    }

    var projectionCount: Int { starts.count - 1 }

    /// Draws a node's projections and gathers the features that they need of at most `rowCountMax`
    /// rows. Without chance, each feature alone is a projection.
    func open(_ rows: UnsafePointer<UInt32>, count: Int, chance: Chance?) {
        self.count = count
        starts.removeAll(keepingCapacity: true)
        slots.removeAll(keepingCapacity: true)
        weights.removeAll(keepingCapacity: true)
        starts.append(0)
        for number in 0..<(chance == nil ? plan.draw.features.count : plan.draw.count) {
            if let chance {
                plan.draw.draw(number, of: chance, taken: &taken, into: &drawn)
            } else {
                drawn = [(Int32(number), plan.draw.scales[number])]
            }
            for term in drawn {
                slots.append(slot(of: Int(term.position)))
                weights.append(term.weight)
            }
            starts.append(slots.count)
        }
        gather(rows)
    }

    private func slot(of position: Int) -> Int32 {
        if gathersAll { return Int32(truncatingIfNeeded: position) }
        if slotOf[position] < 0 {
            slotOf[position] = Int32(slotFeatures.count)
            slotFeatures.append(Int32(position))
        }
        return slotOf[position]
    }

    /// Fills the block with what the node's projections need.
    private func gather(_ rows: UnsafePointer<UInt32>) {
        if gathersAll {
            usedFeatures = plan.draw.features
        } else {
            numberSlots()
        }
        reserve(slots: usedFeatures.count)
        usedFeatures.withUnsafeBufferPointer { features in
            guard let features = features.baseAddress else { return }
            plan.kernels.gather(
                values, plan.featureCount, rows, count, features, usedFeatures.count, block, stride)
        }
    }

    /// Numbers slots by ascending features, so that neighbours share cache lines.
    private func numberSlots() {
        let order = slotFeatures.indices.sorted { slotFeatures[$0] < slotFeatures[$1] }
        var renumbered = [Int32](repeating: 0, count: order.count)
        for (new, old) in order.enumerated() { renumbered[old] = Int32(new) }
        for index in slots.indices { slots[index] = renumbered[Int(slots[index])] }
        for position in slotFeatures { slotOf[Int(position)] = -1 }
        usedFeatures = order.map { plan.draw.features[Int(slotFeatures[$0])] }
        slotFeatures.removeAll(keepingCapacity: true)
    }

    /// The features in the block, slot by slot.
    private var usedFeatures: [Int32] = []

    private func reserve(slots: Int) {
        guard slots > blockCapacity else { return }
        block.deallocate()
        block = .allocate(capacity: slots * stride)
        block.initialize(repeating: 0, count: slots * stride)
        blockCapacity = slots
    }

    /// The terms of a projection of the node.
    func terms(of number: Int) -> ProjectionTerms {
        let range = starts[number]..<starts[number + 1]
        return ProjectionTerms(
            features: slots[range].map { usedFeatures[Int($0)] }, weights: Array(weights[range]))
    }

    /// Projects the block's rows and bins them; false if all come out the same.
    func bin(projection number: Int) -> Bool {
        let start = starts[number]
        slots.withUnsafeBufferPointer { slots in
            weights.withUnsafeBufferPointer { weights in
                guard let slots = slots.baseAddress, let weights = weights.baseAddress else {
                    return
                }
                plan.kernels.project(
                    block, stride, slots + start, weights + start, starts[number + 1] - start,
                    count, sums, projected)
            }
        }
        let edges = edges(count: count)
        guard edges.first < edges.last else { return false }
        bin(count: count, between: edges.first, and: edges.last)
        return true
    }

    /// Projects any number of rows, in pieces as large as the block.
    func project(_ terms: ProjectionTerms, rows: UnsafePointer<UInt32>, count: Int) {
        reserve(slots: terms.features.count)
        let slots = terms.features.indices.map { Int32($0) }
        for start in Swift.stride(from: 0, to: count, by: Self.rowCountMax) {
            let piece = min(Self.rowCountMax, count - start)
            plan.kernels.gather(
                values, plan.featureCount, rows + start, piece, terms.features, slots.count, block,
                stride)
            plan.kernels.project(
                block, stride, slots, terms.weights, slots.count, piece, sums, projected + start)
        }
    }

    /// Bins `count` projected values by equal widths from one value to another; what lies below the
    /// first gets a lower bin than it, if there is one, and what lies beyond the second its bin.
    func bin(count: Int, between first: Float, and last: Float) {
        // One bin is left on either side.
        let span = Double(min(last, .greatestFiniteMagnitude)) - Double(first)
        let scale = Double(Self.lastBin - 2) / span
        plan.kernels.bin(
            projected, count, first, Float(min(scale, Double(Float.greatestFiniteMagnitude))), 1,
            Self.lastBin, bins)
    }

    /// The values around a split.
    struct Edges {
        /// Where narrower bins start and end.
        var first: Float
        var last: Float
        /// The values that the threshold stands between.
        var greatestLeft: Float
        var leastRight: Float
    }

    /// Where bins of `count` projected values start and end: the least and the greatest value,
    /// without the tails if so many values would share few bins.
    func edges(count: Int) -> Edges {
        let range = plan.kernels.range(projected, count)
        // Sums beyond float32 share its last value's bin.
        let greatest = min(range.greatest, .greatestFiniteMagnitude)
        var edges = Edges(
            first: range.least, last: greatest, greatestLeft: range.least, leastRight: greatest)
        guard edges.first < edges.last, count >= 2 * Self.probeCount else { return edges }
        let scale = Float(16 / (Double(edges.last) - Double(edges.first)))
        var shares: SIMD16<UInt8> = .zero
        for probe in 0..<Self.probeCount {
            let value = projected[probe * count / Self.probeCount]
            shares[Int(min(15, max(0, (value - edges.first) * scale)))] &+= 1
        }
        guard Int(shares.max()) > Self.probeCount * 3 / 4 else { return edges }
        var probes = (0..<Self.probeCount).map { projected[$0 * count / Self.probeCount] }
        probes.sort()
        let (low, high) = (probes[1], probes[Self.probeCount - 2])
        if low < high, high < .infinity { (edges.first, edges.last) = (low, high) }
        return edges
    }

    /// The values of two neighbouring occupied bins.
    func edges(count: Int, left: UInt8, right: UInt8) -> Edges {
        var edges = Edges(
            first: .infinity, last: -.infinity, greatestLeft: -.infinity, leastRight: .infinity)
        let (bins, projected) = (bins, projected)
        for row in 0..<count {
            let (bin, value) = (bins[row], projected[row])
            if bin == left {
                edges.first = min(edges.first, value)
                edges.greatestLeft = max(edges.greatestLeft, value)
            } else if bin == right {
                edges.leastRight = min(edges.leastRight, value)
                edges.last = max(edges.last, value)
            }
        }
        return edges
    }
}
