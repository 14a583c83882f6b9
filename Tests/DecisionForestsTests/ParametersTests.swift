import DecisionForests
import Foundation
import Testing

@Suite("A learner's parameters are checked, named and sent")
struct ParametersTests {
    @Test("A learner reads as people write it")
    func description() throws {
        let learner = try RandomForestClassifier(
            trees: 75, maxDepth: 30, maxFeatures: .share(min(1, 0.3 + 200.0 / 500)))
        #expect(
            "\(learner)" == "RandomForest(n_estimators=75, max_depth=30, max_features=0.7)")
        #expect(
            try "\(RandomForestClassifier())"
                == "RandomForest(n_estimators=100, max_depth=None, max_features=sqrt)")
    }

    @Test("Parameters are spelled as in scikit-learn")
    func list() throws {
        let learner = try RandomForestClassifier(
            trees: 10, classWeight: .perClass([.string("a"): 2, .integer(1): 0.5]), seed: 42)
        #expect(
            learner.parameters == [
                .init("n_estimators", "10"), .init("criterion", "gini"), .init("max_depth", "None"),
                .init("min_samples_split", "2"), .init("min_samples_leaf", "1"),
                .init("max_features", "sqrt"), .init("bootstrap", "True"),
                .init("class_weight", "{1: 0.5, 'a': 2.0}"), .init("random_state", "42"),
            ])
    }

    @Test("What is out of range is named with its range")
    func refused() {
        let error = #expect(throws: ParameterError.self) { try RandomForestClassifier(trees: 0) }
        #expect(error?.description == "trees is 0; it must be in 1...100000.")
        #expect(throws: ParameterError.self) { try RandomForestClassifier(maxDepth: 0) }
        #expect(throws: ParameterError.self) { try RandomForestClassifier(maxFeatures: .share(0)) }
        #expect(throws: ParameterError.self) {
            try RandomForestClassifier(maxFeatures: .share(1.1))
        }
        #expect(throws: ParameterError.self) {
            try RandomForestClassifier(maxFeatures: .share(.nan))
        }
        #expect(throws: ParameterError.self) { try RandomForestClassifier(maxFeatures: .count(0)) }
        #expect(throws: ParameterError.self) { try RandomForestRegressor(minSamplesSplit: 1) }
        #expect(throws: ParameterError.self) { try RandomForestRegressor(minSamplesLeaf: 0) }
        #expect(throws: ParameterError.self) {
            try RandomForestClassifier(classWeight: .perClass([.integer(0): -.infinity]))
        }
    }

    @Test("Tried features are counted as scikit-learn counts them")
    func maxFeatures() {
        #expect(MaxFeatures.sqrt.count(of: 30) == 5)
        #expect(MaxFeatures.log2.count(of: 64) == 6)
        #expect(MaxFeatures.log2.count(of: 1) == 1)
        #expect(MaxFeatures.share(0.7).count(of: 20) == 14)
        #expect(MaxFeatures.share(0.01).count(of: 20) == 1)
        #expect(MaxFeatures.count(50).count(of: 20) == 20)
        #expect(MaxFeatures.all.count(of: 20) == 20)
    }

    @Test("A learner that arrives is checked like one that is made")
    func decoding() throws {
        let learner = try RandomForestClassifier(
            trees: 12, maxDepth: 3, maxFeatures: .log2, criterion: .entropy,
            classWeight: .perClass([.string("a"): 2]), seed: .max)
        let json = try JSONEncoder().encode(AnyLearner(learner))
        let back = try JSONDecoder().decode(AnyLearner.self, from: json).learner
        #expect(back as? RandomForestClassifier == learner)
        let text = String(decoding: json, as: UTF8.self)
        for (from, to) in [
            ("\"treeCount\":12", "\"treeCount\":0"), ("RandomForestClassifier", "Exploit"),
            ("entropy", "luck"),
        ] {
            let forged = text.replacingOccurrences(of: from, with: to)
            #expect(forged != text)
            #expect(throws: (any Error).self) {
                try JSONDecoder().decode(AnyLearner.self, from: Data(forged.utf8))
            }
        }
    }
}
