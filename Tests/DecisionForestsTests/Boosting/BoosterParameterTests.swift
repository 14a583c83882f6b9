import DecisionForests
import Foundation
import Testing

@Suite("Boosting parameters go by the names that other libraries use")
struct BoosterParameterTests {
    @Test(
        "One parameter, three libraries' names",
        arguments: [
            ("num_iterations", "max_iter", "n_estimators"),
            ("learning_rate", "eta", "shrinkage_rate"),
            ("lambda_l2", "reg_lambda", "l2_regularization"),
            ("num_leaves", "max_leaves", "max_leaf_nodes"),
        ])
    func aliases(names: (String, String, String)) throws {
        let expected = try BoosterParameters(named: [names.0: "7"])
        #expect(try BoosterParameters(named: [names.1: "7"]) == expected)
        #expect(try BoosterParameters(named: [names.2: "7"]) == expected)
        #expect(try expected != BoosterParameters())
    }

    @Test("An unknown name is answered with the nearest ones")
    func unknown() throws {
        let error = #expect(throws: ParameterError.self) {
            try BoosterParameters(named: ["learning_rat": "0.1"])
        }
        #expect(error?.description.contains("learning_rate") == true)
    }

    @Test("One parameter by two names is refused")
    func twice() {
        #expect(throws: ParameterError.self) {
            try BoosterParameters(named: ["eta": "0.1", "learning_rate": "0.2"])
        }
    }

    @Test(
        "Values out of range or of another kind are refused",
        arguments: [
            ("num_leaves", "1"), ("num_leaves", "many"), ("learning_rate", "nan"),
            ("max_bin", "256"),
            ("bagging_fraction", "0"), ("monotone_constraints", "2"), ("lambda_l1", "-1"),
            ("early_stopping_round", "x"), ("boost_from_average", "perhaps"), ("seed", "-1"),
        ])
    func refused(name: String, value: String) {
        #expect(throws: ParameterError.self) { try BoosterParameters(named: [name: value]) }
    }

    @Test("What is written is read again")
    func roundTrip() throws {
        let parameters = try BoosterParameters(
            rounds: 7, learningRate: 0.3, leaves: 5, maxDepth: 4, growth: .depthWise,
            minRowsInLeaf: 3, minHessianInLeaf: 0.5, minGain: 0.25, lambdaL1: 0.1, lambdaL2: 2,
            rowShare: 0.5, featureShare: 0.75, featureShareByNode: 0.5, bins: 63,
            monotone: [1, 0, -1], earlyStoppingRounds: 9, seed: .max)
        let copy = try JSONDecoder().decode(
            BoosterParameters.self, from: JSONEncoder().encode(parameters))
        #expect(copy == parameters)
    }

    @Test("The catalogue's learner has all of them, for classes and for numbers")
    func catalogue() throws {
        let spec = try LearnerSpec(
            "boosted", parameters: [("eta", "0.2"), ("objective", "huber"), ("alpha", "3")], seed: 4
        )
        let learner = try #require(
            spec.learner(for: .values([])) as? GradientBoostingRegressor)
        #expect(learner.objective == .huber(width: 3))
        #expect(learner.boosting.learningRate == 0.2 && learner.boosting.seed == 4)
        let classes = try LearnerSpec("boosted", parameters: [("metric", "auc")])
            .learner(for: .classes(labels: [], indices: []))
        #expect((classes as? GradientBoostingClassifier)?.metric == .rocAUC)
    }

    @Test("A metric for numbers does not judge classes")
    func metrics() throws {
        let boosting = try BoosterParameters()
        #expect(throws: ParameterError.self) {
            try GradientBoostingClassifier(boosting, metric: .rmse)
        }
        #expect(throws: ParameterError.self) {
            try GradientBoostingRegressor(boosting, metric: .rocAUC)
        }
    }
}
