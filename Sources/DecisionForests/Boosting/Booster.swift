/// Grows the rounds of a boosted ensemble: gradients, a tree per output, leaf values, scores.
///
/// Friedman, "Greedy Function Approximation: A Gradient Boosting Machine", Annals of Statistics 29
/// (2001); Newton steps with penalties as in Chen and Guestrin, "XGBoost", KDD 2016; leaf-wise
/// growth as in Ke et al., "LightGBM", NIPS 2017.
final class Booster {
    let plan: BoosterPlan
    let states: RowStates
    let objective: any Objective
    private let pass: GradientPass
    private let grower: BoostedTreeGrower
    /// Scores before the first tree, as the model will hold them.
    let baseScores: [Float]
    /// Trees so far: round after round, in a round one per output.
    private(set) var trees: [Tree] = []
    private var sample: RoundSample

    /// Starts from these scores, or those that parameters and targets ask for.
    init(
        plan: BoosterPlan, states: RowStates, objective: any Objective, baseScores given: [Float]?
    ) {
        self.plan = plan
        self.states = states
        self.objective = objective
        pass = GradientPass(
            states: states, objective: objective, kernels: plan.kernels, team: plan.team)
        grower = BoostedTreeGrower(plan: plan, states: states)
        if let given {
            baseScores = given
        } else if plan.parameters.startsFromAverage {
            baseScores = objective.averages(of: states).map { Self.finite($0) }
        } else {
            baseScores = Array(repeating: 0, count: objective.outputCount)
        }
        sample = RoundSample(all: states)
        for (output, score) in baseScores.enumerated() {
            (states.scores.base + output * states.rowCount).update(
                repeating: Double(score), count: states.rowCount)
        }
    }

    /// Takes the trees of a round that was grown before, one per output, as if they had been grown
    /// now. `scorer` is of the plan's data.
    func takeRound(_ earlier: some Sequence<Tree>, scorer: TreeScorer) throws {
        for (output, tree) in earlier.enumerated() {
            try scorer.add(tree, to: states.scores.base + output * states.rowCount)
            trees.append(tree)
        }
    }

    /// Grows the trees of one round. All chance depends on the round's number, so that a fit which
    /// goes on from a saved model draws what it would have drawn.
    func growRound(_ round: Int) throws(TrainingError) {
        draw(round)
        pass.prepare()
        for output in 0..<objective.outputCount {
            let chance = plan.seed.child(UInt64(round * objective.outputCount + output))
            let salt = UInt32(truncatingIfNeeded: chance.bits(0))
            guard let quanta = pass.run(output: output, sample: sample, salt: salt) else {
                throw .gradientNotFinite(round: round + 1)
            }
            var grown = grower.grow(sample: sample, quanta: quanta, chance: chance)
            grown.tree.leafValues = leafValues(of: grown, quanta: quanta, output: output)
            add(grown, output: output)
            trees.append(grown.tree)
        }
    }

    private func draw(_ round: Int) {
        let parameters = plan.parameters
        guard parameters.samplesRows else { return }
        let period = round / parameters.rowShareRounds
        guard round == period * parameters.rowShareRounds || sample.isSeen == nil else { return }
        sample = RoundSample(
            of: states, share: parameters.rowShare,
            chance: plan.seed.child(0x6261_6773).child(UInt64(period)))  // "bags"
    }

    /// The leaves' values from exact sums of their rows' full gradients.
    private func leafValues(
        of grown: BoostedTreeGrower.Grown, quanta: Quanta, output: Int
    ) -> [Float] {
        mark(grown)
        if let share = objective.leafQuantile {
            return grown.leaves.map { leaf in
                let value = residualQuantile(of: leaf, share: share)
                return Self.finite(bounded(value, by: leaf) * plan.parameters.learningRate)
            }
        }
        let sums = leafSums(count: grown.leaves.count)
        let parameters = plan.parameters
        return grown.leaves.enumerated().map { number, leaf in
            let g = Double(sums[2 * number]) * quanta.gradient
            // Where hessians are all 1, those of hidden rows must not count.
            let h =
                states.hessians == nil
                ? Double(leaf.rows.count) : Double(sums[2 * number + 1]) * quanta.hessian
            let size = h + parameters.lambdaL2
            guard size > 0 else { return 0 }
            let value = -SplitRules.shrunk(g, by: parameters.lambdaL1) / size
            return Self.finite(bounded(value, by: leaf) * parameters.learningRate)
        }
    }

