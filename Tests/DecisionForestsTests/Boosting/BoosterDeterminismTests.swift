@testable import DecisionForests
import Foundation
import Testing

@Suite("A boosted model is the same on any threads, kernels and in any parts")
struct BoosterDeterminismTests {
    /// Fits that between them take every way through the grower.
    enum Case: String, CaseIterable {
        case binary, weighted, classes, squared, absolute, poisson, sampled, monotone, categorical
        case depthWise, manyRows
    }

    private func fit(
        _ which: Case, rounds: Int = 6, continuing earlier: TrainedModel? = nil, threads: Int = 1
    ) throws -> TrainedModel {
        let data = try data(which)
        let boosting = try parameters(which, rounds: rounds)
        if case .classes = data.target {
            return try GradientBoostingClassifier(
                boosting, classWeight: which == .weighted ? .balanced : .equal
            )
            .fit(data, continuing: earlier, threads: threads)
        }
        let objective: RegressionObjective =
            switch which {
            case .absolute: .absolute
            case .poisson: .poisson
            default: .squared
            }
        return try GradientBoostingRegressor(boosting, objective: objective)
            .fit(data, continuing: earlier, threads: threads)
    }

    private func parameters(_ which: Case, rounds: Int) throws -> BoosterParameters {
        let rows = which == .sampled ? 0.6 : 1
        return try BoosterParameters(
            rounds: which == .manyRows ? min(rounds, 2) : rounds, leaves: 8,
            growth: which == .depthWise ? .depthWise : .leafWise, minRowsInLeaf: 5,
            lambdaL1: which == .weighted ? 0.1 : 0, lambdaL2: 1, rowShare: rows,
            featureShare: which == .sampled ? 0.7 : 1,
            featureShareByNode: which == .sampled ? 0.7 : 1,
            monotone: which == .monotone ? [1, -1, 0, 0, 0, 0] : [], seed: 5)
    }

    private func data(_ which: Case) throws -> Dataset {
        switch which {
        case .binary, .weighted, .depthWise, .sampled: try SampleData.withMissing()
        case .classes: try makeClassification(samples: 300, informative: 6, classes: 3, seed: 2)
        case .squared, .absolute, .monotone: try SampleData.regression()
        case .poisson: try BoosterData.counts(rows: 300)
        case .categorical: try BoosterData.categorical(rows: 400)
        case .manyRows: try BoosterData.manyRows()
        }
    }

    @Test("Threads make no difference to a byte", arguments: Case.allCases)
    func threads(_ which: Case) throws {
        let expected = try fit(which, threads: 1)
        for threads in [2, 3, 7] {
            #expect(try fit(which, threads: threads) == expected)
        }
    }

    @Test(
        "A fit that goes on from a saved model is one that was never interrupted",
        arguments: [
            Case.binary, .classes, .squared, .absolute, .poisson, .sampled, .categorical,
        ])
    func continued(_ which: Case) throws {
        let whole = try fit(which, rounds: 6)
        let first = try fit(which, rounds: 2)
        let second = try fit(which, rounds: 6, continuing: first, threads: 2)
        #expect(second.ensemble == whole.ensemble)
    }

    @Test("The same learner, sent and received, fits the same model")
    func sent() throws {
        let learner = try GradientBoostingClassifier(
            parameters(.weighted, rounds: 3), classWeight: .balanced, metric: .rocAUC)
        let copy = try JSONDecoder().decode(
            AnyLearner.self, from: JSONEncoder().encode(AnyLearner(learner))
        ).learner
        let data = try data(.weighted)
        #expect(try copy.fit(data, threads: 2) == learner.fit(data, threads: 1))
    }

    @Test("All builds of the kernels grow the same trees", arguments: KernelChoice.available)
    func kernels(_ choice: KernelChoice) throws {
        let data = try data(.weighted)
        guard case .classes(_, let indices) = data.target else {
            Issue.record("not classes")
            return
        }
        func ensemble(_ choice: KernelChoice) throws -> TreeEnsemble {
            try GradientBoostingClassifier(parameters(.weighted, rounds: 6)).fit(
                data, continuing: nil, validation: nil, threads: 2, course: FitCourse(),
                kernels: choice
            ).ensemble
        }
        #expect(indices.count == data.rowCount)
        #expect(try ensemble(choice) == ensemble(.baseline))
    }
}
