/// How an ensemble reads rows in which NaN is not all that stands for a missing value.
struct RowReading: Sendable {
    private let featureCount: Int
    /// Per feature whether zero counts as missing; empty if it never does.
    private let zeroIsMissing: [Bool]

    init(_ ensemble: TreeEnsemble) {
        featureCount = ensemble.featureCount
        zeroIsMissing = ensemble.zeroIsMissing.contains(true) ? ensemble.zeroIsMissing : []
    }

    /// Calls `body` with the rows, or where they say it otherwise with a copy in which NaN alone
    /// stands for a missing value.
    @inline(__always)
    func withRows(
        _ rows: UnsafePointer<Float>, count: Int, _ body: (UnsafePointer<Float>) -> Void
    ) {
        if zeroIsMissing.isEmpty { body(rows) } else { withCopy(of: rows, count: count, body) }
    }

    private func withCopy(
        of rows: UnsafePointer<Float>, count: Int, _ body: (UnsafePointer<Float>) -> Void
    ) {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: count * featureCount) { copy in
            guard let copy = copy.baseAddress else { return }
            for row in 0..<count {
                for feature in 0..<featureCount {
                    let place = row * featureCount + feature
                    let isMissing =
                        zeroIsMissing[feature] && abs(rows[place]) <= TreeEnsemble.zeroMax
                    (copy + place).initialize(to: isMissing ? .nan : rows[place])
                }
            }
            body(copy)
        }
    }
}
