/// Adds trees, one at a time, to the scores of rows that are not binned: of validation rows, or of
/// a model that is continued.
struct TreeScorer {
    private let rows: FeatureMatrix

    init(_ dataset: Dataset) {
        rows = dataset.features
    }

    /// Adds the tree's value for each row, exactly as a `Predictor` of the whole model would.
    func add(_ tree: Tree, to scores: UnsafeMutablePointer<Double>) throws {
        // A single tree's sum is its leaf's float, so nothing is lost on the way.
        let predictor = try Predictor(
            TreeEnsemble(
                featureCount: rows.featureCount, outputCount: 1, leafWidth: 1, trees: [tree],
                aggregation: .sum))
        for (row, value) in try predictor.predict(rows).enumerated() {
            scores[row] += Double(value)
        }
    }
}
