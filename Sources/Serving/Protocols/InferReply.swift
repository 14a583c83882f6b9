import DecisionForests

/// The reply to an inference: tensors `predict` (label or value of each row) and, for classifiers,
/// `predict_proba`, in JSON or as bytes behind it.
enum InferReply {
    /// A tensor that a model answers.
    private enum Output: String, CaseIterable {
        case label = "predict"
        case probabilities = "predict_proba"
    }

    static func make(
        _ scores: [Float], of model: ServedModel, _ wish: InferRequest.Wish, requestID: String
    ) throws(FeatureDecoder.Failure) -> Reply {
        let outputs = try chosen(wish, of: model)
        var writer = JSONWriter(capacity: 256 + 14 * scores.count)
        var binary: [UInt8] = []
        writer.openObject()
        writer.field("model_name", model.version.name)
        writer.field("model_version", model.version.version)
        writer.field("id", wish.id ?? requestID)
        writer.key("outputs")
        writer.openArray()
        for (output, isBinary) in outputs {
            write(output, isBinary, scores, of: model, to: &writer, &binary)
        }
        writer.closeArray()
        writer.closeObject()
        guard outputs.contains(where: \.isBinary) else { return Reply(body: writer.bytes) }
        return Reply(contentType: "application/octet-stream", body: writer.bytes + binary)
            .with(header: "Inference-Header-Content-Length", String(writer.bytes.count))
    }

    /// Refused before anything is computed, where a name is wrong.
    static func check(
        _ wish: InferRequest.Wish, task: TrainedModel.Task
    ) throws(FeatureDecoder.Failure) {
        for output in wish.outputs ?? [] where self.output(output.name, of: task) == nil {
            let known = Output.allCases.compactMap { self.output($0.rawValue, of: task)?.rawValue }
            throw .unreadable(
                "unknown output '\(Echo.cut(output.name, to: 256))'; the model has "
                    + known.joined(separator: " and "))
        }
    }

    private static func output(_ name: String, of task: TrainedModel.Task) -> Output? {
        let output = Output(rawValue: name)
        if case .regression = task, output == .probabilities { return nil }
        return output
    }

    private static func chosen(
        _ wish: InferRequest.Wish, of model: ServedModel
    ) throws(FeatureDecoder.Failure) -> [(Output, isBinary: Bool)] {
        try check(wish, task: model.task)
        guard let outputs = wish.outputs else {
            return Output.allCases.compactMap { output(of: $0, model) }.map { ($0, wish.isBinary) }
        }
        return outputs.compactMap { wanted in
            output(wanted.name, of: model.task).map { ($0, wanted.isBinary ?? wish.isBinary) }
        }
    }

    private static func output(of output: Output, _ model: ServedModel) -> Output? {
        self.output(output.rawValue, of: model.task)
    }

    private static func write(
        _ output: Output, _ isBinary: Bool, _ scores: [Float], of model: ServedModel,
        to writer: inout JSONWriter, _ binary: inout [UInt8]
    ) {
        let rowCount = scores.count / model.outputCount
        writer.openObject()
        writer.field("name", output.rawValue)
        writer.key("shape")
        writer.openArray()
        writer.integer(rowCount)
        writer.integer(output == .label ? 1 : model.outputCount)
        writer.closeArray()
        let labels = output == .label ? model.labels : .values
        writer.field("datatype", labels.type.rawValue)
        if isBinary {
            let start = binary.count
            labels.append(scores, width: model.outputCount, to: &binary)
            writer.key("parameters")
            writer.openObject()
            writer.key("binary_data_size")
            writer.integer(binary.count - start)
            writer.closeObject()
        } else {
            writer.key("data")
            writer.openArray()
            labels.write(scores, width: model.outputCount, to: &writer)
            writer.closeArray()
        }
        writer.closeObject()
    }
}

/// How a model's answers become a tensor's elements.
private enum TensorAnswers {
    /// Scores as they are.
    case values
    case integers([Int64])
    case texts([String])

    var type: TensorType {
        switch self {
        case .values: .fp32
        case .integers: .int64
        case .texts: .bytes
        }
    }

    /// Writes the elements as JSON.
    func write(_ scores: [Float], width: Int, to writer: inout JSONWriter) {
        switch self {
        case .values: for score in scores { writer.number(score) }
        case .integers(let labels):
            PredictReply.forEachClass(of: scores, width: width) { writer.integer(labels[$0]) }
        case .texts(let labels):
            PredictReply.forEachClass(of: scores, width: width) { writer.string(labels[$0]) }
        }
    }

    /// Appends the elements in the protocol's binary form.
    func append(_ scores: [Float], width: Int, to bytes: inout [UInt8]) {
        switch self {
        case .values:
            bytes.reserveCapacity(bytes.count + 4 * scores.count)
            for score in scores { Self.append(score.bitPattern, to: &bytes) }
        case .integers(let labels):
            PredictReply.forEachClass(of: scores, width: width) {
                Self.append(UInt64(bitPattern: labels[$0]), to: &bytes)
            }
        case .texts(let labels):
            PredictReply.forEachClass(of: scores, width: width) {
                let text = labels[$0].utf8
                Self.append(UInt32(text.count), to: &bytes)
                bytes.append(contentsOf: text)
            }
        }
    }

    private static func append(_ word: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) }
    }
}

extension ServedModel {
    /// What `predict` holds. Labels of both kinds are texts, as JSON's lists may not mix them.
    fileprivate var labels: TensorAnswers {
        guard case .classification(let classes) = task else { return .values }
        let integers = classes.compactMap { label in
            if case .integer(let value) = label { value } else { nil }
        }
        return integers.count == classes.count
            ? .integers(integers) : .texts(classes.map(\.description))
    }
}
