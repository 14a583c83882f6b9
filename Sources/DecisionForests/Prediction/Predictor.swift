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
    /// Sums per row before the transform: one per class, or one alone.
    package let rawCount: Int

    private let layout: Layout
    /// For rows too few to fill a block; nil where the layout takes them itself.
    private let single: WalkLayout?
    private let linear: [Double]?
    private let imputations: [Float]
    private let reading: RowReading
    private let baseScores: [Double]
    private let divisor: Double
    private let transform: TreeEnsemble.Transform

    /// Rows that are scored together: as many as a block has, or as are worth reading a large tree
    /// for.
    private let blockRowCount: Int
    /// Rows from which a block that is not full beats walks row by row.
    private static let blockRowCountMin = 12
    /// Rows that a thread takes at once, at most: about a millisecond of a usual ensemble.
    private static let shareRowCountMax = 1_024
    /// Rows that are worth a thread of their own.
    private static let shareRowCountMin = 64
    /// Shares for each thread of a small batch, so that a thread that is late costs little.
    private static let sharesPerThread = 4

    /// A predictor for an ensemble that may come from anywhere: it is validated first.
    public init(_ ensemble: TreeEnsemble) throws(EnsembleError) {
        try self.init(ensemble, kernels: .current)
    }

    /// A predictor that runs one build of the hot loops, which this machine must have.
    package init(_ ensemble: TreeEnsemble, kernels choice: KernelChoice) throws(EnsembleError) {
        let trees = try ensemble.validatedColumns()
        if let block = BlockLayout(ensemble, trees, choice: choice) {
            layout = .block(block)
            single = block.takesSingleRows ? nil : WalkLayout(ensemble, trees, choice: choice)
        } else {
            layout =
                WalkLayout(ensemble, trees, choice: choice).map { .walk($0) }
                ?? .general(GeneralLayout(ensemble, trees))
            single = nil
        }
        if case .walk = layout {
            blockRowCount = WalkLayout.rowCountMax
        } else {
            blockRowCount = 64
        }
        linear = ensemble.linear?.coefficients
        imputations = ensemble.imputations
        reading = RowReading(ensemble)
        featureCount = ensemble.featureCount
        rawCount = ensemble.outputCount
        outputCount =
            ensemble.transform == .logistic && ensemble.outputCount == 1 ? 2 : ensemble.outputCount
        baseScores = ensemble.baseScores.map(Double.init)
        let treesPerOutput = ensemble.trees.count * ensemble.leafWidth / ensemble.outputCount
        divisor = ensemble.aggregation == .average ? Double(max(1, treesPerOutput)) : 1
        transform = ensemble.transform
    }

    /// How rows are scored, in the words of `docs/PERFORMANCE.md`: a row alone, and rows enough to
    /// fill a block.
    package var layoutNames: (alone: String, together: String) {
        switch layout {
        case .block(let block) where block.takesSingleRows: ("leaf bits", "blocks")
        case .block: (single == nil ? "blocks" : "walks", "blocks")
        case .walk: ("walks", "walks")
        case .general: ("one walk after the other", "one walk after the other")
        }
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
            rows.values.withUnsafeBufferPointer {
                predict(rows: $0, into: buffer, threads: threads)
            }
            count = rows.rowCount * outputCount
        }
    }

    /// Predicts as many rows as `scores` takes; nothing is allocated with one thread.
    package func predict(
        rows: UnsafeBufferPointer<Float>, into scores: UnsafeMutableBufferPointer<Float>,
        threads: Int = 1
    ) {
        let count = scores.count / outputCount
        precondition(rows.count == count * featureCount, "wrong widths")
        guard let base = rows.baseAddress, let scores = scores.baseAddress else { return }
        // Each share writes to scores of its own rows.
        nonisolated(unsafe) let (values, answers) = (base, scores)
        share(count, threads: threads) { start, count in
            predict(
                rows: values + start * featureCount, count: count,
                into: answers + start * outputCount)
        }
    }

    /// The sums of each row before the transform: `rawCount` numbers, row after row.
    ///
    /// Throws if the rows have another width than the model.
    package func raw(_ rows: FeatureMatrix, threads: Int = 1) throws(DatasetError) -> [Double] {
        guard rows.featureCount == featureCount else {
            throw .shape("rows have \(rows.featureCount) features, the model has \(featureCount)")
        }
        return [Double](unsafeUninitializedCapacity: rows.rowCount * rawCount) { buffer, count in
            nonisolated(unsafe) let answers = buffer.baseAddress
            rows.values.withUnsafeBufferPointer { values in
                nonisolated(unsafe) let values = values.baseAddress
                share(rows.rowCount, threads: threads) { start, count in
                    guard let values, let answers else { return }
                    forEachSum(of: values + start * featureCount, count: count) { row, sums in
                        (answers + (start + row) * rawCount).initialize(
                            from: sums, count: rawCount)
                    }
                }
            }
            count = rows.rowCount * rawCount
        }
    }

    /// Runs `body` for shares of the rows on several threads.
    private func share(
        _ count: Int, threads: Int, _ body: @Sendable (_ start: Int, _ count: Int) -> Void
    ) {
        let threads = max(1, threads)
        let size = Self.shareSize(count, threads: threads, blockRowCount: blockRowCount)
        HelperPool.shared.forEach((count + size - 1) / size, threads: threads) { share, _ in
            body(share * size, min(size, count - share * size))
        }
    }

    /// Rows that a thread takes at once: whole blocks, or where these would be too few for all
    /// threads, two even parts of blocks for each.
    private static func shareSize(_ count: Int, threads: Int, blockRowCount: Int) -> Int {
        let blocks = count / (threads * sharesPerThread * blockRowCount)
        guard blocks == 0, threads > 1 else {
            return min(shareRowCountMax, max(1, blocks) * blockRowCount)
        }
        let parts = (count / (2 * threads) + shareRowCountMin - 1) / shareRowCountMin
        return min(blockRowCount, max(1, parts) * shareRowCountMin)
    }

    private func predict(
        rows: UnsafePointer<Float>, count: Int, into scores: UnsafeMutablePointer<Float>
    ) {
        forEachSum(of: rows, count: count) { row, sums in
            finish(sums, into: scores + row * outputCount)
        }
    }

    /// Scores rows block by block; `body` gets each one's `rawCount` sums.
    @inline(__always)
    private func forEachSum(
        of rows: UnsafePointer<Float>, count: Int,
        _ body: (_ row: Int, _ sums: UnsafeMutablePointer<Double>) -> Void
    ) {
        let room = roomRowCount(count) * rawCount
        withUnsafeTemporaryAllocation(of: Double.self, capacity: room) { sums in
            guard let sums = sums.baseAddress else { return }
            sums.initialize(repeating: 0, count: room)
            for start in stride(from: 0, to: count, by: blockRowCount) {
                let blockCount = min(blockRowCount, count - start)
                reading.withRows(rows + start * featureCount, count: blockCount) { block in
                    for row in 0..<blockCount {
                        begin(sums + row * rawCount, of: block + row * featureCount)
                    }
                    addTrees(of: block, count: blockCount, to: sums)
                }
                for row in 0..<blockCount {
                    let sums = sums + row * rawCount
                    for output in 0..<rawCount {
                        // What a linear part makes of huge values stays a number that JSON has.
                        sums[output] = min(
                            max(sums[output] / divisor, -Self.sumMax), Self.sumMax)
                    }
                    body(start + row, sums)
                }
            }
        }
    }

    /// Rows whose sums need room while so many are scored: a block may write those of rows that
    /// are not there.
    private func roomRowCount(_ count: Int) -> Int {
        guard case .block = layout, count > 1 else { return min(count, blockRowCount) }
        return blockRowCount
    }

    /// What a row's scores are before the first tree.
    private func begin(_ sums: UnsafeMutablePointer<Double>, of row: UnsafePointer<Float>) {
        for output in 0..<rawCount {
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
                block.add(row: rows + row * featureCount, to: sums + row * rawCount)
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
        let room = blockRowCount * rawCount
        withUnsafeTemporaryAllocation(of: Double.self, capacity: room) { all in
            guard let all = all.baseAddress else { return }
            all.initialize(repeating: 0, count: room)
            all.update(from: sums, count: rawCount)
            block.add(rows: row, count: 1, featureCount: featureCount, to: all)
            sums.update(from: all, count: rawCount)
        }
    }

    private static let sumMax = Double(Float.greatestFiniteMagnitude)

    /// From a row's sums to its scores.
    private func finish(
        _ sums: UnsafeMutablePointer<Double>, into scores: UnsafeMutablePointer<Float>
    ) {
        switch transform {
        case .identity:
            for output in 0..<rawCount { scores[output] = Float(sums[output]) }
        case .logistic where rawCount == 1:
            scores[0] = Float(PortableMath.logistic(-sums[0]))
            scores[1] = Float(PortableMath.logistic(sums[0]))
        case .logistic:
            for output in 0..<rawCount {
                scores[output] = Float(PortableMath.logistic(sums[output]))
            }
        case .exponential:
            // A score that overflows stays a number that JSON has.
            for output in 0..<rawCount {
                let value = Float(PortableMath.exp(sums[output]))
                scores[output] = min(value, Float.greatestFiniteMagnitude)
            }
        case .softmax:
            var greatest = sums[0]
            for output in 1..<rawCount { greatest = max(greatest, sums[output]) }
            var total = 0.0
            for output in 0..<rawCount {
                sums[output] = PortableMath.exp(sums[output] - greatest)
                total += sums[output]
            }
            for output in 0..<rawCount { scores[output] = Float(sums[output] / total) }
        }
    }
}
