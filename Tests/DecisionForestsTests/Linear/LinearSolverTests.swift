import Testing

@testable import DecisionForests

@Suite("The parts of linear learners: solver, kernels, BLAS")
struct LinearSolverTests {
    /// Scores that every bit of a linear model decides.
    private func fingerprint(_ model: TrainedModel) -> [UInt64] {
        (model.ensemble.linear?.coefficients ?? []).map(\.bitPattern)
            + model.ensemble.baseScores.map { UInt64($0.bitPattern) }
    }

    @Test("Threads make no difference to a bit", arguments: [2, 3])
    func threads(classes: Int) throws {
        let data = try makeClassification(
            samples: 3_000, features: 7, informative: 5, classes: classes, seed: 4)
        let values = try Dataset(features: data.features, values: data.columns[0])
        let (logistic, ridge) = (try LogisticRegression(), try RidgeRegression())
        let one = fingerprint(try logistic.fit(data, threads: 1))
        let first = fingerprint(try ridge.fit(values, threads: 1))
        for threads in [2, 3, 7] {
            #expect(try fingerprint(logistic.fit(data, threads: threads)) == one)
            #expect(try fingerprint(ridge.fit(values, threads: threads)) == first)
        }
    }

    @Test("Two classes get the same bits from every build of the kernels")
    func kernels() throws {
        let data = try SampleData.withMissing(rows: 1_000)
        let learner = try LogisticRegression()
        let models = try KernelChoice.available.map {
            try learner.fit(data, threads: 2, observer: nil, kernels: .of($0))
        }
        for model in models { #expect(fingerprint(model) == fingerprint(models[0])) }
    }

    @Test("The gradient is the loss's slope", arguments: [2, 3])
    func gradient(classes: Int) throws {
        let data = try makeClassification(
            samples: 300, features: 4, informative: 3, redundant: 0, classes: classes,
            clustersPerClass: 1, seed: 2)
        guard case .classes(_, let truth) = data.target else { return }
        let design = try LinearDesign(data, weights: nil, threads: 1)
        let loss = LogisticLoss(
            design: design, scales: design.columns.map { 1 / $0.deviation },
            penalties: [0.1, 0.2, 0.3, 0.4], outputCount: classes == 2 ? 1 : classes,
            truth: truth, signs: classes == 2 ? truth.map { $0 == 1 ? 1 : -1 } : [],
            kernels: .of(.widest), blas: classes == 2 ? nil : try BLAS.open(), threads: 1)
        let point = (0..<loss.width * loss.outputCount).map { Double($0 % 3) / 2 - 0.4 }
        let (_, gradient) = loss.value(at: point)
        for index in point.indices {
            var (low, high) = (point, point)
            low[index] -= 1e-5
            high[index] += 1e-5
            let slope = (loss.value(at: high).value - loss.value(at: low).value) / 2e-5
            #expect(abs(slope - gradient[index]) < 1e-8)
        }
    }

    @Test("The loss of scores far from zero is exact")
    func farScores() throws {
        let data = try SampleData.columns([[-1, 1, 1]], classes: [0, 1, 0])
        guard case .classes(_, let truth) = data.target else { return }
        let design = try LinearDesign(data, weights: nil, threads: 1)
        let loss = LogisticLoss(
            design: design, scales: [1], penalties: [0], outputCount: 1, truth: truth,
            signs: truth.map { $0 == 1 ? 1 : -1 }, kernels: .of(.widest), blas: nil, threads: 1)
        let centre = design.columns[0].centre
        // Sums are −1000, 1000 and 1000: two rows are right, one is wrong by 1000.
        let (value, gradient) = loss.value(at: [1_000, 1_000 * centre])
        #expect(abs(value - 1_000.0 / 3) < 1e-9)
        #expect(abs(gradient[1] - 1.0 / 3) < 1e-12)
    }

    @Test("Rosenbrock's valley is followed to its end")
    func valley() {
        let solver = QuasiNewton(iterationsMax: 200, tolerance: 1e-9)
        var values: [Double] = []
        let outcome = solver.minimise(
            from: [-1.2, 1], curvature: 100, observe: { values.append($0.value) }
        ) { point in
            let (x, y) = (point[0], point[1])
            let bend = y - x * x
            return (
                (1 - x) * (1 - x) + 100 * bend * bend,
                [-2 * (1 - x) - 400 * x * bend, 200 * bend]
            )
        }
        #expect(outcome.hasConverged)
        #expect(abs(outcome.point[0] - 1) < 1e-8 && abs(outcome.point[1] - 1) < 1e-8)
        #expect(values.count == outcome.iterations + 1)
        #expect(zip(values, values.dropFirst()).allSatisfy { $0 >= $1 })
        let short = QuasiNewton(iterationsMax: 3, tolerance: 1e-9).minimise(
            from: [5], curvature: 1, observe: { _ in }
        ) { point in
            let x = point[0]
            return (x * x * x * x, [4 * x * x * x])
        }
        #expect(short.iterations == 3 && !short.hasConverged)
    }

    @Test("A solver that runs out of steps says so, and an observer can end it")
    func told() throws {
        struct Stop: Error {}
        let data = try SampleData.withMissing()
        let model = try LogisticRegression(iterationsMax: 1).fit(data)
        #expect(
            model.parameters.suffix(2) == [.init("n_iter", "1"), .init("converged", "False")])
        #expect(throws: Stop.self) {
            try LogisticRegression().fit(data, validation: nil, threads: 1) { progress in
                #expect(progress.metrics.map(\.name) == ["objective", "gradient"])
                if progress.done == 2 { throw Stop() }
            }
        }
    }

    @Test("Products and Gram matrices are the plain sums")
    func products() throws {
        let blas = try BLAS.open()
        let left = DoubleBuffer([1, 3, 5, 2, 4, 6])  // 3 × 2, column after column
        let right = DoubleBuffer([1, 2, 1, 0, 1, 1])  // 3 × 2
        let product = DoubleBuffer([1, 1, 1, 1])
        blas.addTransposedProduct(
            left.view(rows: 3, columns: 2), right.view(rows: 3, columns: 2),
            to: .init(start: product.start, rows: 2, columns: 2, stride: 2))
        #expect(product.values(4) == [13, 17, 9, 11])
        let factors = DoubleBuffer([1, 3, 2, 4])
        let scores = DoubleBuffer([9, 9, 9, 9, 9, 9])
        blas.multiply(
            left.view(rows: 3, columns: 2), factors.view(rows: 2, columns: 2),
            into: .init(start: scores.start, rows: 3, columns: 2, stride: 3))
        #expect(scores.values(6) == [7, 15, 23, 10, 22, 34])
        let gram = DoubleBuffer(count: 4)
        blas.addGram(
            left.view(rows: 3, columns: 2),
            to: .init(start: gram.start, rows: 2, columns: 2, stride: 2))
        #expect(gram.values(4) == [35, 44, 0, 56])
        withExtendedLifetime((left, right, factors)) {}
    }

    @Test("A missing library is named with the command that installs it")
    func missingLibrary() {
        let error = #expect(throws: BLASError.self) { try BLAS(library: "libnowhere.so.9") }
        #expect(error?.description.contains("libnowhere.so.9") == true)
        #expect(error?.description.hasSuffix("apt-get install libopenblas0") == true)
        #expect(throws: BLASError.self) { try BLAS(library: "libc.so.6") }
    }
}

extension DoubleBuffer {
    fileprivate convenience init(_ values: [Double]) {
        self.init(count: values.count)
        for (index, value) in values.enumerated() { start[index] = value }
    }

    fileprivate func view(rows: Int, columns: Int) -> BLAS.Source {
        .init(start: UnsafePointer(start), rows: rows, columns: columns, stride: rows)
    }

    fileprivate func values(_ count: Int) -> [Double] {
        Array(UnsafeBufferPointer(start: start, count: count))
    }
}
