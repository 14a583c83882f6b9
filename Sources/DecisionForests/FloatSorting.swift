/// Sorting of finite floats by radix: three passes over 11 bits, several times faster than
/// comparing on the columns of a large data set.
enum FloatSorting {
    /// Sorts in place; −0 becomes +0. No element may be NaN.
    static func sort(_ values: inout [Float]) {
        var keys = values.map { key(of: $0 + 0) }
        var scratch = [UInt32](repeating: 0, count: keys.count)
        for shift in [UInt32(0), 11, 22] {
            pass(from: keys, to: &scratch, shift: shift)
            swap(&keys, &scratch)
        }
        for index in keys.indices { values[index] = value(of: keys[index]) }
    }

    /// Unsigned integers in the order of the floats: negatives inverted, positives above them.
    static func key(of value: Float) -> UInt32 {
        let bits = value.bitPattern
        // All ones for a negative number, so that no jump depends on the sign.
        let sign = UInt32(bitPattern: Int32(bitPattern: bits) >> 31)
        return bits ^ (sign | 0x8000_0000)
    }

    /// The float of a key.
    static func value(of key: UInt32) -> Float {
        // All ones for what was not negative, so that no jump depends on the sign.
        let sign = UInt32(bitPattern: Int32(bitPattern: key) >> 31)
        return Float(bitPattern: key ^ (~sign | 0x8000_0000))
    }

    private static func pass(from source: [UInt32], to target: inout [UInt32], shift: UInt32) {
        var starts = [Int](repeating: 0, count: 2048)
        source.withUnsafeBufferPointer { source in
            starts.withUnsafeMutableBufferPointer { starts in
                for key in source { starts[Int((key >> shift) & 2047)] += 1 }
                var sum = 0
                for digit in 0..<2048 {
                    (starts[digit], sum) = (sum, sum + starts[digit])
                }
                target.withUnsafeMutableBufferPointer { target in
                    for key in source {
                        let digit = Int((key >> shift) & 2047)
                        target[starts[digit]] = key
                        starts[digit] += 1
                    }
                }
            }
        }
    }
}
