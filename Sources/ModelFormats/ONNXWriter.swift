package import DecisionForests

/// Writes a model as ONNX, so that `mlflow.pyfunc` and ONNX Runtime predict with none of our code.
///
/// The graph takes the features as one matrix (`ONNXInput`), sums what trees and weights give
/// (`ONNXScores`) and answers only vectors (`label`, `prob_0` …, or
/// `prediction`), because MLflow's wrapper flattens every output. Three choices keep ONNX Runtime's
/// answers within 2e-7 of ours, whatever the number of trees:
/// - The matrix is cast to double and the trees carry double thresholds (the same float32 values)
///   and double leaf values, so that the runtime sums in double. Summing 1,000 trees in float32 is
///   off by 7e-7 and more.
/// - A forest's leaf values are divided by the number of trees before summing.
/// - The label is the arg-max of the scores, not TreeEnsembleClassifier's own: for two classes the
///   runtime answers 1 whenever the second score is positive.
package enum ONNXWriter {
    /// Protobuf messages cannot be larger.
    package static let sizeMax = Int(Int32.max)
    /// The name of the graph's one input, a float matrix of all features in order.
    package static let inputName = "features"

    /// The model as an ONNX file. Throws `malformed` for a model that is not valid or too large.
    package static func encode(_ model: TrainedModel) throws(ModelFileError) -> [UInt8] {
        try ModelCheck.check(model)
        guard model.ensemble.zeroIsMissing.isEmpty,
            model.ensemble.unknownCategory == .followsMissing
        else {
            throw .malformed(
                part: "ONNX form",
                problem: "zeros as missing values, and categories that are unknown but not "
                    + "missing, are not written")
        }
        var graph = ONNXGraph()
        let matrix = ONNXInput(of: model, named: inputName).add(to: &graph)
        let doubles = graph.addCast(matrix, to: .double, as: "features_double")
        let scores = ONNXScores(of: model, matrix: matrix, doubles: doubles).add(to: &graph)
        let answers = addTransform(model.ensemble.transform, of: scores, to: &graph)
        switch model.task {
        case .regression: addColumns(["prediction"], of: answers, to: &graph)
        case .classification(let classes):
            addLabel(classes, of: answers, to: &graph)
            addColumns(classes.indices.map { "prob_\($0)" }, of: answers, to: &graph)
        }
        let bytes = graph.encode(
            name: model.learner, producer: "manta",
            metadata: [
                ("manta.features", JSONText.array(model.featureNames.map(JSONText.string))),
                ("manta.target", model.targetName),
            ])
        guard bytes.count <= sizeMax else {
            throw .malformed(
                part: "ONNX form", problem: "\(bytes.count) bytes are more than ONNX allows")
        }
        return bytes
    }

    /// Turns scores into class shares or values, as float32; the name of the value that holds them.
    private static func addTransform(
        _ transform: TreeEnsemble.Transform, of scores: (name: String, isDouble: Bool),
        to graph: inout ONNXGraph
    ) -> String {
        let values: String
        switch transform {
        case .identity: values = scores.name
        case .exponential:
            let powers = graph.add("Exp", [scores.name], as: "powers")
            values = ONNXScores.addClip(powers, as: "values", to: &graph)
        case .softmax:
            values = graph.add(
                "Softmax", [scores.name], as: "shares", attributes: [("axis", .integer(1))])
        case .logistic:
            // One score s for two classes: their shares are logistic(-s) and logistic(s).
            let negated = graph.add("Neg", [scores.name], as: "scores_negated")
            let both = graph.add(
                "Concat", [negated, scores.name], as: "scores_both",
                attributes: [("axis", .integer(1))])
            values = graph.add("Sigmoid", [both], as: "shares")
        }
        return scores.isDouble ? graph.addCast(values, to: .float, as: "answers") : values
    }

    private static func addLabel(
        _ classes: [ClassLabel], of shares: String, to graph: inout ONNXGraph
    ) {
        graph.addNode(
            "ArgMax", [shares], ["label_index"],
            attributes: [("axis", .integer(1)), ("keepdims", .integer(0))])
        let integers = classes.compactMap { label in
            if case .integer(let value) = label { value } else { nil }
        }
        let isInteger = integers.count == classes.count
        graph.addConstant(
            "labels", dimensions: [classes.count],
            isInteger ? .integers(integers) : .strings(classes.map(\.description)))
        graph.addNode(
            "Gather", ["labels", "label_index"], ["label"], attributes: [("axis", .integer(0))])
        graph.addOutput("label", isInteger ? .int64 : .string, [.named("N")])
    }

    /// Makes every column of a matrix an output of its own. A scalar index drops the column axis.
    private static func addColumns(
        _ names: [String], of matrix: String, to graph: inout ONNXGraph
    ) {
        for (index, name) in names.enumerated() {
            graph.addConstant("column_\(index)", dimensions: [], .integer(Int64(index)))
            graph.addNode(
                "Gather", [matrix, "column_\(index)"], [name], attributes: [("axis", .integer(1))])
            graph.addOutput(name, .float, [.named("N")])
        }
    }
}
