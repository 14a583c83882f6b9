/// Draws a node's projections: which features, with which weights. A function of the node's chance.
struct ProjectionDraw: Sendable {
    /// Features that vary, in ascending order: only they are projected.
    let features: [Int32]
    /// Per entry of `features`, what its weight is multiplied by.
    let scales: [Float]
    /// Projections of a node.
    let count: Int
    /// Terms of a node's projections together, on average.
    let termCount: Double
    private let weights: ProjectionParameters.Weights
    /// `sizeBounds[k]` is the chance, times 2^64, of at most k + 1 features.
    private let sizeBounds: [UInt64]

    init(features: [Int32], scales: [Float], parameters: ProjectionParameters) {
        self.features = features
        self.scales = scales
        weights = parameters.weights
        count = parameters.count(of: features.count)
        termCount = Double(count) * max(1, min(parameters.densityFactor, Double(features.count)))
        sizeBounds = Self.sizeBounds(
            features.count, density: parameters.densityFactor / Double(max(1, features.count)))
    }

    /// The binomial distribution of how many features are taken, none counting as one.
    ///
    /// Where it would take thousands of terms, all projections have its mean.
    private static func sizeBounds(_ featureCount: Int, density: Double) -> [UInt64] {
        guard density < 1 else { return Array(repeating: 0, count: max(0, featureCount - 1)) }
        var share = 1.0
        for _ in 0..<featureCount { share *= 1 - density }
        guard share > 1e-200 else {
            let mean = Int((density * Double(featureCount)).rounded())
            return Array(repeating: 0, count: max(0, min(mean, featureCount) - 1))
        }
        var (bounds, sum) = ([UInt64](), share)
        let odds = density / (1 - density)
        for size in 1...max(1, featureCount) {
            share *= odds * Double(featureCount - size + 1) / Double(size)
            sum += share
            // What lies beyond is rarer than one in 2^52.
            guard sum < 1 - 0x1p-52, size < featureCount else { break }
            bounds.append(UInt64(sum * 0x1p64))
        }
        return bounds
    }

    /// The projection of this number in terms of positions in `features`, ascending.
    ///
    /// - Parameters:
    ///   - chance: The node's.
    ///   - taken: Room for `features.count` flags, all false; they are false again afterwards.
    func draw(
        _ number: Int, of chance: Chance, taken: inout [Bool],
        into terms: inout [(position: Int32, weight: Float)]
    ) {
        let chance = chance.child(UInt64(truncatingIfNeeded: number))
        let bits = chance.bits(0)
        var size = 1
        while size <= sizeBounds.count, bits >= sizeBounds[size - 1] { size += 1 }
        terms.removeAll(keepingCapacity: true)
        var turn: UInt64 = 1
        while terms.count < size {
            let position = chance.index(below: features.count, turn)
            if !taken[position] {
                taken[position] = true
                let weight = weight(chance.bits(turn | 1 << 63)) * scales[position]
                terms.append((Int32(truncatingIfNeeded: position), weight))
            }
            turn += 1
        }
        for term in terms { taken[Int(term.position)] = false }
        terms.sort { $0.position < $1.position }
    }

    private func weight(_ bits: UInt64) -> Float {
        switch weights {
        case .binary: return bits >> 63 == 0 ? 1 : -1
        case .continuous:
            let weight = Float(Int64(bitPattern: bits) >> 40) * 0x1p-23
            // Zero is no projection.
            return weight == 0 ? 1 : weight
        }
    }
}
