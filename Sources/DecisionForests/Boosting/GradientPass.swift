/// What one step of a tree's integer gradients and hessians is worth.
struct Quanta: Sendable {
    /// Of `RowStates.gradients` and `hessians`.
    let gradient: Double
    let hessian: Double
    /// Whether entries have too few digits, so that histograms read the full ones.
    let isWide: Bool

    /// Of the gradients and hessians that histograms sum.
    var histogramGradient: Double { isWide ? gradient : gradient * 0x1p15 }
    let histogramHessian: Double
}

/// The rows that a round's trees see: all, or a sample drawn anew every few rounds.
struct RoundSample: Sendable {
    /// The entries of rows that are seen: the first ones of each section.
    let seen: SectionedRows
    /// Those of the others.
    let hidden: SectionedRows
    /// Per row 1 if it is seen; nil if all are.
    let isSeen: HugeBuffer<UInt8>?
    /// Per chunk, the seen rows before it in its section.
    let seenBefore: [Int]

    /// All rows.
    init(all states: RowStates) {
        self.init(
            states.sections, seenCounts: states.sections.ranges.map(\.count), isSeen: nil,
            seenBefore: [])
    }

    /// Each row with probability `share`, decided by `chance` and its number alone. A sample that
    /// misses every row is replaced by all.
    init(of states: RowStates, share: Double, chance: Chance) {
        let isSeen = HugeBuffer<UInt8>(count: states.rowCount)
        var before: [Int] = []
        var seen = states.sections.ranges.map { _ in 0 }
        let threshold = UInt64(share * 0x1p53) << 11
        for chunk in 0..<states.chunkCount {
            let section = states.sections.section(ofChunk: chunk)
            before.append(seen[section])
            for row in states.rows(ofChunk: chunk) where chance.bits(UInt64(row)) < threshold {
                isSeen.base[row] = 1
                seen[section] += 1
            }
        }
        guard seen.contains(where: { $0 > 0 }) else {
            self.init(all: states)
            return
        }
        self.init(states.sections, seenCounts: seen, isSeen: isSeen, seenBefore: before)
    }

    private init(
        _ sections: RowSections, seenCounts: [Int], isSeen: HugeBuffer<UInt8>?, seenBefore: [Int]
    ) {
        (seen, hidden) = SectionedRows(sections.ranges).split(after: seenCounts)
        self.isSeen = isSeen
        self.seenBefore = seenBefore
    }
}

/// Computes the gradients of one tree and turns them into integers and entries.
struct GradientPass {
    let states: RowStates
    let objective: any Objective
    let kernels: BoosterKernels
    let team: ThreadTeam
    /// What `Objective.prepare` leaves per row.
    private let greatest: HugeBuffer<Float>?
    private let scale: HugeBuffer<Float>?
    /// Per worker, floats and entries of one chunk.
    private let floats: HugeBuffer<Float>
    private let packed: HugeBuffer<UInt64>
    private let greatestWeight: Double

    /// Gradients whose mean is fewer steps than this have too few digits.
    private static let stepsMin = 4.0

    init(
        states: RowStates, objective: any Objective, kernels: BoosterKernels, team: ThreadTeam
    ) {
        (self.states, self.objective, self.kernels, self.team) = (states, objective, kernels, team)
        let needs = objective.needsPreparation
        greatest = needs ? HugeBuffer(count: states.rowCount) : nil
        scale = needs ? HugeBuffer(count: states.rowCount) : nil
        floats = HugeBuffer(count: team.size * 2 * RowStates.chunkRows)
        packed = HugeBuffer(count: team.size * RowStates.chunkRows)
        var weight: Float = 1
        if let weights = states.weights?.base {
            weight = (0..<states.rowCount).reduce(0) { max($0, weights[$1]) }
        }
        greatestWeight = Double(weight)
    }

    /// Gets ready for a round; scores must not change for an output before its gradients are taken.
    func prepare() {
        guard objective.needsPreparation else { return }
        team.forEach(states.chunkCount) { chunk, _ in
            objective.prepare(
                states.rows(ofChunk: chunk), of: states, kernels: kernels,
                greatest: greatest?.base, scale: scale?.base)
        }
    }

    /// Fills `gradients`, `hessians` and `entries` for a tree of this output. `salt` decides how
    /// the last digits of entries are rounded.
    ///
    /// nil if a gradient or a hessian is not finite.
    func run(output: Int, sample: RoundSample, salt: UInt32) -> Quanta? {
        let exponents: (gradient: Int, hessian: Int)
        if let bounds = objective.bounds {
            exponents = (
                Self.exponent(above: bounds.gradient * greatestWeight),
                Self.exponent(above: bounds.hessian * greatestWeight)
            )
        } else {
            let greatest = measure(output: output)
            guard greatest.gradient.isFinite, greatest.hessian.isFinite else { return nil }
            exponents = (
                Self.exponent(above: Double(greatest.gradient)),
                Self.exponent(above: Double(greatest.hessian))
            )
        }
        let scales = (Self.power(30 - exponents.gradient), Self.power(30 - exponents.hessian))
        let sizes = UnsafeMutablePointer<Int64>.allocate(capacity: 2 * team.size)
        sizes.initialize(repeating: 0, count: 2 * team.size)
        defer { sizes.deallocate() }
        team.forEach(states.chunkCount) { chunk, worker in
            let rows = states.rows(ofChunk: chunk)
            differentiate(rows, output: output, worker: worker)
            quantise(rows, scales: scales, worker: worker)
            if let isSeen = sample.isSeen?.base { hide(rows, isSeen) }
            place(rows, chunk: chunk, sample: sample, salt: salt, worker: worker)
            sizes[2 * worker] += kernels.sumMagnitudes(
                states.gradients.base + rows.lowerBound, rows.count)
            if let hessians = states.hessians?.base {
                sizes[2 * worker + 1] += kernels.sumMagnitudes(
                    hessians + rows.lowerBound, rows.count)
            }
        }
        var sums = (gradient: Int64(0), hessian: Int64(0))
        for worker in 0..<team.size {
            sums.gradient += sizes[2 * worker]
            sums.hessian += sizes[2 * worker + 1]
        }
        return quanta(exponents: exponents, sums: sums, count: sample.seen.count)
    }

