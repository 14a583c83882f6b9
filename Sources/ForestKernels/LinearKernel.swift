/// The loops of linear learners: columns on a common scale, weighted sums, losses.
///
/// All work on blocks of rows, column after column, in Double. Sums run over eight lanes, row i in
/// lane i mod 8, and nothing is fused: every processor gets the same bits.
package enum LinearKernel {
    /// (value − centre) × scale; missing values stand at the centre.
    @inline(never)
    package static func standardise(
        _ column: UnsafePointer<Float>, count: Int, centre: Double, scale: Double,
        into block: UnsafeMutablePointer<Double>
    ) {
        for row in 0..<count {
            let value = (Double(column[row]) - centre) * scale
            block[row] = value == value ? value : 0
        }
    }

    /// The same of a column that is 1 where the value is `code`, else 0.
    @inline(never)
    package static func indicate(
        _ column: UnsafePointer<Float>, count: Int, code: Float, centre: Double, scale: Double,
        into block: UnsafeMutablePointer<Double>
    ) {
        let (inside, outside) = ((1 - centre) * scale, (0 - centre) * scale)
        for row in 0..<count {
            let value = column[row] == code ? inside : outside
            block[row] = column[row] == column[row] ? value : 0
        }
    }

    /// sums += factor × block.
    @inline(never)
    package static func addScaled(
        _ block: UnsafePointer<Double>, count: Int, factor: Double,
        to sums: UnsafeMutablePointer<Double>
    ) {
        for row in 0..<count { sums[row] += factor * block[row] }
    }

    /// block × factors, row by row.
    @inline(never)
    package static func multiply(
        _ block: UnsafeMutablePointer<Double>, count: Int, by factors: UnsafePointer<Double>
    ) {
        for row in 0..<count { block[row] *= factors[row] }
    }

    /// Adds Σ left × right to the lanes; there are `groupCount` groups of eight rows.
    @inline(never)
    package static func addProducts(
        _ left: UnsafePointer<SIMD8<Double>>, _ right: UnsafePointer<SIMD8<Double>>,
        groupCount: Int, to lanes: UnsafeMutablePointer<SIMD8<Double>>
    ) {
        var sum = lanes[0]
        for group in 0..<groupCount { sum += left[group] * right[group] }
        lanes[0] = sum
    }

    /// Log loss of two classes. `signs` is 1 for rows of the second class, −1 for others. Puts
    /// weight × loss into `losses` and its derivative by the sum in the sum's place.
    @inline(never)
    package static func judgeLogistic(
        _ sums: UnsafeMutablePointer<Double>, signs: UnsafePointer<Float>,
        weights: UnsafePointer<Double>, count: Int, losses: UnsafeMutablePointer<Double>
    ) {
        for row in 0..<count {
            let sign = Double(signs[row])
            let margin = sums[row] * sign
            let size = margin < 0 ? -margin : margin
            let small = DoubleMath.exp(-size)
            let denominator = 1 / (1 + small)
            let wrong = (margin < 0 ? 1 : small) * denominator
            // log(1 + e^−m) without overflow or cancellation.
            let loss = (margin < 0 ? size : 0) + DoubleMath.logOfOnePlus(small)
            losses[row] = weights[row] * loss
            sums[row] = -(sign * wrong) * weights[row]
        }
    }

    /// Log loss of many classes, class k's sums at `k * stride`. Puts weight × loss into `losses`
    /// and its derivatives in the sums' places. `greatest` and `totals` are room for `count` each.
    @inline(never)
    package static func judgeSoftmax(
        _ sums: UnsafeMutablePointer<Double>, stride: Int, classCount: Int,
        truth: UnsafePointer<Int32>, weights: UnsafePointer<Double>, count: Int,
        losses: UnsafeMutablePointer<Double>, greatest: UnsafeMutablePointer<Double>,
        totals: UnsafeMutablePointer<Double>
    ) {
        for row in 0..<count {
            greatest[row] = sums[row]
            totals[row] = 0
            losses[row] = 0
        }
        for output in 1..<classCount {
            let plane = sums + output &* stride
            for row in 0..<count {
                greatest[row] = plane[row] > greatest[row] ? plane[row] : greatest[row]
            }
        }
        for output in 0..<classCount {
            let plane = sums + output &* stride
            for row in 0..<count {
                let distance = plane[row] - greatest[row]
                losses[row] -= truth[row] == Int32(truncatingIfNeeded: output) ? distance : 0
                plane[row] = DoubleMath.exp(distance)
                totals[row] += plane[row]
            }
        }
        for row in 0..<count {
            losses[row] = weights[row] * (losses[row] + DoubleMath.log(totals[row]))
            totals[row] = 1 / totals[row]
        }
        for output in 0..<classCount {
            let plane = sums + output &* stride
            for row in 0..<count {
                let isTrue = truth[row] == Int32(truncatingIfNeeded: output)
                let share = plane[row] * totals[row] - (isTrue ? 1 : 0)
                plane[row] = share * weights[row]
            }
        }
    }
}

