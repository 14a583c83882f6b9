/// An ensemble arranged for prediction. Building one costs as much as a few hundred predictions:
/// who predicts often keeps it.
///
/// Each row's answer is a function of that row: leaf values are added as Double in tree order,
/// scaled, transformed, and rounded to float32 once. So one row alone, in any batch, on any thread
/// and in any of the layouts gets the same bytes.
public struct Predictor: Sendable {
    /// How the trees are arranged. `docs/PERFORMANCE.md` shows which is faster where.
    private enum Layout: Sendable {
        case block(BlockLayout)
        case walk(WalkLayout)
        case general(GeneralLayout)
    }

    /// Values per row that prediction needs.
    public let featureCount: Int
    /// Scores per row that it gives: class shares, or one number.
    public let outputCount: Int

    private let layout: Layout
    /// For rows too few to fill a block; nil where the layout takes them itself.
    private let single: WalkLayout?
    private let linear: [Double]?
    private let imputations: [Float]
    private let baseScores: [Double]
    private let divisor: Double
    private let transform: TreeEnsemble.Transform
    /// Sums per row, before the transform.
    private let scoreCount: Int

    /// Rows that are scored together: their sums stay in the first cache.
    private static let blockRowCount = 64
    /// Rows from which a block that is not full beats walks row by row.
    private static let blockRowCountMin = 12
    /// Rows that a thread takes at once: about a millisecond of a usual ensemble.
    private static let shareRowCount = 1_024

    /// A predictor for an ensemble that may come from anywhere: it is validated first.
    public init(_ ensemble: TreeEnsemble) throws(EnsembleError) {
        try self.init(ensemble, kernels: .current)
    }

    /// A predictor that runs one build of the hot loops, which this machine must have.
    package init(_ ensemble: TreeEnsemble, kernels choice: KernelChoice) throws(EnsembleError) {
        try ensemble.validate()
        if let block = BlockLayout(ensemble, choice: choice) {
            layout = .block(block)
            single = block.takesSingleRows ? nil : WalkLayout(ensemble, choice: choice)
        } else {
            layout =
                WalkLayout(ensemble, choice: choice).map { .walk($0) }
                ?? .general(GeneralLayout(ensemble))
            single = nil
        }
        linear = ensemble.linear?.coefficients
        imputations = ensemble.imputations
        featureCount = ensemble.featureCount
        scoreCount = ensemble.outputCount
        outputCount =
            ensemble.transform == .logistic && ensemble.outputCount == 1 ? 2 : ensemble.outputCount
        baseScores = ensemble.baseScores.map(Double.init)
        let treesPerOutput = ensemble.trees.count * ensemble.leafWidth / ensemble.outputCount
        divisor = ensemble.aggregation == .average ? Double(max(1, treesPerOutput)) : 1
        transform = ensemble.transform
    }

    /// Predicts one row without allocating: `row` has `featureCount` values, `scores` takes
    /// `outputCount`.
    public func predict(
        row: UnsafeBufferPointer<Float>, into scores: UnsafeMutableBufferPointer<Float>
    ) {
        precondition(row.count == featureCount && scores.count == outputCount, "wrong widths")
        guard let row = row.baseAddress, let scores = scores.baseAddress else { return }
        predict(rows: row, count: 1, into: scores)
    }

    /// Predicts rows; `outputCount` scores each, row after row.
    ///
    /// `threads` (at least 1) share the rows; the scores do not depend on their number.
    public func predict(
        _ rows: FeatureMatrix, threads: Int = 1
    ) throws(DatasetError) -> [Float] {
        guard rows.featureCount == featureCount else {
            throw .shape("rows have \(rows.featureCount) features, the model has \(featureCount)")
        }
        return [Float](unsafeUninitializedCapacity: rows.rowCount * outputCount) { buffer, count in
            rows.values.withUnsafeBufferPointer { values in
                if let base = values.baseAddress, let scores = buffer.baseAddress {
                    predict(rows: base, count: rows.rowCount, into: scores, threads: threads)
                }
            }
            count = rows.rowCount * outputCount
        }
    }

    private func predict(
        rows: UnsafePointer<Float>, count: Int, into scores: UnsafeMutablePointer<Float>,
        threads: Int
    ) {
        // Each share writes to scores of its own rows.
        nonisolated(unsafe) let (rows, scores) = (rows, scores)
        let shareCount = (count + Self.shareRowCount - 1) / Self.shareRowCount
        Parallel.forEach(shareCount, threads: max(1, threads)) { share, _ in
            let start = share * Self.shareRowCount
            predict(
                rows: rows + start * featureCount, count: min(Self.shareRowCount, count - start),
                into: scores + start * outputCount)
        }
    }