    private func bounded(_ value: Double, by leaf: BoostedTreeGrower.Leaf) -> Double {
        min(max(value, leaf.bounds.lowerBound), leaf.bounds.upperBound)
    }

    /// The quantile of what a leaf's rows lack.
    private func residualQuantile(of leaf: BoostedTreeGrower.Leaf, share: Double) -> Double {
        let entries = states.entries(inSpare: leaf.isInSpare)
        let rows = leaf.rows.ranges.joined().map { Int(entries[$0] >> 32) }
        var residuals = rows.map {
            Float(Double(states.targets.base[$0]) - states.scores.base[$0])
        }
        var weights = states.weights.map { weights in rows.map { weights.base[$0] } }
        return Quantile.of(&residuals, weights: &weights, share: share)
    }

    /// As a float that a model may hold.
    private static func finite(_ value: Double) -> Float {
        let limit = Double(Float.greatestFiniteMagnitude)
        return value.isNaN ? 0 : Float(min(max(value, -limit), limit))
    }

    /// Notes each row's leaf.
    ///
    /// In each section a leaf's entries are more or less in the order of rows, so a slice of each
    /// leaf is about the same rows' slice: a thread keeps to a small piece of the memory at a time.
    private func mark(_ grown: BoostedTreeGrower.Grown) {
        let (states, kernels) = (states, plan.kernels)
        let slices = states.sections.ranges.enumerated().flatMap { section, range in
            let count = (range.count + Self.sliceRows - 1) / Self.sliceRows
            return (0..<count).map { (section: section, index: $0, count: count) }
        }
        plan.team.forEach(slices.count) { number, _ in
            let (section, index, count) = slices[number]
            for (number, leaf) in grown.leaves.enumerated() {
                let entries = states.entries(inSpare: leaf.isInSpare)
                let place = leaf.isReversed ? count - 1 - index : index
                let seen = Self.slice(place, of: leaf.rows.ranges[section], count)
                let hidden = Self.slice(place, of: leaf.hidden.ranges[section], count)
                let (leaf, leafOfRow) = (UInt16(number), states.leafOfRow.base)
                kernels.mark(entries + seen.lowerBound, seen.count, leaf, leafOfRow)
                if hidden.isEmpty { continue }
                kernels.mark(entries + hidden.lowerBound, hidden.count, leaf, leafOfRow)
            }
        }
    }

    /// Rows of a slice: their leaves' numbers fit the second cache, with room to spare.
    private static let sliceRows = 16_384

    private static func slice(_ index: Int, of rows: Range<Int>, _ count: Int) -> Range<Int> {
        let start = rows.lowerBound
        return start + rows.count * index / count..<start + rows.count * (index + 1) / count
    }

    /// Per leaf, the sum of its rows' gradients and that of their hessians.
    private func leafSums(count: Int) -> [Int64] {
        let (states, kernels, team) = (states, plan.kernels, plan.team)
        // Whole cache lines between two workers' sums.
        let stride = 2 * count + 16
        let sums = UnsafeMutablePointer<Int64>.allocate(capacity: stride * team.size)
        sums.initialize(repeating: 0, count: stride * team.size)
        defer { sums.deallocate() }
        team.forEach(states.chunkCount) { chunk, worker in
            let rows = states.rows(ofChunk: chunk)
            kernels.sumLeaves(
                states.leafOfRow.base + rows.lowerBound, rows.count,
                states.gradients.base + rows.lowerBound,
                (states.hessians?.base).map { UnsafePointer($0 + rows.lowerBound) },
                sums + stride * worker)
        }
        return (0..<2 * count).map { place in
            (0..<team.size).reduce(0) { $0 + sums[stride * $1 + place] }
        }
    }

    /// Adds the tree's values to the scores.
    private func add(_ grown: BoostedTreeGrower.Grown, output: Int) {
        let values = grown.tree.leafValues.map { Double($0) }
        let (states, kernels) = (states, plan.kernels)
        values.withUnsafeBufferPointer { values in
            guard let base = values.baseAddress else { return }
            nonisolated(unsafe) let values = base
            plan.team.forEach(states.chunkCount) { chunk, _ in
                let rows = states.rows(ofChunk: chunk)
                kernels.addLeaves(
                    states.leafOfRow.base + rows.lowerBound, rows.count, values,
                    states.scores.base + output * states.rowCount + rows.lowerBound)
            }
        }
    }
}
