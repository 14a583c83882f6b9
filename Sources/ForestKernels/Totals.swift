/// Sums that every kernel path must get to the same bit: they are integers.
package enum Totals {
    /// Σ values; the caller sees to it that the sum fits.
    package static func sum(_ values: UnsafePointer<Int32>, count: Int) -> Int64 {
        var total: Int64 = 0
        for index in 0..<count { total &+= Int64(values[index]) }
        return total
    }
}