    private func predict(
        rows: UnsafePointer<Float>, count: Int, into scores: UnsafeMutablePointer<Float>
    ) {
        // A block's layout may write sums of rows that are not there.
        let room = (count == 1 ? 1 : Self.blockRowCount) * scoreCount
        withUnsafeTemporaryAllocation(of: Double.self, capacity: room) { sums in
            guard let sums = sums.baseAddress else { return }
            sums.initialize(repeating: 0, count: room)
            for start in stride(from: 0, to: count, by: Self.blockRowCount) {
                let blockCount = min(Self.blockRowCount, count - start)
                let block = rows + start * featureCount
                for row in 0..<blockCount {
                    begin(sums + row * scoreCount, of: block + row * featureCount)
                }
                addTrees(of: block, count: blockCount, to: sums)
                for row in 0..<blockCount {
                    finish(sums + row * scoreCount, into: scores + (start + row) * outputCount)
                }
            }
        }
    }

    /// What a row's scores are before the first tree.
    private func begin(_ sums: UnsafeMutablePointer<Double>, of row: UnsafePointer<Float>) {
        for output in 0..<scoreCount {
            var sum = baseScores[output]
            if let linear {
                for feature in 0..<featureCount {
                    let value = row[feature].isNaN ? imputations[feature] : row[feature]
                    sum += linear[output * featureCount + feature] * Double(value)
                }
            }
            sums[output] = sum
        }
    }

    /// Decides who scores the rows of a block.
    private func addTrees(
        of rows: UnsafePointer<Float>, count: Int, to sums: UnsafeMutablePointer<Double>
    ) {
        switch layout {
        case .block(let block) where count < Self.blockRowCountMin && block.takesSingleRows:
            for row in 0..<count {
                block.add(row: rows + row * featureCount, to: sums + row * scoreCount)
            }
        case .block(let block):
            if count < Self.blockRowCountMin, let single {
                single.add(rows: rows, count: count, featureCount: featureCount, to: sums)
            } else if count == 1 {
                addAlone(rows, block, to: sums)
            } else {
                block.add(rows: rows, count: count, featureCount: featureCount, to: sums)
            }
        case .walk(let walk):
            walk.add(rows: rows, count: count, featureCount: featureCount, to: sums)
        case .general(let general):
            general.add(rows: rows, count: count, featureCount: featureCount, to: sums)
        }
    }

    /// One row in a block of its own, for ensembles that only blocks can hold.
    private func addAlone(
        _ row: UnsafePointer<Float>, _ block: BlockLayout, to sums: UnsafeMutablePointer<Double>
    ) {
        let room = Self.blockRowCount * scoreCount
        withUnsafeTemporaryAllocation(of: Double.self, capacity: room) { all in
            guard let all = all.baseAddress else { return }
            all.initialize(repeating: 0, count: room)
            all.update(from: sums, count: scoreCount)
            block.add(rows: row, count: 1, featureCount: featureCount, to: all)
            sums.update(from: all, count: scoreCount)
        }
    }

    private static let sumMax = Double(Float.greatestFiniteMagnitude)

    /// From a row's sums to its scores.
    private func finish(
        _ sums: UnsafeMutablePointer<Double>, into scores: UnsafeMutablePointer<Float>
    ) {
        for output in 0..<scoreCount {
            // What a linear part makes of huge values stays a number that JSON has.
            sums[output] = min(max(sums[output] / divisor, -Self.sumMax), Self.sumMax)
        }
        switch transform {
        case .identity:
            for output in 0..<scoreCount { scores[output] = Float(sums[output]) }
        case .logistic where scoreCount == 1:
            scores[0] = Float(PortableMath.logistic(-sums[0]))
            scores[1] = Float(PortableMath.logistic(sums[0]))
        case .logistic:
            for output in 0..<scoreCount {
                scores[output] = Float(PortableMath.logistic(sums[output]))
            }
        case .exponential:
            // A score that overflows stays a number that JSON has.
            for output in 0..<scoreCount {
                let value = Float(PortableMath.exp(sums[output]))
                scores[output] = min(value, Float.greatestFiniteMagnitude)
            }
        case .softmax:
            var greatest = sums[0]
            for output in 1..<scoreCount { greatest = max(greatest, sums[output]) }
            var total = 0.0
            for output in 0..<scoreCount {
                sums[output] = PortableMath.exp(sums[output] - greatest)
                total += sums[output]
            }
            for output in 0..<scoreCount { scores[output] = Float(sums[output] / total) }
        }
    }
}
