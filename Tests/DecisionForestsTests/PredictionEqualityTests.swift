import Testing

@testable import DecisionForests

@Suite("10,000 rows get the same bytes alone, in batches, on threads and in every build")
struct PredictionEqualityTests {
    /// Ten kinds of ensembles: every layout, and what changes the way a row goes through it.
    static let shapes: [RandomEnsemble.Shape] = [
        .init(leaves: 8, trees: 5), .init(leaves: 31, features: 12, trees: 5),
        .init(leaves: 64, trees: 4), .init(leaves: 128, trees: 3, outputs: 3),
        .init(leaves: 129, features: 12, trees: 6), .init(leaves: 700, features: 12, trees: 3),
        .init(leaves: 200, trees: 3, outputs: 2, leafWidth: 2),
        .init(leaves: 150, trees: 3, categories: 9, unknownCategory: .goesRight),
        .init(leaves: 20, trees: 4, cuts: 9, isUnbounded: true, zeroIsMissing: true),
        .init(leaves: 300, trees: 3, cuts: 9, isUnbounded: true, zeroIsMissing: true),
    ]
    private static let rowCount = 10_000
    /// Sizes of batches, taken in turn: around every number at which a layout changes its way.
    private static let batches = [
        1, 2, 5, 6, 7, 11, 12, 15, 16, 17, 63, 64, 65, 255, 256, 257, 511, 512, 513, 1_000,
        2_000,
    ]

    @Test("Rows with missing, infinite and huge values", arguments: shapes)
    func equality(shape: RandomEnsemble.Shape) throws {
        let ensemble = RandomEnsemble.ensemble(shape)
        let rows = RandomEnsemble.rows(Self.rowCount, shape)
        let matrix = try FeatureMatrix(rows: rows)
        let expected = try Predictor(ensemble, kernels: .baseline).predict(matrix)
        // Every 50th row by the definition: what all agree on is also right.
        let width = expected.count / Self.rowCount
        for row in stride(from: 0, to: Self.rowCount, by: 50) {
            let scores = expected[row * width..<(row + 1) * width].map(\.bitPattern)
            #expect(
                scores == RandomEnsemble.reference(rows[row], ensemble).map(\.bitPattern))
        }
        for choice in KernelChoice.available {
            let predictor = try Predictor(ensemble, kernels: choice)
            #expect(Self.differences(try predictor.predict(matrix, threads: 3), expected) == 0)
            #expect(Self.differences(Self.inBatches(predictor, matrix), expected) == 0)
            #expect(Self.differences(Self.oneByOne(predictor, matrix), expected) == 0)
        }
    }

    /// Scores whose bits differ.
    private static func differences(_ left: [Float], _ right: [Float]) -> Int {
        guard left.count == right.count else { return max(left.count, right.count) }
        return left.withUnsafeBufferPointer { left in
            right.withUnsafeBufferPointer { right in
                var count = 0
                for index in 0..<left.count
                where left[index].bitPattern != right[index].bitPattern {
                    count += 1
                }
                return count
            }
        }
    }

    private static func inBatches(_ predictor: Predictor, _ rows: FeatureMatrix) -> [Float] {
        scores(predictor, rows) { number in batches[number % batches.count] }
    }

    private static func oneByOne(_ predictor: Predictor, _ rows: FeatureMatrix) -> [Float] {
        scores(predictor, rows) { _ in 1 }
    }

    /// The scores of all rows, each call taking as many as `size` says of its number.
    private static func scores(
        _ predictor: Predictor, _ rows: FeatureMatrix, size: (_ call: Int) -> Int
    ) -> [Float] {
        let (width, outputs) = (rows.featureCount, predictor.outputCount)
        var scores = [Float](repeating: .nan, count: rows.rowCount * outputs)
        scores.withUnsafeMutableBufferPointer { scores in
            rows.values.withUnsafeBufferPointer { values in
                var (row, call) = (0, 0)
                while row < rows.rowCount {
                    let end = min(row + size(call), rows.rowCount)
                    predictor.predict(
                        rows: UnsafeBufferPointer(rebasing: values[row * width..<end * width]),
                        into: UnsafeMutableBufferPointer(
                            rebasing: scores[row * outputs..<end * outputs]))
                    (row, call) = (end, call + 1)
                }
            }
        }
        return scores
    }
}
