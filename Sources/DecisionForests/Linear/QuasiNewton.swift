/// Minimises smooth convex functions: L-BFGS (Nocedal and Wright, "Numerical Optimization", 2006,
/// algorithms 7.4 and 7.5) with a line search for the strong Wolfe conditions.
struct QuasiNewton {
    /// Steps at most.
    let iterationsMax: Int
    /// A point where no partial derivative exceeds this is the minimum.
    let tolerance: Double
    /// Steps that the curvature is learned from.
    private static let memory = 10

    /// Where the search ended.
    struct Outcome {
        var point: [Double]
        var value: Double
        var gradient: [Double]
        /// Steps taken.
        var iterations = 0
        /// Whether every partial derivative is within the tolerance.
        var hasConverged = false

        /// The greatest partial derivative.
        var steepness: Double { gradient.reduce(0) { max($0, abs($1)) } }
    }

    private struct Step {
        let move: [Double]
        let change: [Double]
        /// 1 / (move · change)
        let scale: Double
    }

    /// The minimum, or the best point after so many steps or when no step gets lower any more.
    ///
    /// - Parameters:
    ///   - curvature: The function's second derivatives, roughly: what the first step assumes.
    ///   - observe: Told of every point; what it throws ends the search.
    func minimise(
        from start: [Double], curvature: Double, observe: (Outcome) throws -> Void,
        _ function: @escaping ([Double]) -> (value: Double, gradient: [Double])
    ) rethrows -> Outcome {
        let (value, gradient) = function(start)
        var outcome = Outcome(point: start, value: value, gradient: gradient)
        var steps: [Step] = []
        while true {
            outcome.hasConverged = outcome.steepness <= tolerance
            try observe(outcome)
            guard !outcome.hasConverged, outcome.iterations < iterationsMax else { break }
            let direction = direction(outcome.gradient, steps, curvature: curvature)
            let slope = Self.dot(direction, outcome.gradient)
            let search = LineSearch(
                point: outcome.point, value: outcome.value, direction: direction, slope: slope,
                function: function)
            guard slope < 0, let next = search.run() else { break }
            remember(from: outcome, to: next, in: &steps)
            (outcome.point, outcome.value) = (next.point, next.value)
            outcome.gradient = next.gradient
            outcome.iterations += 1
        }
        return outcome
    }

    private func remember(
        from old: Outcome, to new: LineSearch.Trial, in steps: inout [Step]
    ) {
        let move = zip(new.point, old.point).map { $0 - $1 }
        let change = zip(new.gradient, old.gradient).map { $0 - $1 }
        let curvature = Self.dot(move, change)
        // Otherwise rounding has hidden the curvature.
        guard curvature > 1e-300 else { return }
        steps.append(Step(move: move, change: change, scale: 1 / curvature))
        if steps.count > Self.memory { steps.removeFirst() }
    }

    /// Minus the gradient times the inverse curvature that the remembered steps suggest.
    private func direction(
        _ gradient: [Double], _ steps: [Step], curvature: Double
    ) -> [Double] {
        var direction = gradient.map { -$0 }
        var shares: [Double] = []
        for step in steps.reversed() {
            let share = step.scale * Self.dot(step.move, direction)
            shares.append(share)
            for index in direction.indices { direction[index] -= share * step.change[index] }
        }
        let inverse =
            steps.last.map { 1 / ($0.scale * Self.dot($0.change, $0.change)) } ?? 1 / curvature
        for index in direction.indices { direction[index] *= inverse }
        for (step, share) in zip(steps, shares.reversed()) {
            let back = share - step.scale * Self.dot(step.change, direction)
            for index in direction.indices { direction[index] += back * step.move[index] }
        }
        return direction
    }

    static func dot(_ left: [Double], _ right: [Double]) -> Double {
        var sum = 0.0
        for index in left.indices { sum += left[index] * right[index] }
        return sum
    }
}
