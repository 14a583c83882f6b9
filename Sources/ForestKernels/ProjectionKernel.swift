/// The loops of oblique trees: projections of a node's rows, and their bins.
///
/// Elementwise, in one written order and without fused operations: every processor gets the same
/// bits.
package enum ProjectionKernel {
    /// Copies `featureCount` features of some rows from row-major values, feature k of the list to
    /// `block + k * stride`.
    ///
    /// Sixteen features at a time, as many as a cache line of a row may hold.
    @inline(never)
    package static func gather(
        _ values: UnsafePointer<Float>, width: Int, rows: UnsafePointer<UInt32>, count: Int,
        features: UnsafePointer<Int32>, featureCount: Int,
        into block: UnsafeMutablePointer<Float>, stride: Int
    ) {
        var first = 0
        while first < featureCount {
            let end = first + 16 < featureCount ? first + 16 : featureCount
            for index in 0..<count {
                let row = values + Int(rows[index]) &* width
                for slot in first..<end {
                    block[slot &* stride &+ index] = row[Int(features[slot])]
                }
            }
            first = end
        }
    }

    /// The least float32 that is not below Σ Double(weight) × Double(value), summed in the terms'
    /// order: it compares with any float32 as the sum itself does.
    ///
    /// Term t's values start at `block + slots[t] * stride`; `sums` is room for `count` Doubles.
    @inline(never)
    package static func project(
        _ block: UnsafePointer<Float>, stride: Int, slots: UnsafePointer<Int32>,
        weights: UnsafePointer<Float>, termCount: Int, count: Int,
        sums: UnsafeMutablePointer<Double>, into projected: UnsafeMutablePointer<Float>
    ) {
        let first = block + Int(slots[0]) &* stride
        let firstWeight = Double(weights[0])
        var least = 1
        if termCount == 1 {
            for row in 0..<count { sums[row] = firstWeight * Double(first[row]) }
        } else {
            let second = block + Int(slots[1]) &* stride
            let secondWeight = Double(weights[1])
            for row in 0..<count {
                sums[row] = firstWeight * Double(first[row]) + secondWeight * Double(second[row])
            }
            least = 2
        }
        for term in least..<(termCount > least ? termCount : least) {
            let values = block + Int(slots[term]) &* stride
            let weight = Double(weights[term])
            for row in 0..<count { sums[row] += weight * Double(values[row]) }
        }
        for row in 0..<count {
            let near = Float(sums[row])
            let bits = near.bitPattern
            // One up: away from zero for positive floats, towards it for negative ones.
            let next = bits >> 31 == 0 ? bits &+ 1 : bits &- 1
            projected[row] = Float(bitPattern: Double(near) < sums[row] ? next : bits)
        }
    }

    /// The least and the greatest value; −0 is less than 0.
    @inline(never)
    package static func range(
        _ values: UnsafePointer<Float>, count: Int
    ) -> (least: Float, greatest: Float) {
        var (low, high) = (Int32.max, Int32.min)
        for row in 0..<count {
            let key = sortable(Int32(bitPattern: values[row].bitPattern))
            low = key < low ? key : low
            high = key > high ? key : high
        }
        return (
            Float(bitPattern: UInt32(bitPattern: sortable(low))),
            Float(bitPattern: UInt32(bitPattern: sortable(high)))
        )
    }

    /// A float's bits as an integer of the same order, and back: compilers make vectors of the
    /// least of integers, not of floats.
    @inline(__always)
    private static func sortable(_ bits: Int32) -> Int32 { bits ^ (bits >> 31 & Int32.max) }

    /// Bins of equal width: first + (value − least) × scale, rounded, within 0...last. A greater
    /// value's bin is never lower.
    @inline(never)
    package static func bin(
        _ values: UnsafePointer<Float>, count: Int, least: Float, scale: Float, first: Float,
        last: Float, into bins: UnsafeMutablePointer<UInt8>
    ) {
        for row in 0..<count {
            let place = first + (values[row] - least) * scale
            let low: Float = place > 0 ? place : 0
            let bin: Float = low < last ? low : last
            // Added to so small a float, this leaves the nearest integer in the low bits.
            bins[row] = UInt8(truncatingIfNeeded: (bin + 0x1p23).bitPattern)
        }
    }
}
