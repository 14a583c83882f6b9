/// Judges the cuts between a feature's bins: prefix sums of a histogram, then a gain for each cut.
package enum ScanKernel {
    /// The sums left of each cut, from packed cells: `g[b]` and `h[b]` are `start` plus the cells
    /// 0 … b. `sums` is scratch of `count` cells.
    @inline(never)
    package static func sumPacked(
        _ cells: UnsafePointer<Int64>, count: Int, start: Int64,
        sums: UnsafeMutablePointer<Int64>, g: UnsafeMutablePointer<Double>,
        h: UnsafeMutablePointer<Double>
    ) {
        var sum = start
        for bin in 0..<count {
            sum &+= cells[bin]
            sums[bin] = sum
        }
        for bin in 0..<count {
            g[bin] = Double(Int32(truncatingIfNeeded: sums[bin] >> 32))
            h[bin] = Double(Int32(truncatingIfNeeded: sums[bin]))
        }
    }

    /// The same from wide cells, whose hessians stand `plane` cells after the gradients.
    @inline(never)
    package static func sumWide(
        _ cells: UnsafePointer<Int64>, plane: Int, count: Int, start: (g: Int64, h: Int64),
        g: UnsafeMutablePointer<Double>, h: UnsafeMutablePointer<Double>
    ) {
        var (sumG, sumH) = start
        for bin in 0..<count {
            sumG &+= cells[bin]
            sumH &+= cells[bin &+ plane]
            g[bin] = Double(sumG)
            h[bin] = Double(sumH)
        }
    }

    /// Moves gradient sums toward zero by `size`, to zero within it: what an L1 penalty does.
    @inline(never)
    package static func shrink(
        _ g: UnsafeMutablePointer<Double>, count: Int, by size: Double
    ) {
        for index in 0..<count { g[index] = shrunk(g[index], by: size) }
    }

    /// The same for one sum.
    @inline(__always)
    package static func shrunk(_ g: Double, by size: Double) -> Double {
        let above = g > size ? g - size : 0
        return g < -size ? g + size : above
    }

    /// For each cut the sum of G² / (H + λ) over its two sides, −∞ where a side's hessian is less
    /// than `hessianMin`, which must be positive.
    ///
    /// `left` and `right` are the gradients' sums; `h` the hessians' on the left, `total` on both.
    @inline(never)
    package static func judge(
        left: UnsafePointer<Double>, right: UnsafePointer<Double>, h: UnsafePointer<Double>,
        count: Int, total: Double, lambda: Double, hessianMin: Double,
        gains: UnsafeMutablePointer<Double>
    ) {
        for bin in 0..<count {
            let (l, r) = (left[bin], right[bin])
            let (leftHessian, rightHessian) = (h[bin], total - h[bin])
            let (leftSize, rightSize) = (leftHessian + lambda, rightHessian + lambda)
            // One division for both sides; it costs more than all the rest.
            let gain =
                (l * l * rightSize + r * r * leftSize) / (leftSize * rightSize)
            let least = leftHessian < rightHessian ? leftHessian : rightHessian
            gains[bin] = least >= hessianMin ? gain : -.infinity
        }
    }

    /// The gradients right of each cut: all minus the left ones.
    @inline(never)
    package static func complement(
        _ left: UnsafePointer<Double>, count: Int, total: Double,
        right: UnsafeMutablePointer<Double>
    ) {
        for bin in 0..<count { right[bin] = total - left[bin] }
    }

    /// The first of the greatest gains, −1 if all are −∞ (or NaN).
    @inline(never)
    package static func best(_ gains: UnsafePointer<Double>, count: Int) -> Int {
        var (best, place) = (-Double.infinity, -1)
        for bin in 0..<count where gains[bin] > best { (best, place) = (gains[bin], bin) }
        return place
    }
}
