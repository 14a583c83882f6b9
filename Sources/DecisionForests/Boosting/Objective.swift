/// A loss as a booster sees it: where scores start, and each row's gradient and hessian.
///
/// Gradients are floats computed row by row in one written order, so that chunks and threads make
/// no difference. Weights are multiplied in afterwards, by the caller.
protocol Objective: Sendable {
    /// Scores per row, each with trees of its own.
    var outputCount: Int { get }
    /// Whether hessians differ from row to row; else all are 1.
    var hasHessians: Bool { get }
    /// The greatest gradient and hessian that a row of weight 1 can have; nil if that depends.
    var bounds: (gradient: Double, hessian: Double)? { get }
    /// From scores to answers.
    var transform: TreeEnsemble.Transform { get }
    /// The part of the residuals below a leaf's value where leaves are set to a quantile; nil where
    /// they are set by gradient and hessian.
    var leafQuantile: Double? { get }

    /// Where scores start, `outputCount` of them.
    func averages(of states: RowStates) -> [Double]
    /// Called for each chunk at the start of a round, before the gradients of any output.
    /// `greatest` and `scale` are for the objective to keep two numbers per row in.
    func prepare(
        _ rows: Range<Int>, of states: RowStates, kernels: BoosterKernels,
        greatest: UnsafeMutablePointer<Float>?, scale: UnsafeMutablePointer<Float>?)
    /// Whether `prepare` does anything.
    var needsPreparation: Bool { get }
    /// Gradients of rows for one output, from the rows' scores; hessians only if they differ.
    func differentiate(
        _ rows: Range<Int>, output: Int, of states: RowStates, kernels: BoosterKernels,
        greatest: UnsafeMutablePointer<Float>?, scale: UnsafeMutablePointer<Float>?,
        gradients: UnsafeMutablePointer<Float>, hessians: UnsafeMutablePointer<Float>)
}

extension Objective {
    var outputCount: Int { 1 }
    var bounds: (gradient: Double, hessian: Double)? { nil }
    var leafQuantile: Double? { nil }
    var transform: TreeEnsemble.Transform { .identity }
    var needsPreparation: Bool { false }

    func prepare(
        _ rows: Range<Int>, of states: RowStates, kernels: BoosterKernels,
        greatest: UnsafeMutablePointer<Float>?, scale: UnsafeMutablePointer<Float>?
    ) {}
}

/// Log loss of two classes; targets are 0 and 1.
struct LogisticObjective: Objective {
    var hasHessians: Bool { true }
    var bounds: (gradient: Double, hessian: Double)? { (1, 0.25) }
    var transform: TreeEnsemble.Transform { .logistic }

    /// The log odds of class 1.
    func averages(of states: RowStates) -> [Double] {
        let share = ExactSum.mean(of: states) { Double($0) }
        let kept = min(max(share, 1e-15), 1 - 1e-15)
        return [PortableMath.log(kept / (1 - kept))]
    }

    func differentiate(
        _ rows: Range<Int>, output: Int, of states: RowStates, kernels: BoosterKernels,
        greatest: UnsafeMutablePointer<Float>?, scale: UnsafeMutablePointer<Float>?,
        gradients: UnsafeMutablePointer<Float>, hessians: UnsafeMutablePointer<Float>
    ) {
        kernels.logistic(
            states.scores.base + rows.lowerBound, states.targets.base + rows.lowerBound,
            rows.count, gradients, hessians)
    }
}

/// Log loss of many classes; targets are class numbers, and each class has trees of its own.
///
/// The hessian is the loss's own second derivative in one score, p (1 − p), as in scikit-learn.
/// LightGBM takes K / (K − 1) times it, after Friedman, "Greedy Function Approximation", Annals of
/// Statistics 29 (2001), algorithm 6, and XGBoost 2 times: shorter steps, which at the same number
/// of rounds end behind on our benchmark's five classes.
struct SoftmaxObjective: Objective {
    let outputCount: Int
    var hasHessians: Bool { true }
    var transform: TreeEnsemble.Transform { .softmax }
    var needsPreparation: Bool { true }

    var bounds: (gradient: Double, hessian: Double)? { (1, 0.25) }

    /// The logarithms of the classes' shares.
    func averages(of states: RowStates) -> [Double] {
        (0..<outputCount).map { output in
            let share = ExactSum.mean(of: states) { $0 == Float(output) ? 1 : 0 }
            return PortableMath.log(max(share, 1e-15))
        }
    }

    func prepare(
        _ rows: Range<Int>, of states: RowStates, kernels: BoosterKernels,
        greatest: UnsafeMutablePointer<Float>?, scale: UnsafeMutablePointer<Float>?
    ) {
        guard let greatest, let scale else { return }
        kernels.softmaxScale(
            states.scores.base + rows.lowerBound, states.rowCount, outputCount, rows.count,
            greatest + rows.lowerBound, scale + rows.lowerBound)
    }

    func differentiate(
        _ rows: Range<Int>, output: Int, of states: RowStates, kernels: BoosterKernels,
        greatest: UnsafeMutablePointer<Float>?, scale: UnsafeMutablePointer<Float>?,
        gradients: UnsafeMutablePointer<Float>, hessians: UnsafeMutablePointer<Float>
    ) {
        guard let greatest, let scale else { return }
        kernels.softmax(
            states.scores.base + output * states.rowCount + rows.lowerBound,
            greatest + rows.lowerBound, scale + rows.lowerBound,
            states.targets.base + rows.lowerBound, Float(output), rows.count, gradients,
            hessians)
    }
}

/// Half the squared error.
struct SquaredObjective: Objective {
    var hasHessians: Bool { false }

    /// The mean.
    func averages(of states: RowStates) -> [Double] {
        [ExactSum.mean(of: states) { Double($0) }]
    }

    func differentiate(
        _ rows: Range<Int>, output: Int, of states: RowStates, kernels: BoosterKernels,
        greatest: UnsafeMutablePointer<Float>?, scale: UnsafeMutablePointer<Float>?,
        gradients: UnsafeMutablePointer<Float>, hessians: UnsafeMutablePointer<Float>
    ) {
        kernels.squared(
            states.scores.base + rows.lowerBound, states.targets.base + rows.lowerBound,
            rows.count, gradients)
    }
}
