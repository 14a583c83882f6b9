internal import CLanes

/// e to the power x in float32, in a form that compilers turn into vectors.
///
/// Plain products and sums in one written order, never fused: IEEE 754 fixes every bit, so all
/// processors and all builds of the kernels agree.
enum Exponential {
    /// Within 2 ulp for |x| ≤ 87; what lies beyond is taken as ±87. NaN gives NaN or a number.
    @inline(__always)
    static func of(_ value: Float) -> Float {
        let x = manta_capped(value, 87)
        // Added to a float below 2²², this leaves the nearest integer in the low bits.
        let rounder: Float = 0x1.8p23
        let shifted = x * 0x1.715476p0 + rounder  // 1 / ln 2
        let power = shifted - rounder
        // ln 2 in two parts; the first has so few bits that the product is exact.
        let rest = (x - power * 0x1.63p-1) + power * 0x1.bd0106p-13
        // Σ rest^k / k!, whose next term is below 6e-9 for |rest| ≤ ln 2 / 2.
        var series = rest * 0x1.a01a02p-13 + 0x1.6c16c2p-10
        series = series * rest + 0x1.111112p-7
        series = series * rest + 0x1.555556p-5
        series = series * rest + 0x1.555556p-3
        series = series * rest + 0.5
        series = series * rest + 1
        series = series * rest + 1
        return series * Float(bitPattern: (shifted.bitPattern &+ 127) &<< 23)
    }
}
