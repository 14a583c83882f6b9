/// Measures how fast a predictor answers rows that come in batches of several sizes.
///
/// Rows are shuffled and differ from call to call, so that neither caches nor the branch predictor
/// know the next one.
package struct PredictionBench: Sendable {
    /// Rows of a call.
    package var batches: [Int]
    /// Threads that share a call's rows.
    package var threads: [Int]
    /// How long each pair of the two is measured.
    package var secondsPerCell: Double

    /// What was measured for one batch size and number of threads.
    package struct Figure: Encodable, Sendable {
        package let batch: Int
        package let threads: Int
        /// The median over `rounds`.
        package let rowsPerSecond: Double
        package let rounds: Int
        /// Only for calls of one row, one by one, a look at the clock included.
        package let latency: Latency?

        private enum CodingKeys: String, CodingKey {
            case batch, threads, rounds, latency
            case rowsPerSecond = "rows_per_second"
        }
    }

    /// Times of single calls in microseconds.
    package struct Latency: Encodable, Sendable {
        package let calls: Int
        package let min: Double
        package let median: Double
        package let p99: Double
    }

    /// Features of a call's rows, or their scores, at most: 512 MiB.
    package static let valueCountMax = 1 << 27

    private static let roundCountMin = 5
    private static let seed: UInt64 = 20_260_101

    /// Batches and thread counts are at least 1.
    package init(batches: [Int], threads: [Int], secondsPerCell: Double = 0.5) {
        precondition((batches + threads).allSatisfy { $0 >= 1 }, "at least one row and thread")
        (self.batches, self.threads, self.secondsPerCell) = (batches, threads, secondsPerCell)
    }

    /// Measures every batch size with every number of threads; a single row takes one thread
    /// whatever their number, and is measured once.
    ///
    /// Throws if there is no row, if rows have another width than the model, or if a batch has more
    /// than `valueCountMax` values.
    package func run(
        _ predictor: Predictor, rows: FeatureMatrix
    ) throws(DatasetError) -> [Figure] {
        guard rows.rowCount > 0, rows.featureCount == predictor.featureCount else {
            throw .shape(
                "rows to predict: \(rows.rowCount) of \(rows.featureCount) features; the model has "
                    + "\(predictor.featureCount)")
        }
        let (most, width) = (batches.max() ?? 1, max(rows.featureCount, predictor.outputCount))
        guard most <= Self.valueCountMax / width else {
            throw .shape(
                "a batch of \(most) rows of \(rows.featureCount) features and "
                    + "\(predictor.outputCount) scores has more than \(Self.valueCountMax) values; "
                    + "take at most \(Self.valueCountMax / width) rows")
        }
        let pool = Self.shuffled(rows, atLeast: batches.max() ?? 1)
        var figures: [Figure] = []
        for batch in batches {
            for count in batch == 1 ? [1] : threads {
                figures.append(figure(predictor, pool, batch: batch, threads: count))
            }
        }
        return figures
    }

    /// The rows in a random order, again and again until there are enough.
    private static func shuffled(_ rows: FeatureMatrix, atLeast count: Int) -> [Float] {
        let width = rows.featureCount
        let order = Chance(seed: seed).permutation(rows.rowCount)
        var values: [Float] = []
        values.reserveCapacity(max(count, rows.rowCount) * width)
        repeat {
            for row in order { values += rows.values[row * width..<(row + 1) * width] }
        } while values.count < count * width
        return values
    }

    private func figure(
        _ predictor: Predictor, _ pool: [Float], batch: Int, threads: Int
    ) -> Figure {
        let (width, clock) = (predictor.featureCount, ContinuousClock())
        let batchCount = max(1, pool.count / max(1, width) / batch)
        var scores = [Float](repeating: 0, count: batch * predictor.outputCount)
        var speeds: [Double] = []
        var latencies: [Double] = []
        pool.withUnsafeBufferPointer { pool in
            scores.withUnsafeMutableBufferPointer { scores in
                func call(_ number: Int) {
                    let start = number % batchCount * batch * width
                    predictor.predict(
                        rows: UnsafeBufferPointer(rebasing: pool[start..<start + batch * width]),
                        into: scores, threads: threads)
                }
                call(0)  // Brings the model into the caches.
                let once = clock.measure { call(1) } / .seconds(1)
                let seconds = secondsPerCell / Double(Self.roundCountMin)
                let callCount = max(1, Int(min(seconds / max(once, 1e-8), 1e8)))
                let end = clock.now + .seconds(secondsPerCell)
                var number = 2
                repeat {
                    let time = clock.measure {
                        for _ in 0..<callCount {
                            call(number)
                            number += 1
                        }
                    }
                    speeds.append(Double(batch * callCount) / (time / .seconds(1)))
                } while clock.now < end || speeds.count < Self.roundCountMin
                guard batch == 1 else { return }
                latencies.reserveCapacity(min(callCount * Self.roundCountMin, 1_000_000))
                for _ in 0..<latencies.capacity {
                    latencies.append(clock.measure { call(number) } / .microseconds(1))
                    number += 1
                }
            }
        }
        speeds.sort()
        return Figure(
            batch: batch, threads: threads, rowsPerSecond: speeds[speeds.count / 2],
            rounds: speeds.count, latency: Latency(latencies))
    }
}

extension PredictionBench.Latency {
    /// Nil without calls.
    fileprivate init?(_ times: [Double]) {
        let times = times.sorted()
        guard let least = times.first else { return nil }
        calls = times.count
        min = least
        median = times[times.count / 2]
        p99 = times[times.count * 99 / 100]
    }
}
