/// Cholesky's decomposition of symmetric positive definite matrices.
enum Cholesky {
    /// Solves matrix · x = right from the matrix's elements with row ≥ column, the one of row r and
    /// column c at `c * size + r`; nil unless the matrix is positive definite to working precision.
    ///
    /// The matrix is used up.
    static func solve(_ matrix: consuming [Double], _ right: [Double]) -> [Double]? {
        let size = right.count
        var factor = matrix
        let isPositive = factor.withUnsafeMutableBufferPointer { factor in
            decompose(factor, size: size)
        }
        guard isPositive else { return nil }
        var solution = right
        for column in 0..<size {
            solution[column] /= factor[column * size + column]
            for row in (column + 1)..<max(column + 1, size) {
                solution[row] -= factor[column * size + row] * solution[column]
            }
        }
        for column in (0..<size).reversed() {
            for row in (column + 1)..<max(column + 1, size) {
                solution[column] -= factor[column * size + row] * solution[row]
            }
            solution[column] /= factor[column * size + column]
        }
        return solution
    }

    /// Column by column, each taken off those that follow it.
    private static func decompose(
        _ factor: UnsafeMutableBufferPointer<Double>, size: Int
    ) -> Bool {
        let diagonal = (0..<size).map { factor[$0 * size + $0] }
        for column in 0..<size {
            let pivot = factor[column * size + column]
            guard pivot > diagonal[column] * 1e-13 else { return false }
            let root = pivot.squareRoot()
            factor[column * size + column] = root
            for row in (column + 1)..<max(column + 1, size) { factor[column * size + row] /= root }
            for later in (column + 1)..<max(column + 1, size) {
                let share = factor[column * size + later]
                guard share != 0 else { continue }
                for row in later..<size {
                    factor[later * size + row] -= share * factor[column * size + row]
                }
            }
        }
        return true
    }
}
