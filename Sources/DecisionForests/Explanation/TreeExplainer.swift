internal import ForestKernels

/// A model arranged for explanation: what each feature adds to a row's raw scores, exactly.
///
/// The contributions are the Shapley values (Lundberg et al., "From local explanations to global
/// understanding with explainable AI for trees", Nature Machine Intelligence 2, 2020) of the game
/// in which a feature that is left out sends the row down both sides of its nodes, in proportion to
/// the training weight that went there (path-dependent TreeSHAP). A linear part's are the features'
/// distances from their means times their coefficients.
///
/// Each row's contributions are a function of that row: alone, in any batch, on any threads and
/// with any build of the hot loop they have the same bytes.
public struct TreeExplainer: Sendable {
    /// Values per row.
    public let featureCount: Int
    /// Raw scores per row: the number of classes, or 1 for a number and for two classes of one
    /// score.
    public let outputCount: Int
    /// Per output, the raw score of a row of which nothing is known.
    public let expectedValues: [Double]

    private let forest: ShapForest
    private let kernels: ShapKernels
    private let divisor: Double
    private let linear: [Double]?
    private let imputations: [Float]

    /// Tests that a path from a root may have: a thread's room for so many is 10 MiB.
    static let pathMax = 2_048
    /// Contributions that one answer may hold: 2 GiB of them.
    public static let valueCountMax = 1 << 28
    /// Rows that a thread takes at once.
    private static let shareRowCount = 64

    /// An explainer of an ensemble that may come from anywhere: it is validated first.
    ///
    /// - Throws: for a tree without covers, with weighted sums, or with paths of too many tests.
    public init(_ ensemble: TreeEnsemble) throws(ExplanationError) {
        try self.init(ensemble, kernels: .current)
    }

    /// An explainer that runs one build of the hot loop, which this machine must have.
    package init(
        _ ensemble: TreeEnsemble, kernels choice: KernelChoice
    ) throws(ExplanationError) {
        do throws(EnsembleError) {
            try ensemble.validate()
        } catch {
            throw .damaged(error)
        }
        kernels = .of(choice)
        let forest = try ShapForest(ensemble)
        self.forest = forest
        let (features, linear) = (ensemble.featureCount, ensemble.linear?.coefficients)
        featureCount = features
        outputCount = ensemble.outputCount
        self.linear = linear
        imputations = ensemble.imputations
        let treesPerOutput = ensemble.trees.count * ensemble.leafWidth / ensemble.outputCount
        let divisor = ensemble.aggregation == .average ? Double(max(1, treesPerOutput)) : 1
        self.divisor = divisor
        expectedValues = ensemble.baseScores.enumerated().map { output, score in
            var sum = Double(score)
            if let linear {
                for feature in 0..<features {
                    sum +=
                        linear[output * features + feature] * Double(ensemble.imputations[feature])
                }
            }
            return (sum + forest.means[output]) / divisor
        }
    }

    /// What each feature adds to the raw scores of these rows.
    ///
    /// `threads` (at least 1) share the rows; the contributions do not depend on their number.
    ///
    /// - Throws: for rows of another width, and for more than `valueCountMax` contributions.
    public func contributions(
        of rows: FeatureMatrix, threads: Int = 1
    ) throws(ExplanationError) -> ShapValues {
        guard rows.featureCount == featureCount else {
            throw .rows("they have \(rows.featureCount) features, the model has \(featureCount)")
        }
        let width = outputCount * featureCount
        guard rows.rowCount <= Self.valueCountMax / width else {
            throw .rows(
                "\(rows.rowCount) rows have more than \(Self.valueCountMax) contributions; "
                    + "explain at most \(Self.valueCountMax / width) at a time")
        }
        let values = [Double](unsafeUninitializedCapacity: rows.rowCount * width) { buffer, count in
            rows.values.withUnsafeBufferPointer { values in
                if let rowValues = values.baseAddress, let sums = buffer.baseAddress {
                    fill(sums, rows: rowValues, count: rows.rowCount, threads: max(1, threads))
                }
            }
            count = rows.rowCount * width
        }
        return ShapValues(
            rowCount: rows.rowCount, outputCount: outputCount, featureCount: featureCount,
            expectedValues: expectedValues, values: values)
    }

    private func fill(
        _ contributions: UnsafeMutablePointer<Double>, rows: UnsafePointer<Float>, count: Int,
        threads: Int
    ) {
        let width = outputCount * featureCount
        let shareCount = (count + Self.shareRowCount - 1) / Self.shareRowCount
        let rooms = (0..<min(threads, shareCount)).map { _ in ShapRoom(for: forest) }
        // Each share writes to contributions of its own rows; each worker has a room of its own.
        nonisolated(unsafe) let (rows, all, workerRooms) = (rows, contributions, rooms)
        Parallel.forEach(shareCount, threads: rooms.count) { share, worker in
            let start = share * Self.shareRowCount
            let end = min(count, start + Self.shareRowCount)
            for first in stride(from: start, to: end, by: forest.rowsPerWalk) {
                let rowCount = min(forest.rowsPerWalk, end - first)
                let own = rows + first * featureCount
                forest.explain(
                    own, rowCount: rowCount, into: all + first * width, kernels: kernels,
                    room: workerRooms[worker])
                for row in 0..<rowCount {
                    finish(all + (first + row) * width, of: own + row * featureCount)
                }
            }
        }
    }

    /// From a row's sums over the trees to its contributions.
    private func finish(_ sums: UnsafeMutablePointer<Double>, of row: UnsafePointer<Float>) {
        for place in 0..<outputCount * featureCount {
            sums[place] /= divisor
            guard let linear else { continue }
            let feature = place % featureCount
            let mean = imputations[feature]
            if !row[feature].isNaN {
                sums[place] += linear[place] * (Double(row[feature]) - Double(mean))
            }
        }
    }
}
