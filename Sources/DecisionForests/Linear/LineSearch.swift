/// Finds how far to go in one direction: algorithms 3.5 and 3.6 of Nocedal and Wright, "Numerical
/// Optimization", 2006.
///
/// A length is right where the function fell by a ten-thousandth of what the slope promised and the
/// slope fell to nine tenths (the strong Wolfe conditions).
struct LineSearch {
    let point: [Double]
    let value: Double
    let direction: [Double]
    /// The function's slope at `point` along `direction`; negative.
    let slope: Double
    let function: ([Double]) -> (value: Double, gradient: [Double])

    /// What was found at one length.
    struct Trial {
        let length: Double
        let value: Double
        let slope: Double
        let point: [Double]
        let gradient: [Double]
    }

    private static let decrease = 1e-4
    private static let flatness = 0.9
    /// Each trial at least halves what is left, or doubles the length.
    private static let trialsMax = 40

    /// A right length, or one that is lower; nil if none of so many is lower.
    func run() -> Trial? {
        var last = Trial(length: 0, value: value, slope: slope, point: point, gradient: [])
        var length = 1.0
        for turn in 0..<Self.trialsMax {
            let trial = attempt(length)
            if !isLowEnough(trial) || (turn > 0 && trial.value >= last.value) {
                return narrow(last, trial)
            }
            if isFlat(trial) { return trial }
            if trial.slope >= 0 { return narrow(trial, last) }
            last = trial
            length *= 2
        }
        return last
    }

    /// Searches between a low end and another one that is too far, or beyond the lowest point.
    private func narrow(_ start: Trial, _ end: Trial) -> Trial? {
        var (low, high) = (start, end)
        for _ in 0..<Self.trialsMax {
            let trial = attempt(between(low, high))
            if !isLowEnough(trial) || trial.value >= low.value {
                high = trial
            } else {
                if isFlat(trial) { return trial }
                if trial.slope * (high.length - low.length) >= 0 { high = low }
                low = trial
            }
        }
        return low.length > 0 ? low : nil
    }

    /// Where a parabola through both ends has its lowest point, kept off the ends; the middle where
    /// that is no number.
    private func between(_ low: Trial, _ high: Trial) -> Double {
        let span = high.length - low.length
        let bend = high.value - low.value - low.slope * span
        let share = -low.slope * span / (2 * bend)
        return low.length + span * (share > 0.1 && share < 0.9 ? share : 0.5)
    }

    private func attempt(_ length: Double) -> Trial {
        let next = zip(point, direction).map { $0 + length * $1 }
        let found = function(next)
        return Trial(
            length: length, value: found.value,
            slope: QuasiNewton.dot(found.gradient, direction), point: next,
            gradient: found.gradient)
    }

    /// False for what is no number. Near the minimum, rounding may hide the decrease.
    private func isLowEnough(_ trial: Trial) -> Bool {
        trial.value <= value + Self.decrease * trial.length * slope + abs(value) * 0x1p-50
    }

    private func isFlat(_ trial: Trial) -> Bool {
        abs(trial.slope) <= -Self.flatness * slope
    }
}
