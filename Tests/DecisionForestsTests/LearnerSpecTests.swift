import Foundation
import Testing

@testable import DecisionForests

@Suite struct LearnerSpecTests {
    private let classes = Dataset.Target.classes(labels: [.integer(0)], indices: [0])
    private let numbers = Dataset.Target.values([1])

    @Test("Other libraries' names set the same parameters")
    func aliases() throws {
        let spec = try LearnerSpec(
            "forest",
            parameters: [
                ("trees", "7"), ("MAX-DEPTH", "None"), ("min_data_in_leaf", "3"), ("mtry", "0.5"),
            ], seed: 9)
        let forest = try #require(try spec.learner(for: classes) as? RandomForestClassifier)
        #expect(
            forest
                == (try RandomForestClassifier(
                    trees: 7, maxFeatures: .share(0.5), minSamplesLeaf: 3, seed: 9)))
        let regressor = try #require(try spec.learner(for: numbers) as? RandomForestRegressor)
        #expect(regressor.forest.treeCount == 7 && regressor.forest.seed == 9)
    }

    @Test("A value is found by any of its parameter's names")
    func values() throws {
        let spec = try LearnerSpec("forest", parameters: [("num_trees", "7")], seed: 2)
        #expect(spec.value(of: "n_estimators") == "7" && spec.value(of: "trees") == "7")
        #expect(spec.value(of: "seed") == "2" && spec.value(of: "max_depth") == nil)
        #expect(spec.value(of: "nonsense") == nil)
    }

    @Test("Without parameters a learner has its own defaults")
    func defaults() throws {
        let spec = try LearnerSpec("forest")
        #expect(
            try spec.learner(for: classes) as? RandomForestClassifier == RandomForestClassifier())
        #expect(
            try spec.learner(for: numbers) as? RandomForestRegressor == RandomForestRegressor())
    }

    @Test("A class's weight is read as scikit-learn writes it")
    func classWeights() throws {
        let weight = ClassWeight.perClass([.integer(0): 1, .string("yes"): 5.5])
        for text in ["{0: 1.0, 'yes': 5.5}", "0:1,yes:5.5", weight.description] {
            let spec = try LearnerSpec("forest", parameters: [("class_weight", text)])
            let forest = try spec.learner(for: classes) as? RandomForestClassifier
            #expect(forest?.classWeight == weight)
        }
    }

    @Test("An unknown name is answered with the nearest ones and all there are")
    func unknownNames() throws {
        #expect(throws: LearnerSpecError.self) { try LearnerSpec("florist") }
        do {
            _ = try LearnerSpec("forest", parameters: [("n_estimator", "5")])
            Issue.record("n_estimator was taken")
        } catch {
            #expect(error.description.contains("did you mean 'n_estimators'"))
            #expect(error.description.contains("min_samples_leaf"))
        }
        #expect(
            throws: LearnerSpecError.givenTwice("n_estimators", first: "trees", second: "n_trees")
        ) {
            try LearnerSpec("forest", parameters: [("trees", "5"), ("n_trees", "6")])
        }
    }

    @Test(
        "A value that is none, or out of range, is refused with the parameter's name",
        arguments: [
            ("trees", "ten"), ("trees", "0"), ("max_features", "1.5"), ("bootstrap", "maybe"),
            ("criterion", "guess"), ("class_weight", "0;1"), ("seed", "-1"), ("max_depth", "2.5"),
        ])
    func badValues(_ name: String, _ text: String) throws {
        let spec = try LearnerSpec("forest", parameters: [(name, text)])
        #expect(throws: ParameterError.self) { try spec.learner(for: classes) }
    }

    @Test("What only classes have is refused for numbers")
    func wrongTask() throws {
        for (name, text) in [("criterion", "gini"), ("class_weight", "balanced")] {
            let spec = try LearnerSpec("forest", parameters: [(name, text)])
            #expect(throws: ParameterError.self) { try spec.learner(for: numbers) }
        }
    }

    @Test("Linear learners are chosen by the target and refuse the other's parameters")
    func linear() throws {
        let logistic = try LearnerSpec("linear", parameters: [("C", "0.5"), ("max_iter", "20")])
        #expect(
            try logistic.learner(for: classes) as? LogisticRegression
                == LogisticRegression(inversePenalty: 0.5, iterationsMax: 20))
        #expect(throws: ParameterError.self) { try logistic.learner(for: numbers) }
        let ridge = try LearnerSpec("linear", parameters: [("alpha", "3")], seed: 5)
        #expect(try ridge.learner(for: numbers) as? RidgeRegression == RidgeRegression(alpha: 3))
        #expect(throws: ParameterError.self) { try ridge.learner(for: classes) }
    }

    @Test("A spec survives JSON, and what JSON may not hold is refused")
    func coding() throws {
        let spec = try LearnerSpec("forest", parameters: [("trees", "7")], seed: 3)
        let bytes = try JSONEncoder().encode(spec)
        #expect(try JSONDecoder().decode(LearnerSpec.self, from: bytes) == spec)
        for text in [
            #"{"learner": "florist", "parameters": {}}"#,
            #"{"learner": "forest", "parameters": {"size": "1"}}"#,
            #"{"learner": "forest", "parameters": {"trees": "1", "n_estimators": "1"}}"#,
        ] {
            #expect(throws: LearnerSpecError.self) {
                try JSONDecoder().decode(LearnerSpec.self, from: Data(text.utf8))
            }
        }
    }

    @Test("Every parameter of every kind has one name, and no alias stands for two")
    func namesAreUnambiguous() throws {
        for kind in LearnerKind.all {
            let names = kind.parameters.flatMap { [$0.name] + $0.aliases }
            #expect(Set(names).count == names.count, "\(kind.name)")
            for parameter in kind.parameters {
                #expect(try kind.parameter(named: parameter.name) == parameter)
            }
        }
    }
}
