import Testing

@testable import DecisionForests

@Suite("Answers as lines of CSV")
struct AnswerTableTests {
    /// x0 <= 1 ? (0.25, 0.75) : (1, 0)
    private func model(_ task: TrainedModel.Task, width: Int = 2) -> TrainedModel {
        let tree = Tree(
            splitFeature: [0, -1, -1], threshold: [1, 0, 0],
            missingGoesLeft: [false, false, false], leftChild: [1, 1, 0],
            leafValues: width == 2 ? [1, 0, 0.25, 0.75] : [1.5, -2])
        return TrainedModel(
            ensemble: TreeEnsemble(
                featureCount: 1, outputCount: width, trees: [tree, tree], aggregation: .sum,
                transform: width == 2 ? .softmax : .identity),
            featureNames: ["x"], targetName: "y", task: task, learner: "RandomForest",
            parameters: [], trainingRowCount: 1)
    }

    private func text(_ model: TrainedModel, _ form: AnswerTable.Form) throws -> String {
        let table = try AnswerTable(model, form: form)
        let rows = try FeatureMatrix(values: [0, 5, .nan], featureCount: 1)
        return table.header + String(decoding: try table.lines(of: rows, threads: 2), as: UTF8.self)
    }

    @Test("Classes: labels, shares, sums and leaves; names in quotes where they need them")
    func classes() throws {
        let model = model(.classification(classes: [.string("a,b"), .string("say \"c\"")]))
        #expect(try text(model, .answer) == "prediction\n\"say \"\"c\"\"\"\n\"a,b\"\n\"a,b\"\n")
        #expect(
            try text(model, .raw)
                == "\"a,b\",\"say \"\"c\"\"\"\n0.5,1.5\n2.0,0.0\n2.0,0.0\n")
        #expect(try text(model, .leaves) == "tree_0,tree_1\n1,1\n0,0\n0,0\n")
        let shares = try text(model, .shares).split(separator: "\n")
        #expect(shares.count == 4 && shares[0] == "\"a,b\",\"say \"\"c\"\"\"")
        let numbers = shares[1].split(separator: ",").compactMap { Float($0) }
        #expect(numbers.count == 2 && abs(numbers[0] + numbers[1] - 1) < 1e-6)
    }

    @Test("Numbers: the value; shares are refused")
    func numbers() throws {
        let model = model(.regression, width: 1)
        #expect(try text(model, .answer) == "prediction\n-4.0\n3.0\n3.0\n")
        #expect(try text(model, .raw) == "raw\n-4.0\n3.0\n3.0\n")
        #expect(throws: ParameterError.self) { try AnswerTable(model, form: .shares) }
        let wide = try FeatureMatrix(values: [0, 5], featureCount: 2)
        #expect(throws: DatasetError.self) {
            try AnswerTable(model, form: .answer).lines(of: wide, threads: 1)
        }
    }
}
