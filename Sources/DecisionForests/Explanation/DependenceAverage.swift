/// Partial dependence by asking: the answers to all rows, with each point of the grid in turn in
/// the features' place. Rows are summed in order, so that threads change no bit.
struct DependenceAverage {
    private let predictor: Predictor
    private let features: [Int]
    private let rows: FeatureMatrix
    private let keepsCurves: Bool

    /// Rows that are answered together.
    private static let blockRowCount = 4_096

    /// Throws for no rows.
    init(
        _ ensemble: TreeEnsemble, features: [Int], rows: FeatureMatrix,
        scale: PartialDependence.Scale, keepsCurves: Bool
    ) throws(ExplanationError) {
        guard rows.rowCount > 0 else { throw .rows("there are none to average over") }
        do throws(EnsembleError) {
            predictor = try Predictor(scale == .raw ? ensemble.raw : ensemble)
        } catch {
            throw .damaged(error)
        }
        self.features = features
        self.rows = rows
        self.keepsCurves = keepsCurves
    }

    func dependence(
        on grids: [[Float]], threads: Int
    ) throws(ExplanationError) -> PartialDependence {
        let (outputs, pointCount) = (predictor.outputCount, grids.reduce(1) { $0 * $1.count })
        let curveCount = keepsCurves ? rows.rowCount : 0
        guard curveCount <= TreeExplainer.valueCountMax / (pointCount * outputs) else {
            throw .rows("\(curveCount) curves of \(pointCount) points are too many to keep")
        }
        var curves = [Float](repeating: 0, count: curveCount * outputs * pointCount)
        let sums = curves.withUnsafeMutableBufferPointer { curves in
            // Each point writes to places of its own.
            nonisolated(unsafe) let curves = curves
            return Parallel.map(pointCount, threads: max(1, threads)) { point, _ in
                Result { () throws(DatasetError) in
                    try answers(at: PartialDependence.values(point, of: grids)) {
                        row, output, score in
                        guard curveCount > 0 else { return }
                        curves[(row * outputs + output) * pointCount + point] = score
                    }
                }
            }
        }
        var averages = [Double](repeating: 0, count: pointCount * outputs)
        for (point, sums) in sums.enumerated() {
            do throws(DatasetError) {
                for (output, sum) in try sums.get().enumerated() {
                    averages[output * pointCount + point] = sum / Double(rows.rowCount)
                }
            } catch {
                throw .rows(error.description)
            }
        }
        return PartialDependence(
            features: features, grids: grids, outputCount: outputs, averages: averages,
            curves: curves)
    }

    /// The sums of the answers to all rows with these values, which `take` sees one by one.
    private func answers(
        at values: [Float], take: (_ row: Int, _ output: Int, _ score: Float) -> Void
    ) throws(DatasetError) -> [Double] {
        let (width, outputs) = (rows.featureCount, predictor.outputCount)
        var sums = [Double](repeating: 0, count: outputs)
        for start in stride(from: 0, to: rows.rowCount, by: Self.blockRowCount) {
            let count = min(Self.blockRowCount, rows.rowCount - start)
            var block = Array(rows.values[start * width..<(start + count) * width])
            for row in 0..<count {
                for (feature, value) in zip(features, values) {
                    block[row * width + feature] = value
                }
            }
            let scores = try predictor.predict(
                FeatureMatrix(values: block, featureCount: width))
            for row in 0..<count {
                for output in 0..<outputs {
                    let score = scores[row * outputs + output]
                    sums[output] += Double(score)
                    take(start + row, output, score)
                }
            }
        }
        return sums
    }
}

extension TreeEnsemble {
    /// The same ensemble without its transform.
    package var raw: TreeEnsemble {
        TreeEnsemble(
            featureCount: featureCount, outputCount: outputCount, leafWidth: leafWidth,
            trees: trees, aggregation: aggregation, baseScores: baseScores, transform: .identity,
            linear: linear, imputations: imputations, zeroIsMissing: zeroIsMissing,
            unknownCategory: unknownCategory)
    }
}