/// exp and log in Double, in a form that compilers turn into vectors: plain products and sums in
/// one written order.
enum DoubleMath {
    /// e to the power x for x ≤ 0, within 2 ulp; below −708 as at −708.
    @inline(__always)
    static func exp(_ value: Double) -> Double {
        let x: Double = value < -708 ? -708 : value
        // Added to a double below 2⁵¹, this leaves the nearest integer in the low bits.
        let rounder = 0x1.8p52
        let shifted = x * 0x1.71547652b82fep0 + rounder  // 1 / ln 2
        let power = shifted - rounder
        // ln 2 in two parts; the first ends in zeros, so that its product is exact.
        let rest = (x - power * 0x1.62e42fee00000p-1) - power * 0x1.a39ef35793c76p-33
        // Σ rest^k / k!, whose next term is below 1e-18 for |rest| ≤ ln 2 / 2.
        var series = rest * (1 / 87_178_291_200) + 1 / 6_227_020_800
        series = series * rest + 1 / 479_001_600
        series = series * rest + 1 / 39_916_800
        series = series * rest + 1 / 3_628_800
        series = series * rest + 1 / 362_880
        series = series * rest + 1 / 40_320
        series = series * rest + 1 / 5_040
        series = series * rest + 1 / 720
        series = series * rest + 1 / 120
        series = series * rest + 1 / 24
        series = series * rest + 1 / 6
        series = series * rest + 0.5
        series = series * rest + 1
        series = series * rest + 1
        return series * Double(bitPattern: (shifted.bitPattern &+ 1023) &<< 52)
    }

    /// log(1 + x) for 0 ≤ x ≤ 1, to 2 ulp: 2 artanh s with s = x / (2 + x) ≤ 1/3.
    @inline(__always)
    static func logOfOnePlus(_ x: Double) -> Double {
        let s = x / (2 + x)
        return 2 * s * artanhSeries(s * s)
    }

    /// The natural logarithm of a normal number.
    @inline(__always)
    static func log(_ x: Double) -> Double {
        let bits = x.bitPattern
        let mantissa = Double(bitPattern: bits & 0x000F_FFFF_FFFF_FFFF | 0x3FF0_0000_0000_0000)
        // The exponent as the low bits of 2⁵² + exponent.
        let exponent = Double(bitPattern: bits &>> 52 | 0x4330_0000_0000_0000) - 0x1p52 - 1023
        let s = (mantissa - 1) / (mantissa + 1)
        return exponent * 0x1.62e42fefa39efp-1 + 2 * s * artanhSeries(s * s)
    }

    /// artanh(s) / s = 1 + s²/3 + s⁴/5 + …; the next term is below 1e-17 for s ≤ 1/3.
    @inline(__always)
    private static func artanhSeries(_ square: Double) -> Double {
        var series = square * (1 / 33) + 1 / 31
        series = series * square + 1 / 29
        series = series * square + 1 / 27
        series = series * square + 1 / 25
        series = series * square + 1 / 23
        series = series * square + 1 / 21
        series = series * square + 1 / 19
        series = series * square + 1 / 17
        series = series * square + 1 / 15
        series = series * square + 1 / 13
        series = series * square + 1 / 11
        series = series * square + 1 / 9
        series = series * square + 1 / 7
        series = series * square + 1 / 5
        series = series * square + 1 / 3
        return series * square + 1
    }
}
