import DecisionForests
import Testing

@testable import Serving

/// Requests for a model with names and truths among its columns.
@Suite struct ColumnKindTests {
    static let model: TrainedModel = {
        var tree = Tree(
            splitFeature: [2, Tree.leaf, Tree.leaf], threshold: [0, 0, 0],
            missingGoesLeft: [false, false, false], leftChild: [1, 0, 1], leafValues: [1, 2])
        tree.categorySet = [tree.categorySets.append([1]), -1, -1]
        return TrainedModel(
            ensemble: TreeEnsemble(featureCount: 3, outputCount: 1, trees: [tree]),
            featureNames: ["age", "member", "city"],
            featureKinds: [.numeric, .boolean, .categorical(levels: ["Bonn", "Köln", "7"])],
            optionalFeatures: ["member"], targetName: "target", task: .regression,
            learner: "RandomForestRegressor", parameters: [], trainingRowCount: 10)
    }()
    static let schema = ValidationTests.columns(of: model)

    @Test(
        "Names, truths and numbers are understood in every form",
        arguments: [
            #"{"features": [[3, true, "Köln"], [4, 0, 7]]}"#,
            #"{"instances": [{"city": "K\u00f6ln", "age": 3, "member": "Yes"},"#
                + #" {"age": 4, "member": false, "city": "7"}]}"#,
            #"{"inputs": {"age": [3, 4], "city": ["Köln", "7"], "member": [1, false]}}"#,
            #"{"dataframe_split": {"columns": ["city", "age", "member"],"#
                + #" "data": [["Köln", 3, true], [7.0, 4, "false"]]}}"#,
        ])
    func forms(_ body: String) throws {
        #expect(
            try ValidationTests.decode(body, schema: Self.schema).get() == [3, 1, 1, 4, 0, 2])
    }

    @Test("A name the model never saw counts as missing, as does null in an optional column")
    func unknown() throws {
        let values = try ValidationTests.decode(
            #"{"features": [[3, null, "Ulm"]]}"#, schema: Self.schema
        ).get()
        #expect(values[0] == 3 && values[1].isNaN && values[2].isNaN)
    }

    @Test(
        "What a column cannot hold is refused at its place",
        arguments: [
            (#"["3", true, "Bonn"]"#, 0, "float_type"), ("[true, true, \"Bonn\"]", 0, "float_type"),
            (#"[3, 2, "Bonn"]"#, 1, "bool_type"), (#"[3, "maybe", "Bonn"]"#, 1, "bool_type"),
            (#"[3, [], "Bonn"]"#, 1, "bool_type"), ("[3, true, null]", 2, "string_type"),
            ("[3, true, {}]", 2, "string_type"),
        ])
    func problems(_ row: String, _ column: Int, _ type: String) throws {
        let problem = try ValidationTests.problem(
            "{\"features\": [\(row)]}", schema: Self.schema)
        #expect(problem["type"] as? String == type)
        #expect((problem["loc"] as? [Any])?.last as? Int == column)
    }
}
