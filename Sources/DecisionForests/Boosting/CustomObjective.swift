/// A loss of your own: its derivatives by the score, row by row.
///
///     let logCosh = CustomObjective { score, target in
///         let tangent = tanh(score - target)
///         return (tangent, 1 - tangent * tangent)
///     }
public struct CustomObjective: Sendable {
    /// The score that all rows start with; finite.
    public let start: Double
    /// The first and the second derivative of a row's loss by its score. The second must not be
    /// negative. Called on many threads at once; the same numbers must give the same answer.
    public let derivatives:
        @Sendable (_ score: Double, _ target: Double) -> (gradient: Double, hessian: Double)

    /// A loss with these derivatives.
    public init(
        start: Double = 0,
        derivatives:
            @escaping @Sendable (
                _ score: Double, _ target: Double
            ) -> (gradient: Double, hessian: Double)
    ) {
        self.start = start
        self.derivatives = derivatives
    }
}

/// A custom loss as the booster takes it.
struct ClosureObjective: Objective {
    let custom: CustomObjective
    var hasHessians: Bool { true }

    func averages(of states: RowStates) -> [Double] { [custom.start] }

    func differentiate(
        _ rows: Range<Int>, output: Int, of states: RowStates, kernels: BoosterKernels,
        greatest: UnsafeMutablePointer<Float>?, scale: UnsafeMutablePointer<Float>?,
        gradients: UnsafeMutablePointer<Float>, hessians: UnsafeMutablePointer<Float>
    ) {
        for (index, row) in rows.enumerated() {
            let (gradient, hessian) = custom.derivatives(
                states.scores.base[row], Double(states.targets.base[row]))
            gradients[index] = Float(gradient)
            // A negative curvature would send the step the wrong way; NaN is found out later.
            hessians[index] = hessian < 0 ? 0 : Float(hessian)
        }
    }
}
