/// Least squares with a penalty on the squares of the coefficients (Hoerl and Kennard 1970).
///
/// Minimises Σ w (y − Xβ − b)² + alpha ‖β‖² as scikit-learn's `Ridge` does. Bit-identical only on
/// one kind of CPU: OpenBLAS chooses its kernels by it.
public struct RidgeRegression: Sendable, Hashable {
    /// The penalty's weight.
    public let alpha: Double

    /// A ridge regression; `alpha` is in 0...1e12.
    public init(alpha: Double = 1) throws(ParameterError) {
        try ParameterError.check("alpha", alpha, isIn: 0...1e12)
        self.alpha = alpha
    }

    /// The model of this data. Throws if OpenBLAS is missing, and if `alpha` is 0 and columns
    /// depend on each other.
    public func fit(_ dataset: Dataset) throws -> LinearModel {
        guard case .values(let target) = dataset.target else {
            throw TrainingError.targetHoldsClasses(target: dataset.targetName)
        }
        let weights = try dataset.linearWeights()
        let columns = StandardColumns(dataset, weights: weights)
        let total = weights.reduce(0, +)
        let mean = zip(weights, target).reduce(0) { $0 + $1.0 * Double($1.1) } / total
        let blas = try BLAS.open()
        let (rows, width) = (columns.rowCount, columns.width)
        // Rows times the root of their weight, so that plain products are weighted sums.
        let roots = weights.map { $0.squareRoot() }
        var weighted = columns.values
        for row in 0..<rows {
            for feature in 0..<width { weighted[row * width + feature] *= roots[row] }
        }
        let right = zip(roots, target).map { $0 * (Double($1) - mean) }
        var gram = blas.gram(weighted, rows: rows, width: width)
        for feature in 0..<width {
            let deviation = columns.deviations[feature]
            gram[feature * width + feature] +=
                columns.isConstant[feature] ? 1 : alpha / (deviation * deviation)
        }
        let moments = blas.transposedProduct(
            weighted, right, rows: rows, width: width, columns: 1)
        guard let solution = Cholesky.solve(gram, moments) else { throw TrainingError.singular }
        let own = columns.inOwnUnits(solution, intercept: mean)
        return LinearModel(
            featureNames: dataset.featureNames, task: .regression,
            coefficients: [own.coefficients], intercepts: [own.intercept], means: columns.means)
    }
}

extension Dataset {
    /// Each row's weight; throws where there is nothing to learn from.
    func linearWeights() throws(TrainingError) -> [Double] {
        guard rowCount > 0 else { throw .noRows }
        let weights = self.weights?.map { Double($0) } ?? Array(repeating: 1, count: rowCount)
        guard weights.contains(where: { $0 > 0 }) else { throw .noWeight }
        return weights
    }
}

/// Cholesky's decomposition of symmetric positive definite matrices.
enum Cholesky {
    /// Solves matrix · x = right from the matrix's lower triangle, row after row; nil unless the
    /// matrix is positive definite to working precision.
    static func solve(_ matrix: [Double], _ right: [Double]) -> [Double]? {
        let size = right.count
        var factor = matrix
        for column in 0..<size {
            for row in column..<size {
                var sum = factor[row * size + column]
                for inner in 0..<column {
                    sum -= factor[row * size + inner] * factor[column * size + inner]
                }
                if row == column {
                    guard sum > matrix[row * size + row] * 1e-13 else { return nil }
                    factor[row * size + row] = sum.squareRoot()
                } else {
                    factor[row * size + column] = sum / factor[column * size + column]
                }
            }
        }
        var solution = right
        for row in 0..<size {
            for inner in 0..<row { solution[row] -= factor[row * size + inner] * solution[inner] }
            solution[row] /= factor[row * size + row]
        }
        for row in stride(from: size - 1, through: 0, by: -1) {
            for inner in (row + 1)..<size {
                solution[row] -= factor[inner * size + row] * solution[inner]
            }
            solution[row] /= factor[row * size + row]
        }
        return solution
    }
}
