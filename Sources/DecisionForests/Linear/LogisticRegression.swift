/// Logistic regression, multinomial for more than two classes, with a penalty on the squares of the
/// coefficients; scikit-learn's parameters.
///
/// Minimises C Σ w loss + ½ ‖β‖² as scikit-learn's `LogisticRegression` does, by L-BFGS on columns
/// of unit deviation. The model is a `LinearTerm`; a missing value stands at its column's mean.
/// Booleans and columns of two levels enter as 0 and 1, columns with more levels as one indicator
/// per level, which the model keeps as a tree over the levels. Two classes give the same bits on
/// any machine and threads; more classes use OpenBLAS, whose bits depend on the kind of CPU.
public struct LogisticRegression: Learner, Hashable {
    /// "LogisticRegression".
    public static let name = "LogisticRegression"

    /// The loss's weight against the penalty: scikit-learn's `C`.
    public let inversePenalty: Double
    /// Where no derivative of the mean loss, by coefficients of columns of unit deviation, exceeds
    /// this, the solver has converged.
    public let tolerance: Double
    /// Steps of the solver at most.
    public let iterationsMax: Int
    /// How much the classes count.
    public let classWeight: ClassWeight

    /// A logistic regression, or an error naming the first parameter out of range.
    ///
    /// - Parameters:
    ///   - inversePenalty: 1e-9...1e9.
    ///   - tolerance: 1e-12...1.
    ///   - iterationsMax: 1...1,000,000.
    ///   - classWeight: How much the classes count.
    public init(
        inversePenalty: Double = 1, tolerance: Double = 1e-6, iterationsMax: Int = 1_000,
        classWeight: ClassWeight = .equal
    ) throws(ParameterError) {
        try ParameterError.check("inversePenalty", inversePenalty, isIn: 1e-9...1e9)
        try ParameterError.check("tolerance", tolerance, isIn: 1e-12...1)
        try ParameterError.check("iterationsMax", iterationsMax, isIn: 1...1_000_000)
        try classWeight.check()
        self.inversePenalty = inversePenalty
        self.tolerance = tolerance
        self.iterationsMax = iterationsMax
        self.classWeight = classWeight
    }

    /// As MLflow shows them, with scikit-learn's names.
    public var parameters: [TrainedModel.Parameter] {
        [
            .init("penalty", "l2"), .init("solver", "lbfgs"), .init("C", "\(inversePenalty)"),
            .init("tol", "\(tolerance)"), .init("max_iter", "\(iterationsMax)"),
            .init("class_weight", classWeight.description),
        ]
    }

    /// "LogisticRegression(C=1.0)"
    public var description: String { "LogisticRegression(C=\(inversePenalty))" }

    /// The model of this data.
    ///
    /// `observer` hears of every step: the penalised mean loss as "objective" and the greatest
    /// derivative as "gradient". The model's parameters end with "n_iter", the steps taken, and
    /// "converged", "True" or "False". Throws for fewer than two classes of positive weight, and if
    /// OpenBLAS is missing where it is needed.
    public func fit(
        _ dataset: Dataset, validation: Dataset?, threads: Int, observer: FitObserver?
    ) throws -> TrainedModel {
        try fit(dataset, threads: threads, observer: observer, kernels: .of(.current))
    }

    func fit(
        _ dataset: Dataset, threads: Int, observer: FitObserver?, kernels: LinearKernels
    ) throws -> TrainedModel {
        let (loss, shares) = try loss(of: dataset, threads: threads, kernels: kernels)
        let curvature = shares.reduce(0) { $0 + $1 * (1 - $1) } / Double(shares.count)
        let solver = QuasiNewton(iterationsMax: iterationsMax, tolerance: tolerance)
        let outcome = try solver.minimise(
            from: start(shares, width: loss.width), curvature: curvature,
            observe: { outcome in
                try observer?(
                    FitProgress(
                        done: outcome.iterations, total: iterationsMax,
                        metrics: [
                            .init(name: "objective", value: outcome.value),
                            .init(name: "gradient", value: outcome.steepness),
                        ]))
            }, loss.value)
        let outputs = (0..<loss.outputCount).map { output in
            Array(outcome.point[output * loss.width..<(output + 1) * loss.width])
        }
        return try TrainedModel(
            linear: loss.design, scales: loss.scales, outputs: outputs,
            task: .classification(classes: labels(of: dataset)),
            transform: loss.outputCount == 1 ? .logistic : .softmax, learner: self,
            findings: [
                .init("n_iter", "\(outcome.iterations)"),
                .init("converged", outcome.hasConverged ? "True" : "False"),
            ])
    }

    private func labels(of dataset: Dataset) -> [ClassLabel] {
        if case .classes(let labels, _) = dataset.target { labels } else { [] }
    }

    /// The function to minimise, and each class's share of the weight.
    private func loss(
        of dataset: Dataset, threads: Int, kernels: LinearKernels
    ) throws -> (LogisticLoss, shares: [Double]) {
        guard case .classes(let labels, let indices) = dataset.target else {
            throw TrainingError.targetHoldsNumbers(target: dataset.targetName)
        }
        let design = try LinearDesign(
            dataset,
            weights: classWeight.rowWeights(labels: labels, indices: indices, dataset.weights),
            threads: threads)
        var shares = [Double](repeating: 0, count: labels.count)
        for (index, weight) in zip(indices, design.weights) { shares[Int(index)] += weight }
        guard shares.count(where: { $0 > 0 }) > 1 else { throw TrainingError.oneClass }
        shares = shares.map { $0 / design.totalWeight }
        let curvature = shares.reduce(0) { $0 + $1 * (1 - $1) } / Double(shares.count)
        let penalty = 1 / (inversePenalty * design.totalWeight)
        // Second derivatives by all coefficients are then alike, penalty included.
        let scales = design.columns.map { column in
            column.deviation == 0
                ? 0
                : 1 / (column.deviation * column.deviation + penalty / curvature).squareRoot()
        }
        let outputCount = labels.count == 2 ? 1 : labels.count
        let loss = LogisticLoss(
            design: design, scales: scales, penalties: scales.map { penalty * $0 * $0 },
            outputCount: outputCount, truth: indices,
            signs: outputCount == 1 ? indices.map { $0 == 1 ? 1 : -1 } : [], kernels: kernels,
            blas: outputCount == 1 ? nil : try BLAS.open(), threads: threads)
        return (loss, shares)
    }

    /// No coefficients, and intercepts that answer with the classes' shares.
    private func start(_ shares: [Double], width: Int) -> [Double] {
        // A class without rows starts far away rather than at infinity.
        let logs = shares.map { PortableMath.log(max($0, 1e-9)) }
        let mean = logs.reduce(0, +) / Double(logs.count)
        let intercepts = logs.count == 2 ? [logs[1] - logs[0]] : logs.map { $0 - mean }
        return intercepts.flatMap { Array(repeating: 0, count: width - 1) + [$0] }
    }
}

extension LogisticRegression {
    private enum CodingKeys: String, CodingKey {
        case inversePenalty, tolerance, iterationsMax, classWeight
    }

    /// Decodes and checks.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            inversePenalty: fields.decode(Double.self, forKey: .inversePenalty),
            tolerance: fields.decode(Double.self, forKey: .tolerance),
            iterationsMax: fields.decode(Int.self, forKey: .iterationsMax),
            classWeight: fields.decode(ClassWeight.self, forKey: .classWeight))
    }
}
