/// What a boosted regressor minimises.
public enum RegressionObjective: Sendable, Hashable, Codable, CustomStringConvertible {
    /// The squared error: answers are means.
    case squared
    /// The absolute error: answers are medians.
    case absolute
    /// Squared up to a residual of `width`, linear beyond: means that outliers cannot move far.
    case huber(width: Double)
    /// The pinball loss: answers are this quantile, between 0 and 1.
    case quantile(Double)
    /// The Poisson deviance of counts and rates: answers are e^score. Targets must not be negative.
    case poisson

    /// LightGBM's name, with the parameter it has.
    public var description: String {
        switch self {
        case .squared: "regression"
        case .absolute: "regression_l1"
        case .huber(let width): "huber(\(width))"
        case .quantile(let share): "quantile(\(share))"
        case .poisson: "poisson"
        }
    }

    func check() throws(ParameterError) {
        switch self {
        case .huber(let width):
            try ParameterError.check("alpha", width, isIn: 1e-30...1e30)
        case .quantile(let share):
            try ParameterError.check("alpha", share, isIn: 1e-6...(1 - 1e-6))
        case .squared, .absolute, .poisson: break
        }
    }

    /// The loss itself.
    var loss: any Objective {
        switch self {
        case .squared: SquaredObjective()
        case .absolute: QuantileObjective(share: 0.5, slope: 2)
        case .huber(let width): HuberObjective(width: width)
        case .quantile(let share): QuantileObjective(share: share, slope: 1)
        case .poisson: PoissonObjective()
        }
    }

    /// What validation rows are judged by unless something else is asked for.
    var metric: BoosterMetric {
        switch self {
        case .squared, .huber: .rmse
        case .absolute: .mae
        case .quantile: .pinball
        case .poisson: .poissonDeviance
        }
    }
}

/// Pinball loss times `slope`; for the median with slope 2, the absolute error. Leaves are set to
/// the quantile of their residuals, as in LightGBM.
struct QuantileObjective: Objective {
    let share: Double
    let slope: Double
    var hasHessians: Bool { false }
    var bounds: (gradient: Double, hessian: Double)? { (slope * max(share, 1 - share), 1) }
    var leafQuantile: Double? { share }

    /// The targets' quantile.
    func averages(of states: RowStates) -> [Double] {
        var values = (0..<states.rowCount).map { states.targets.base[$0] }
        var weights = states.weights.map { weights in values.indices.map { weights.base[$0] } }
        return [Quantile.of(&values, weights: &weights, share: share)]
    }

    func differentiate(
        _ rows: Range<Int>, output: Int, of states: RowStates, kernels: BoosterKernels,
        greatest: UnsafeMutablePointer<Float>?, scale: UnsafeMutablePointer<Float>?,
        gradients: UnsafeMutablePointer<Float>, hessians: UnsafeMutablePointer<Float>
    ) {
        let (above, below) = (Float(slope * (1 - share)), Float(-slope * share))
        for (index, row) in rows.enumerated() {
            let isAbove = states.scores.base[row] >= Double(states.targets.base[row])
            gradients[index] = isAbove ? above : below
        }
    }
}

/// Huber's loss: gradients of the squared error, cut at ± `width`.
struct HuberObjective: Objective {
    let width: Double
    var hasHessians: Bool { false }

    /// The median: a mean that outliers have moved would take many cut steps to leave.
    func averages(of states: RowStates) -> [Double] {
        QuantileObjective(share: 0.5, slope: 1).averages(of: states)
    }

    func differentiate(
        _ rows: Range<Int>, output: Int, of states: RowStates, kernels: BoosterKernels,
        greatest: UnsafeMutablePointer<Float>?, scale: UnsafeMutablePointer<Float>?,
        gradients: UnsafeMutablePointer<Float>, hessians: UnsafeMutablePointer<Float>
    ) {
        kernels.squared(
            states.scores.base + rows.lowerBound, states.targets.base + rows.lowerBound,
            rows.count, gradients)
        let limit = Float(width)
        for index in 0..<rows.count { gradients[index] = min(max(gradients[index], -limit), limit) }
    }
}

/// Poisson deviance with a log link; the margin of the hessian is LightGBM's.
struct PoissonObjective: Objective {
    var hasHessians: Bool { true }
    var transform: TreeEnsemble.Transform { .exponential }

    /// The logarithm of the mean.
    func averages(of states: RowStates) -> [Double] {
        [PortableMath.log(max(ExactSum.mean(of: states) { Double($0) }, 1e-30))]
    }

    func differentiate(
        _ rows: Range<Int>, output: Int, of states: RowStates, kernels: BoosterKernels,
        greatest: UnsafeMutablePointer<Float>?, scale: UnsafeMutablePointer<Float>?,
        gradients: UnsafeMutablePointer<Float>, hessians: UnsafeMutablePointer<Float>
    ) {
        kernels.poisson(
            states.scores.base + rows.lowerBound, states.targets.base + rows.lowerBound, 0.7,
            rows.count, gradients, hessians)
    }
}
