/// Rows in the order of a score, for the figures that depend on order alone.
///
/// Sorting is by radix, so a million rows cost some tens of milliseconds.
struct RankedScores {
    /// The areas under two curves; nil where the data does not define them.
    struct Areas {
        /// The share of pairs of a positive and a negative row whose scores are in the right order,
        /// equal scores counting half.
        var roc: Double?
        /// Average precision: the precision at each score, weighted with the recall gained there.
        var precisionRecall: Double?

        static let undefined = Areas(roc: nil, precisionRecall: nil)

        /// The plain mean of each area; undefined where one of them is.
        static func mean(of areas: [Areas]) -> Areas {
            func mean(_ values: [Double?]) -> Double? {
                let known = values.compactMap { $0 }
                guard known.count == values.count, !known.isEmpty else { return nil }
                return known.reduce(0, +) / Double(known.count)
            }
            return Areas(
                roc: mean(areas.map(\.roc)), precisionRecall: mean(areas.map(\.precisionRecall)))
        }
    }

    /// A score's key above its row, ascending.
    private let ranked: [UInt64]

    /// Sorts the rows by `score`; −0 equals +0.
    init(rowCount: Int, score: (Int) -> Float) {
        var keys = [UInt64](unsafeUninitializedCapacity: rowCount) { buffer, count in
            for row in 0..<rowCount {
                let key = UInt64(FloatSorting.key(of: score(row) + 0)) << 32 | UInt64(row)
                buffer.initializeElement(at: row, to: key)
            }
            count = rowCount
        }
        FloatSorting.sortUpperHalves(&keys)
        ranked = keys
    }

    /// Both areas for the rows that are positive against the others.
    ///
    /// The ROC curve is undefined without rows of both kinds that count, the other without a
    /// positive one.
    func areas(isPositive: (Int) -> Bool, weights: RowWeights) -> Areas {
        var (positives, negatives) = (0.0, 0.0)
        var (doubledPairs, precisions) = (0.0, 0.0)
        var place = ranked.count - 1
        while place >= 0 {
            let score = ranked[place] >> 32
            var (positive, negative) = (0.0, 0.0)
            while place >= 0, ranked[place] >> 32 == score {
                let row = Int(truncatingIfNeeded: ranked[place] & 0xFFFF_FFFF)
                if isPositive(row) {
                    positive += weights[row]
                } else {
                    negative += weights[row]
                }
                place -= 1
            }
            doubledPairs += negative * (2 * positives + positive)
            positives += positive
            negatives += negative
            if positive > 0 { precisions += positive * (positives / (positives + negatives)) }
        }
        return Areas(
            roc: positives > 0 && negatives > 0 ? doubledPairs / (2 * positives * negatives) : nil,
            precisionRecall: positives > 0 ? precisions / positives : nil)
    }
}

extension FloatSorting {
    /// Sorts by the upper 32 bits of each element; equal ones keep their order.
    static func sortUpperHalves(_ keys: inout [UInt64]) {
        var scratch = [UInt64](repeating: 0, count: keys.count)
        for shift in [UInt64(32), 43, 54] {
            keys.withUnsafeBufferPointer { source in
                scratch.withUnsafeMutableBufferPointer { target in
                    pass(from: source, to: target, shift: shift)
                }
            }
            swap(&keys, &scratch)
        }
    }

    private static func pass(
        from source: UnsafeBufferPointer<UInt64>, to target: UnsafeMutableBufferPointer<UInt64>,
        shift: UInt64
    ) {
        withUnsafeTemporaryAllocation(of: Int.self, capacity: 2048) { starts in
            starts.initialize(repeating: 0)
            for key in source { starts[Int((key >> shift) & 2047)] += 1 }
            var sum = 0
            for digit in starts.indices { (starts[digit], sum) = (sum, sum + starts[digit]) }
            for key in source {
                let digit = Int((key >> shift) & 2047)
                target[starts[digit]] = key
                starts[digit] += 1
            }
        }
    }
}
