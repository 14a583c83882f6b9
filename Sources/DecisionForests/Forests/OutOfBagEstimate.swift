/// How good a forest is, judged row by row by the trees that did not see the row (Breiman 2001).
///
/// A tree's rows follow from the forest's parameters and the tree's number, so this can be measured
/// wherever the trees were grown, and at any time after.
public struct OutOfBagEstimate: Sendable, Hashable {
    /// Accuracy or R², over the rows that at least one tree did not see, each counting once; nil if
    /// there is none, or for R² if they all have the same target.
    public let score: Double?
    /// `outputCount` values per row, the mean over the trees that did not see it: class shares, or
    /// one number. NaN for rows that every tree saw.
    public let decisions: [Float]
    /// Values per row.
    public let outputCount: Int
    /// Rows that at least one tree did not see.
    public let coveredRowCount: Int

    /// Rows whose sums one thread keeps.
    private static let chunkRowCount = 4096

    init(
        of model: TrainedModel, forest: ForestParameters, trainedOn dataset: Dataset, threads: Int
    ) throws {
        guard forest.bootstrap else {
            throw ParameterError(
                "bootstrap", "false", allowed: "true: without it every tree sees every row")
        }
        guard model.trainingRowCount == dataset.rowCount else {
            throw DatasetError.shape(
                "it has \(dataset.rowCount) rows, the model was trained on "
                    + "\(model.trainingRowCount)")
        }
        let ensemble = model.ensemble
        try ensemble.validate()
        let trees = try ensemble.trees.map { tree in
            try Predictor(
                TreeEnsemble(
                    featureCount: ensemble.featureCount, outputCount: ensemble.outputCount,
                    trees: [tree]))
        }
        let sample = RowSample(rowCount: dataset.rowCount, parameters: forest)
        let seen = Parallel.map(trees.count, threads: threads) { tree, _ in
            sample.seenRows(tree: tree)
        }
        let rows = try dataset.features(named: model.featureNames)
        let width = ensemble.outputCount
        let chunks = Parallel.map(
            (dataset.rowCount + Self.chunkRowCount - 1) / Self.chunkRowCount, threads: threads
        ) { chunk, _ in
            let first = chunk * Self.chunkRowCount
            let range = first..<min(dataset.rowCount, first + Self.chunkRowCount)
            return Self.decisions(of: range, in: rows, trees: trees, seen: seen, width: width)
        }
        let decisions = chunks.flatMap { $0 }
        self.decisions = decisions
        outputCount = width
        let covered = (0..<dataset.rowCount).filter { row in !decisions[row * width].isNaN }
        coveredRowCount = covered.count
        score = try Self.score(decisions, of: covered, width, model: model, dataset: dataset)
    }

    /// The means for some rows; trees are added in their order.
    private static func decisions(
        of range: Range<Int>, in rows: FeatureMatrix, trees: [Predictor], seen: [[UInt64]],
        width: Int
    ) -> [Float] {
        var sums = [Double](repeating: 0, count: range.count * width)
        var counts = [Int](repeating: 0, count: range.count)
        var scores = [Float](repeating: 0, count: width)
        rows.values.withUnsafeBufferPointer { values in
            scores.withUnsafeMutableBufferPointer { scores in
                for (tree, predictor) in trees.enumerated() {
                    for row in range where seen[tree][row / 64] >> UInt64(row % 64) & 1 == 0 {
                        let start = row * rows.featureCount
                        predictor.predict(
                            row: UnsafeBufferPointer(
                                rebasing: values[start..<start + rows.featureCount]),
                            into: scores)
                        let place = row - range.lowerBound
                        counts[place] += 1
                        for output in 0..<width {
                            sums[place * width + output] += Double(scores[output])
                        }
                    }
                }
            }
        }
        return sums.indices.map { index in
            let count = counts[index / width]
            return count == 0 ? .nan : Float(sums[index] / Double(count))
        }
    }

    private static func score(
        _ decisions: [Float], of rows: [Int], _ width: Int, model: TrainedModel, dataset: Dataset
    ) throws -> Double? {
        guard !rows.isEmpty else { return nil }
        let predictions = Predictions(
            task: model.task, scores: rows.flatMap { decisions[$0 * width..<($0 + 1) * width] },
            outputCount: width)
        let evaluation = try Evaluation(
            of: predictions, on: dataset.subset(rows: rows).unweighted())
        return evaluation["accuracy"] ?? evaluation["r2"]
    }
}

extension RowSample {
    /// One bit per row, set if the tree's bootstrap drew it.
    fileprivate func seenRows(tree: Int) -> [UInt64] {
        var draws = [UInt32](repeating: 0, count: rowCount)
        draws.withUnsafeMutableBufferPointer { buffer in
            if let draws = buffer.baseAddress { draw(tree: tree, into: draws) }
        }
        var bits = [UInt64](repeating: 0, count: rowCount / 64 + 1)
        for row in 0..<rowCount where draws[row] > 0 { bits[row / 64] |= 1 << UInt64(row % 64) }
        return bits
    }
}

extension Dataset {
    fileprivate func unweighted() throws -> Dataset {
        guard weights != nil else { return self }
        return try Dataset(
            columns: columns, featureNames: featureNames, featureKinds: featureKinds,
            target: target, targetName: targetName)
    }
}
