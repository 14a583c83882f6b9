/// Gradients and hessians of losses, row by row, and their form as integers.
///
/// Elementwise loops over floats without fused operations: every processor gets the same bits.
/// Scores become floats in a loop of their own, into the gradients' place: a loop over doubles and
/// floats handles as few rows at once as a vector has doubles, half of what the exponential could.
/// Callers come with so few rows that they are still in the first cache for the second loop.
package enum GradientKernel {
    /// Log loss of two classes: with p = 1 / (1 + e^−score), g = p − y and h = p (1 − p), where y
    /// is 1 for rows whose target is 1, else 0.
    @inline(never)
    package static func logistic(
        _ scores: UnsafePointer<Double>, targets: UnsafePointer<Float>, count: Int,
        gradients: UnsafeMutablePointer<Float>, hessians: UnsafeMutablePointer<Float>
    ) {
        for row in 0..<count {
            let sign: Float = targets[row] == 1 ? 1 : -1
            gradients[row] = sign * Float(scores[row])
        }
        for row in 0..<count {
            // The share of the wrong class, so that sure rows keep their digits.
            let sign: Float = targets[row] == 1 ? 1 : -1
            let odds = Exponential.of(gradients[row])
            let wrong = 1 / (1 + odds)
            gradients[row] = -sign * wrong
            hessians[row] = wrong * (odds * wrong)
        }
    }

    /// What a row's scores are divided by: its greatest score and 1 / Σ e^(score − greatest).
    /// Class k's scores start at `scores + k * stride`.
    @inline(never)
    package static func softmaxScale(
        _ scores: UnsafePointer<Double>, stride: Int, classCount: Int, count: Int,
        greatest: UnsafeMutablePointer<Float>, scale: UnsafeMutablePointer<Float>
    ) {
        for row in 0..<count { greatest[row] = Float(scores[row]) }
        for output in 1..<classCount {
            let plane = scores + output &* stride
            for row in 0..<count {
                let score = Float(plane[row])
                greatest[row] = score > greatest[row] ? score : greatest[row]
            }
        }
        for row in 0..<count { scale[row] = 0 }
        for output in 0..<classCount {
            let plane = scores + output &* stride
            for row in 0..<count {
                scale[row] += Exponential.of(Float(plane[row]) - greatest[row])
            }
        }
        for row in 0..<count { scale[row] = 1 / scale[row] }
    }

    /// Log loss of many classes for one of them: p = e^(score − greatest) × scale, g = p − y and
    /// h = p (1 − p), y being 1 for rows whose target is `output`.
    @inline(never)
    package static func softmax(
        _ scores: UnsafePointer<Double>, greatest: UnsafePointer<Float>,
        scale: UnsafePointer<Float>, targets: UnsafePointer<Float>, output: Float, count: Int,
        gradients: UnsafeMutablePointer<Float>, hessians: UnsafeMutablePointer<Float>
    ) {
        for row in 0..<count { gradients[row] = Float(scores[row]) - greatest[row] }
        for row in 0..<count {
            let share = Exponential.of(gradients[row]) * scale[row]
            let truth: Float = targets[row] == output ? 1 : 0
            gradients[row] = share - truth
            hessians[row] = share * (1 - share)
        }
    }

    /// Squared error: g = score − target.
    @inline(never)
    package static func squared(
        _ scores: UnsafePointer<Double>, targets: UnsafePointer<Float>, count: Int,
        gradients: UnsafeMutablePointer<Float>
    ) {
        for row in 0..<count { gradients[row] = Float(scores[row] - Double(targets[row])) }
    }

    /// Poisson deviance with a log link: g = e^score − target, h = e^(score + margin); the margin
    /// keeps steps small where the expected count is tiny.
    @inline(never)
    package static func poisson(
        _ scores: UnsafePointer<Double>, targets: UnsafePointer<Float>, margin: Float, count: Int,
        gradients: UnsafeMutablePointer<Float>, hessians: UnsafeMutablePointer<Float>
    ) {
        for row in 0..<count { gradients[row] = Float(scores[row]) }
        for row in 0..<count {
            let score = gradients[row]
            gradients[row] = Exponential.of(score) - targets[row]
            hessians[row] = Exponential.of(score + margin)
        }
    }

    /// values[i] × factors[i], in place.
    @inline(never)
    package static func multiply(
        _ values: UnsafeMutablePointer<Float>, by factors: UnsafePointer<Float>, count: Int
    ) {
        for row in 0..<count { values[row] *= factors[row] }
    }

    /// The greatest magnitude among finite values, as a bit pattern: those of positive floats are
    /// in the floats' order.
    @inline(never)
    package static func greatestMagnitude(
        _ values: UnsafePointer<Float>, count: Int
    ) -> UInt32 {
        var greatest: UInt32 = 0
        for row in 0..<count {
            let bits = values[row].bitPattern & 0x7FFF_FFFF
            greatest = bits > greatest ? bits : greatest
        }
        return greatest
    }

    /// Values times a power of two, rounded to the nearest integer (half to even).
    @inline(never)
    package static func quantise(
        _ values: UnsafePointer<Float>, count: Int, scale: Double,
        to integers: UnsafeMutablePointer<Int32>
    ) {
        for row in 0..<count {
            // Added to a double below 2⁵¹, this leaves the nearest integer in the low bits.
            let shifted = Double(values[row]) * scale + 0x1.8p52
            integers[row] = Int32(truncatingIfNeeded: shifted.bitPattern)
        }
    }

    /// The entries of rows from `firstRow` on: gradients and hessians of 30 bits cut to 15. A null
    /// pointer for hessians that all count 1.
    ///
    /// What is cut off decides the chance of rounding up, drawn from a hash of the row's number and
    /// `salt`: sums of many rows are right on average even where single values are below the last
    /// digit that is left.
    @inline(never)
    package static func pack(
        _ gradients: UnsafePointer<Int32>, hessians: UnsafePointer<Int32>?, count: Int,
        firstRow: UInt32, salt: UInt32, to entries: UnsafeMutablePointer<UInt64>
    ) {
        if let hessians {
            for index in 0..<count {
                let row = firstRow &+ UInt32(truncatingIfNeeded: index)
                let chance = dither(row, salt)
                let g = cut(gradients[index], chance & 0x7FFF)
                let h = cut(hessians[index], chance &>> 17)
                entries[index] = UInt64(row) &<< 32 | UInt64(g &<< 16 | h)
            }
        } else {
            for index in 0..<count {
                let row = firstRow &+ UInt32(truncatingIfNeeded: index)
                let g = cut(gradients[index], dither(row, salt) & 0x7FFF)
                entries[index] = UInt64(row) &<< 32 | UInt64(g &<< 16 | 1)
            }
        }
    }

    /// The upper bits of a value after `chance` of 15 bits was added, at most 32,767.
    @inline(__always)
    private static func cut(_ value: Int32, _ chance: UInt32) -> UInt32 {
        let upper = (value &+ Int32(bitPattern: chance)) &>> 15
        return UInt32(bitPattern: upper < 32_767 ? upper : 32_767)
    }

    /// Uniform bits (the finaliser of MurmurHash3, A. Appleby).
    @inline(__always)
    private static func dither(_ row: UInt32, _ salt: UInt32) -> UInt32 {
        var bits = row ^ salt
        bits = (bits ^ (bits &>> 16)) &* 0x85EB_CA6B
        bits = (bits ^ (bits &>> 13)) &* 0xC2B2_AE35
        return bits ^ (bits &>> 16)
    }

    /// Σ |values|.
    @inline(never)
    package static func sumMagnitudes(_ values: UnsafePointer<Int32>, count: Int) -> Int64 {
        var sum: Int64 = 0
        for index in 0..<count { sum &+= Int64(values[index].magnitude) }
        return sum
    }
}