    private func quanta(
        exponents: (gradient: Int, hessian: Int), sums: (gradient: Int64, hessian: Int64),
        count: Int
    ) -> Quanta {
        let least = Self.stepsMin * 0x1p15 * Double(count)
        let hasHessians = states.hessians != nil
        let isWide =
            Double(sums.gradient) < least && sums.gradient > 0
            || hasHessians && Double(sums.hessian) < least
        let hessian = hasHessians ? Self.power(exponents.hessian - 30) : 1
        return Quanta(
            gradient: Self.power(exponents.gradient - 30), hessian: hessian, isWide: isWide,
            histogramHessian: isWide || !hasHessians ? hessian : hessian * 0x1p15)
    }

    /// The least e with value ≤ 2^e, 0 for a value of 0.
    private static func exponent(above value: Double) -> Int {
        guard value > 0 else { return 0 }
        let exponent = Int(value.exponent)
        return value > power(exponent) ? exponent + 1 : exponent
    }

    private static func power(_ exponent: Int) -> Double {
        Double(sign: .plus, exponent: exponent, significand: 1)
    }

    /// The greatest gradient and hessian of all rows.
    private func measure(output: Int) -> (gradient: Float, hessian: Float) {
        let found = UnsafeMutablePointer<UInt32>.allocate(capacity: 2 * team.size)
        found.initialize(repeating: 0, count: 2 * team.size)
        defer { found.deallocate() }
        team.forEach(states.chunkCount) { chunk, worker in
            let rows = states.rows(ofChunk: chunk)
            differentiate(rows, output: output, worker: worker)
            let (gradients, hessians) = floats(of: worker)
            let place = found + 2 * worker
            place[0] = max(place[0], kernels.greatestMagnitude(gradients, rows.count))
            if states.hessians != nil {
                place[1] = max(place[1], kernels.greatestMagnitude(hessians, rows.count))
            }
        }
        var greatest = (gradient: UInt32(0), hessian: UInt32(0))
        for worker in 0..<team.size {
            greatest.gradient = max(greatest.gradient, found[2 * worker])
            greatest.hessian = max(greatest.hessian, found[2 * worker + 1])
        }
        return (Float(bitPattern: greatest.gradient), Float(bitPattern: greatest.hessian))
    }

    private func floats(
        of worker: Int
    ) -> (gradients: UnsafeMutablePointer<Float>, hessians: UnsafeMutablePointer<Float>) {
        let base = floats.base + worker * 2 * RowStates.chunkRows
        return (base, base + RowStates.chunkRows)
    }

    /// The chunk's gradients and hessians, weights included, into the worker's floats.
    private func differentiate(_ rows: Range<Int>, output: Int, worker: Int) {
        let (gradients, hessians) = floats(of: worker)
        objective.differentiate(
            rows, output: output, of: states, kernels: kernels, greatest: greatest?.base,
            scale: scale?.base, gradients: gradients, hessians: hessians)
        guard let weights = states.weights?.base else { return }
        kernels.multiply(gradients, weights + rows.lowerBound, rows.count)
        if objective.hasHessians {
            kernels.multiply(hessians, weights + rows.lowerBound, rows.count)
        } else {
            hessians.update(from: weights + rows.lowerBound, count: rows.count)
        }
    }

    private func quantise(_ rows: Range<Int>, scales: (Double, Double), worker: Int) {
        let (gradients, hessians) = floats(of: worker)
        kernels.quantise(
            gradients, rows.count, scales.0, states.gradients.base + rows.lowerBound)
        if let target = states.hessians?.base {
            kernels.quantise(hessians, rows.count, scales.1, target + rows.lowerBound)
        }
    }

    /// Rows that are not in the sample move no leaf.
    private func hide(_ rows: Range<Int>, _ isSeen: UnsafePointer<UInt8>) {
        for row in rows where isSeen[row] == 0 {
            states.gradients.base[row] = 0
            states.hessians?.base[row] = 0
        }
    }

    /// Writes the chunk's entries: seen rows to their place at the front of the section, others
    /// after all of them.
    private func place(
        _ rows: Range<Int>, chunk: Int, sample: RoundSample, salt: UInt32, worker: Int
    ) {
        let isWhole = sample.isSeen == nil
        let start = states.sections.place(ofChunk: chunk)
        let target =
            isWhole
            ? states.entries.base + start
            : packed.base + worker * RowStates.chunkRows
        kernels.pack(
            states.gradients.base + rows.lowerBound,
            (states.hessians?.base).map { UnsafePointer($0 + rows.lowerBound) }, rows.count,
            UInt32(rows.lowerBound), salt, target)
        guard let isSeen = sample.isSeen?.base else { return }
        let section = states.sections.section(ofChunk: chunk)
        let before = sample.seenBefore[chunk]
        var seen = sample.seen.ranges[section].lowerBound + before
        // What is not seen of the rows that come before these.
        var unseen = sample.seen.ranges[section].count + start - before
        for (index, row) in rows.enumerated() {
            let isIn = isSeen[row] != 0
            states.entries.base[isIn ? seen : unseen] = target[index]
            seen += isIn ? 1 : 0
            unseen += isIn ? 0 : 1
        }
    }
}
