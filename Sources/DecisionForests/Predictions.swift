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
