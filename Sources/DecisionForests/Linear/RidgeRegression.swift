/// Least squares with a penalty on the squares of the coefficients (Hoerl and Kennard 1970).
///
/// Minimises Σ w (y − Xβ − b)² + alpha ‖β‖² as scikit-learn's `Ridge` does, by the normal equations
/// of columns of unit deviation. The model is a `LinearTerm`; a missing value stands at its
/// column's mean. Columns of names enter as in `LogisticRegression`. Bit-identical for any threads,
/// but on one kind of CPU only: OpenBLAS chooses its kernels by it.
public struct RidgeRegression: Learner, Hashable {
    /// "RidgeRegression".
    public static let name = "RidgeRegression"

    /// The penalty's weight.
    public let alpha: Double

    /// A ridge regression; `alpha` is in 0...1e12.
    public init(alpha: Double = 1) throws(ParameterError) {
        try ParameterError.check("alpha", alpha, isIn: 0...1e12)
        self.alpha = alpha
    }

    /// As MLflow shows them, with scikit-learn's names.
    public var parameters: [TrainedModel.Parameter] { [.init("alpha", "\(alpha)")] }

    /// "Ridge(alpha=1.0)"
    public var description: String { "Ridge(alpha=\(alpha))" }

    /// The model of this data. Throws if OpenBLAS is missing, and if `alpha` is 0 and columns
    /// depend on each other.
    public func fit(
        _ dataset: Dataset, validation: Dataset?, threads: Int, observer: FitObserver?
    ) throws -> TrainedModel {
        guard case .values(let target) = dataset.target else {
            throw TrainingError.targetHoldsClasses(target: dataset.targetName)
        }
        let design = try LinearDesign(
            dataset, weights: dataset.weights.map { $0.map(Double.init) }, threads: threads)
        let mean =
            zip(design.weights, target).reduce(0) { $0 + $1.0 * Double($1.1) } / design.totalWeight
        let equations = NormalEquations(
            design: design, scales: design.columns.map { $0.deviation == 0 ? 0 : 1 / $0.deviation },
            target: target.map { Double($0) - mean }, kernels: .of(.current), blas: try BLAS.open(),
            threads: threads)
        guard let solution = equations.solve(alpha: alpha) else { throw TrainingError.singular }
        let model = try TrainedModel(
            linear: design, scales: equations.scales,
            outputs: [Array(solution.dropLast()) + [mean + (solution.last ?? 0)]],
            task: .regression, transform: .identity, learner: self)
        try observer?(FitProgress(done: 1, total: 1))
        return model
    }
}

extension RidgeRegression {
    private enum CodingKeys: String, CodingKey {
        case alpha
    }

    /// Decodes and checks.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(alpha: fields.decode(Double.self, forKey: .alpha))
    }
}
