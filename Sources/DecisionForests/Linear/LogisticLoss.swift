/// The penalised mean log loss of linear scores, and its gradient: what logistic regression
/// minimises.
///
/// A point holds, output after output, one coefficient per column of the design and then the
/// intercept. Two classes have one output, the second's log-odds. Rows go through in blocks: made
/// from the data, scored, judged and summed while they are in the cache. Two classes need no BLAS
/// and get the same bits on any machine; more classes multiply matrices with OpenBLAS.
struct LogisticLoss: Sendable {
    let design: LinearDesign
    /// What each column is multiplied by.
    let scales: [Double]
    /// What half of each coefficient's square counts.
    let penalties: [Double]
    let outputCount: Int
    /// Each row's class.
    let truth: [Int32]
    /// For two classes: 1 for rows of the second, −1 for others; else empty.
    let signs: [Float]
    let kernels: LinearKernels
    let blas: BLAS?
    let threads: Int

    /// Coefficients of one output, the intercept included.
    var width: Int { design.width + 1 }

    private struct Part: Sendable {
        let loss: Double
        let gradient: [Double]
    }

    /// The loss and its derivatives at a point.
    func value(at point: [Double]) -> (value: Double, gradient: [Double]) {
        let workers = (0..<max(1, min(threads, design.chunkCount))).map { _ in
            LogisticBlocks(self, point: point)
        }
        nonisolated(unsafe) let blocks = workers
        let parts = Parallel.map(design.chunkCount, threads: workers.count) { chunk, worker in
            let loss = blocks[worker].sum(chunk: chunk)
            return Part(loss: loss, gradient: blocks[worker].gradient)
        }
        // In the order of the chunks, whoever summed them.
        var (loss, gradient) = (0.0, [Double](repeating: 0, count: width * outputCount))
        for part in parts {
            loss += part.loss
            for index in gradient.indices { gradient[index] += part.gradient[index] }
        }
        var value = loss / design.totalWeight
        for output in 0..<outputCount {
            for column in 0..<width {
                let index = output * width + column
                gradient[index] /= design.totalWeight
                guard column < design.width else { continue }
                value += 0.5 * penalties[column] * point[index] * point[index]
                gradient[index] += penalties[column] * point[index]
            }
        }
        return (value, gradient)
    }
}

/// One thread's room for going through blocks of rows.
private final class LogisticBlocks {
    private let loss: LogisticLoss
    private let point: [Double]
    /// The design's columns, then a column of ones.
    private let matrix: DoubleBuffer
    private let sums: DoubleBuffer
    private let losses: DoubleBuffer
    private let greatest: DoubleBuffer
    private let totals: DoubleBuffer
    /// Eight sums per column for two classes.
    private let lanes: DoubleBuffer
    private let products: DoubleBuffer

    private static let rows = LinearDesign.blockRowCount

    init(_ loss: LogisticLoss, point: [Double]) {
        self.loss = loss
        self.point = point
        matrix = DoubleBuffer(count: loss.width * Self.rows)
        sums = DoubleBuffer(count: loss.outputCount * Self.rows)
        losses = DoubleBuffer(count: Self.rows)
        greatest = DoubleBuffer(count: Self.rows)
        totals = DoubleBuffer(count: Self.rows)
        lanes = DoubleBuffer(count: (loss.width + 1) * 8)
        products = DoubleBuffer(count: loss.width * loss.outputCount)
        ones.update(repeating: 1, count: Self.rows)
    }

    private var ones: UnsafeMutablePointer<Double> {
        matrix.start + loss.design.width * Self.rows
    }

    /// Σ weight × loss of a chunk's rows; leaves its derivatives in `gradient`.
    func sum(chunk: Int) -> Double {
        lanes.start.update(repeating: 0, count: (loss.width + 1) * 8)
        products.start.update(repeating: 0, count: loss.width * loss.outputCount)
        for block in loss.design.blocks(ofChunk: chunk) {
            loss.design.fill(
                block, scales: loss.scales, kernels: loss.kernels, into: matrix.start)
            score()
            judge(loss.design.rows(ofBlock: block))
            collect()
        }
        return reduced(loss.width)
    }

    /// The derivatives of the chunk that was summed last.
    var gradient: [Double] {
        loss.blas == nil
            ? (0..<loss.width).map(reduced)
            : Array(UnsafeBufferPointer(start: products.start, count: point.count))
    }

    /// Eight lanes as one number, in a fixed order.
    private func reduced(_ column: Int) -> Double {
        var sum = 0.0
        for lane in 0..<8 { sum += lanes.start[column * 8 + lane] }
        return sum
    }

    private func score() {
        point.withUnsafeBufferPointer { point in
            guard let point = point.baseAddress else { return }
            if let blas = loss.blas {
                blas.multiply(
                    matrixView,
                    .init(
                        start: point, rows: loss.width, columns: loss.outputCount,
                        stride: loss.width),
                    into: .init(
                        start: sums.start, rows: Self.rows, columns: loss.outputCount,
                        stride: Self.rows))
                return
            }
            sums.start.update(repeating: point[loss.design.width], count: Self.rows)
            for column in 0..<loss.design.width {
                loss.kernels.addScaled(
                    matrix.start + column * Self.rows, Self.rows, point[column], sums.start)
            }
        }
    }

    private var matrixView: BLAS.Source {
        .init(start: matrix.start, rows: Self.rows, columns: loss.width, stride: Self.rows)
    }

    /// Puts derivatives in the sums' places and losses into `losses`; zeros beyond the last row.
    private func judge(_ rows: Range<Int>) {
        loss.design.weights.withUnsafeBufferPointer { weights in
            loss.truth.withUnsafeBufferPointer { truth in
                loss.signs.withUnsafeBufferPointer { signs in
                    guard let weights = weights.baseAddress.map({ $0 + rows.lowerBound }),
                        let truth = truth.baseAddress.map({ $0 + rows.lowerBound })
                    else { return }
                    if let signs = signs.baseAddress, loss.outputCount == 1 {
                        loss.kernels.judgeLogistic(
                            sums.start, signs + rows.lowerBound, weights, rows.count, losses.start)
                    } else {
                        loss.kernels.judgeSoftmax(
                            sums.start, Self.rows, loss.outputCount, truth, weights, rows.count,
                            losses.start, greatest.start, totals.start)
                    }
                }
            }
        }
        let rest = Self.rows - rows.count
        (losses.start + rows.count).update(repeating: 0, count: rest)
        for output in 0..<loss.outputCount {
            (sums.start + output * Self.rows + rows.count).update(repeating: 0, count: rest)
        }
    }

    private func collect() {
        let groups = Self.rows / 8
        let ones = matrix.lanes(at: loss.design.width * Self.rows)
        loss.kernels.addProducts(
            losses.lanes(at: 0), ones, groups, lanes.lanes(at: loss.width * 8))
        if let blas = loss.blas {
            blas.addTransposedProduct(
                matrixView,
                .init(
                    start: sums.start, rows: Self.rows, columns: loss.outputCount,
                    stride: Self.rows),
                to: .init(
                    start: products.start, rows: loss.width, columns: loss.outputCount,
                    stride: loss.width))
            return
        }
        for column in 0..<loss.width {
            loss.kernels.addProducts(
                matrix.lanes(at: column * Self.rows), sums.lanes(at: 0), groups,
                lanes.lanes(at: column * 8))
        }
    }
}
