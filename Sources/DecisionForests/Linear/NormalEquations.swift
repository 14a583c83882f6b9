/// The equations XᵀWX β = XᵀWy of weighted least squares, summed block by block.
struct NormalEquations: Sendable {
    let design: LinearDesign
    /// What each column is multiplied by.
    let scales: [Double]
    let target: [Double]
    let kernels: LinearKernels
    let blas: BLAS
    let threads: Int

    /// The design's columns, a column of ones and the target: one Gram matrix holds all products.
    private var width: Int { design.width + 2 }

    /// Coefficients and intercept, or nil if columns depend on each other.
    func solve(alpha: Double) -> [Double]? {
        let gram = gram()
        let size = design.width + 1
        var matrix = [Double](repeating: 0, count: size * size)
        for column in 0..<size {
            for row in column..<size { matrix[column * size + row] = gram[column * width + row] }
        }
        for (index, column) in design.columns.enumerated() {
            // The penalty holds for coefficients in the columns' own units.
            matrix[index * size + index] +=
                column.deviation == 0 ? 1 : alpha * scales[index] * scales[index]
        }
        let right = (0..<size).map { gram[$0 * width + size] }
        return Cholesky.solve(matrix, right)
    }

    /// The products of all columns with each other, those with row ≥ column.
    private func gram() -> [Double] {
        // As many parts as 256 MiB hold, so that any threads add the same ones.
        let partCount = max(1, min(design.chunkCount, (1 << 25) / (width * width)))
        let parts = Parallel.map(partCount, threads: threads) { part, _ in
            let first = part * design.chunkCount / partCount
            let last = (part + 1) * design.chunkCount / partCount
            return sum(chunks: first..<last)
        }
        var gram = parts[0]
        for part in parts.dropFirst() {
            for index in gram.indices { gram[index] += part[index] }
        }
        return gram
    }

    private func sum(chunks: Range<Int>) -> [Double] {
        let rows = LinearDesign.blockRowCount
        let matrix = DoubleBuffer(count: width * rows)
        let roots = DoubleBuffer(count: rows)
        let (ones, answers) = (
            matrix.start + design.width * rows, matrix.start + (design.width + 1) * rows
        )
        var gram = [Double](repeating: 0, count: width * width)
        gram.withUnsafeMutableBufferPointer { gram in
            guard let gram = gram.baseAddress else { return }
            for chunk in chunks {
                for block in design.blocks(ofChunk: chunk) {
                    let range = design.rows(ofBlock: block)
                    design.fill(block, scales: scales, kernels: kernels, into: matrix.start)
                    for (index, row) in range.enumerated() {
                        ones[index] = 1
                        answers[index] = target[row]
                        // Rows times the root of their weight: plain products are weighted sums.
                        roots.start[index] = design.weights[row].squareRoot()
                    }
                    if design.isWeighted {
                        for column in 0..<width {
                            kernels.multiply(
                                matrix.start + column * rows, range.count, roots.start)
                        }
                    }
                    blas.addGram(
                        .init(
                            start: matrix.start, rows: range.count, columns: width, stride: rows),
                        to: .init(start: gram, rows: width, columns: width, stride: width))
                }
            }
        }
        return gram
    }
}
