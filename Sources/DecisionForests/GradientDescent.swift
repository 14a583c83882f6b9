/// Minimises smooth convex functions: L-BFGS (Nocedal and Wright, "Numerical Optimization",
/// algorithm 7.4) with ten remembered steps and backtracking.
enum GradientDescent {
    private static let memory = 10

    private struct Step {
        let move: [Double]
        let change: [Double]
        /// 1 / (move · change)
        let scale: Double
    }

    /// The point where no partial derivative exceeds `tolerance`, or the best one after so many
    /// iterations or when no step gets lower any more.
    static func minimise(
        from start: [Double], iterationsMax: Int, tolerance: Double,
        _ function: ([Double]) -> (value: Double, gradient: [Double])
    ) -> [Double] {
        var point = start
        var (value, gradient) = function(point)
        var steps: [Step] = []
        for _ in 0..<iterationsMax {
            guard gradient.contains(where: { abs($0) > tolerance }) else { break }
            let direction = direction(gradient, steps)
            let slope = dot(direction, gradient)
            guard slope < 0, let next = descend(point, value, direction, slope, function) else {
                break
            }
            let move = zip(next.point, point).map { $0 - $1 }
            let change = zip(next.gradient, gradient).map { $0 - $1 }
            let curvature = dot(move, change)
            if curvature > 1e-300 {
                steps.append(Step(move: move, change: change, scale: 1 / curvature))
                if steps.count > memory { steps.removeFirst() }
            }
            (point, value, gradient) = next
        }
        return point
    }

    /// Halves the step until the function falls by a ten-thousandth of what the slope promises.
    private static func descend(
        _ point: [Double], _ value: Double, _ direction: [Double], _ slope: Double,
        _ function: ([Double]) -> (value: Double, gradient: [Double])
    ) -> (point: [Double], value: Double, gradient: [Double])? {
        var length = 1.0
        for _ in 0..<50 {
            let next = zip(point, direction).map { $0 + length * $1 }
            let found = function(next)
            if found.value <= value + 1e-4 * length * slope {
                return (next, found.value, found.gradient)
            }
            length /= 2
        }
        return nil
    }

    /// Minus the gradient times the inverse curvature that the remembered steps suggest.
    private static func direction(_ gradient: [Double], _ steps: [Step]) -> [Double] {
        var direction = gradient.map { -$0 }
        var shares: [Double] = []
        for step in steps.reversed() {
            let share = step.scale * dot(step.move, direction)
            shares.append(share)
            for index in direction.indices { direction[index] -= share * step.change[index] }
        }
        if let last = steps.last {
            let scale = 1 / (last.scale * dot(last.change, last.change))
            for index in direction.indices { direction[index] *= scale }
        } else {
            let length = dot(gradient, gradient).squareRoot()
            for index in direction.indices { direction[index] /= max(1, length) }
        }
        for (step, share) in zip(steps, shares.reversed()) {
            let back = share - step.scale * dot(step.change, direction)
            for index in direction.indices { direction[index] += back * step.move[index] }
        }
        return direction
    }

    private static func dot(_ left: [Double], _ right: [Double]) -> Double {
        var sum = 0.0
        for index in left.indices { sum += left[index] * right[index] }
        return sum
    }
}
