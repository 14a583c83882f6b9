/// What a model answers to some rows.
public struct Predictions: Sendable, Hashable {
    /// Classes or a number.
    public let task: TrainedModel.Task
    /// Rows.
    public let rowCount: Int
    /// Scores per row: the number of classes, or 1.
    public let outputCount: Int
    /// Row after row: each class's probability, or the value.
    public let scores: [Float]

    /// Answers of these scores, row after row; there is one per class, or one for a number.
    package init(task: TrainedModel.Task, scores: [Float], outputCount: Int) {
        precondition(outputCount > 0 && scores.count % outputCount == 0, "whole rows of scores")
        if case .classification(let classes) = task {
            precondition(outputCount == classes.count, "one score per class")
        } else {
            precondition(outputCount == 1, "one score per row")
        }
        self.task = task
        self.scores = scores
        self.outputCount = outputCount
        rowCount = scores.count / outputCount
    }

    /// A row's scores: each class's probability in the order of the classes, or the value.
    public func scores(ofRow row: Int) -> ArraySlice<Float> {
        scores[row * outputCount..<(row + 1) * outputCount]
    }

    /// The most probable class's index, the lowest of equals. 0 for regression.
    public func classIndex(ofRow row: Int) -> Int {
        let scores = scores(ofRow: row)
        var best = scores.startIndex
        for index in scores.indices where scores[index] > scores[best] { best = index }
        return best - scores.startIndex
    }

    /// Each row's most probable class; empty for regression.
    public var labels: [ClassLabel] {
        guard case .classification(let classes) = task else { return [] }
        return (0..<rowCount).map { classes[classIndex(ofRow: $0)] }
    }

    /// Each row's value; for classification the probabilities, row after row.
    public var values: [Float] { scores }
}

extension TrainedModel {
    /// Throws unless the names and classes match the ensemble, and the ensemble is sound.
    package func validate() throws(EnsembleError) {
        try ensemble.validate()
        let predictor = ensemble.transform == .logistic && ensemble.outputCount == 1
        var problem: String?
        if featureNames.count != ensemble.featureCount {
            problem = "\(featureNames.count) names for \(ensemble.featureCount) features"
        }
        switch task {
        case .classification(let classes):
            let outputs = predictor ? 2 : ensemble.outputCount
            if classes.count != outputs { problem = "\(classes.count) classes, \(outputs) outputs" }
        case .regression:
            if ensemble.outputCount != 1 || predictor {
                problem = "\(ensemble.outputCount) outputs for one number"
            }
        }
        if let problem { throw EnsembleError(tree: nil, node: nil, problem: problem) }
    }

    /// The model's predictor; who predicts often keeps it.
    public func predictor() throws(EnsembleError) -> Predictor {
        try validate()
        return try Predictor(ensemble)
    }

    /// Predicts rows whose features stand in the order of `featureNames`.
    public func predict(_ rows: FeatureMatrix) throws -> Predictions {
        let predictor = try predictor()
        return Predictions(
            task: task, scores: try predictor.predict(rows), outputCount: predictor.outputCount)
    }

    /// Predicts a data set's rows; its columns are found by name and may stand in any order.
    public func predict(_ dataset: Dataset) throws -> Predictions {
        try predict(dataset.features(named: featureNames))
    }
}

extension Dataset {
    /// The rows with these columns in this order; further columns are left out.
    package func features(named names: [String]) throws(DatasetError) -> FeatureMatrix {
        if names == featureNames { return features }
        var columnOf: [String: Int] = [:]
        for (index, name) in featureNames.enumerated() { columnOf[name] = index }
        var columns: [[Float]] = []
        for name in names {
            guard let column = columnOf[name] else {
                throw .shape("the model needs the column '\(name)', the data set has none")
            }
            columns.append(self.columns[column])
        }
        return FeatureMatrix(columns: columns, rowCount: rowCount)
    }
}
