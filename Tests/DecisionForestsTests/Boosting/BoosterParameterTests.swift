@testable import DecisionForests
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
            ("max_bin", "2"), ("max_bin", "257"),
            ("bagging_fraction", "0"), ("monotone_constraints", "2"), ("lambda_l1", "-1"),
            ("colsample_bylevel", "0"), ("train_metrics", "often"),
            ("early_stopping_round", "x"), ("boost_from_average", "perhaps"), ("seed", "-1"),
        ])
    func refused(name: String, value: String) {
        #expect(throws: ParameterError.self) { try BoosterParameters(named: [name: value]) }
    }

    @Test(
        "max_bin counts the bin of missing values, as LightGBM's does",
        arguments: [3, 64, 255, 256])
    func bins(count: Int) throws {
        let parameters = try BoosterParameters(named: ["max_bin": "\(count)"])
        func bins(distinct: Int) throws -> (count: Int, used: Set<UInt8>) {
            let column = (0..<4_000).map { $0 == 0 ? Float.nan : Float($0 % distinct) }
            let data = try SampleData.columns([column], classes: column.map { _ in 0 })
            let binned = parameters.binned(data, threads: 1)
            return (
                binned.binner.edges[0].count + 2, binned.bins.withUnsafeBufferPointer { Set($0) }
            )
        }
        // As few values as there are bins for have one each, one value more does not.
        for distinct in [count - 1, count, 3_000] {
            let found = try bins(distinct: distinct)
            #expect(found.count == count)
            #expect(found.used.count == count && found.used.contains(FeatureBinner.missingBin))
        }
        #expect(try bins(distinct: 2).count == 3)
    }

    @Test("What is written is read again")
    func roundTrip() throws {
        let parameters = try BoosterParameters(
            rounds: 7, learningRate: 0.3, leaves: 5, maxDepth: 4, growth: .depthWise,
            minRowsInLeaf: 3, minHessianInLeaf: 0.5, minGain: 0.25, lambdaL1: 0.1, lambdaL2: 2,
            rowShare: 0.5, featureShare: 0.75, featureShareByLevel: 0.25,
            featureShareByNode: 0.5, bins: 63, monotone: [1, 0, -1], earlyStoppingRounds: 9,
            judgesTraining: true, seed: .max)
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

    private func boosting(
        _ parameters: (String, String)..., target: Dataset.Target = .values([])
    ) throws -> BoosterParameters? {
        let learner = try LearnerSpec(
            "boosted", parameters: parameters.map { (name: $0.0, value: $0.1) }
        ).learner(for: target)
        return (learner as? GradientBoostingRegressor)?.boosting
            ?? (learner as? GradientBoostingClassifier)?.boosting
    }

    @Test("Names that say more than the parameter they set keep what they say")
    func meanings() throws {
        let sampled = try #require(try boosting(("SubSample", "0.5")))
        #expect(sampled.rowShare == 0.5 && sampled.rowShareRounds == 1)
        let seldom = try #require(try boosting(("subsample", "0.5"), ("subsample-freq", "3")))
        #expect(seldom.rowShareRounds == 3)
        #expect(try boosting(("gamma", "0.5"))?.minGain == 1)
        #expect(try boosting(("min_split_gain", "0.5"))?.minGain == 0.5)
        #expect(try boosting(("lambda", "2"), ("reg_alpha", "3"))?.lambdaL1 == 3)
    }

    @Test("What would be taken another way than it is meant is refused, with what to say instead")
    func misunderstandings() throws {
        func refusal(
            _ parameters: (String, String)..., target: Dataset.Target = .values([])
        ) -> String? {
            let pairs = parameters.map { (name: $0.0, value: $0.1) }
            do {
                _ = try LearnerSpec("boosted", parameters: pairs).learner(for: target)
                return nil
            } catch { return "\(error)" }
        }
        #expect(refusal(("bagging_fraction", "0.5"))?.contains("bagging_freq=1") == true)
        #expect(refusal(("bagging_fraction", "0.5"), ("bagging_freq", "0")) == nil)
        #expect(refusal(("alpha", "0.5"))?.contains("reg_alpha") == true)
        let classes = Dataset.Target.classes(labels: [], indices: [])
        #expect(refusal(("alpha", "0.5"), target: classes)?.contains("lambda_l1") == true)
        #expect(refusal(("alpha", "0.5"), ("objective", "quantile")) == nil)
        #expect(
            refusal(("gamma", "1"), ("min_gain_to_split", "2"))?.contains("says the same") == true)
    }

    @Test("Whether training rows are judged is sent, and is no part of what a model tells")
    func judging() throws {
        let judging = try BoosterParameters(named: ["train_metrics": "true"])
        let copy = try JSONDecoder().decode(
            BoosterParameters.self, from: JSONEncoder().encode(judging))
        #expect(copy.judgesTraining)
        #expect(try judging.list == BoosterParameters().list)
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
