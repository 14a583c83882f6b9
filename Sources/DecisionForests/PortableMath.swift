/// The transcendental functions that decide model bytes, written with +, −, ×, ÷ and √ alone.
///
/// IEEE 754 fixes those five to the last bit, and Swift never fuses a product and a sum on its own;
/// the C library's log and exp differ between CPUs and versions.
package enum PortableMath {
    private static let logTwoHigh = 0x1.62e42fee00000p-1  // ln 2, the low 21 bits cleared
    private static let logTwoLow = 0x1.a39ef35793c76p-33

    /// The natural logarithm, within 2 ulp. −∞ at 0, NaN below.
    package static func log(_ x: Double) -> Double {
        guard x > 0 else { return x == 0 ? -.infinity : .nan }
        guard x.isFinite else { return x }
        var exponent = Int(x.exponent)
        var mantissa = x.significand
        if mantissa > 0x1.6a09e667f3bcdp0 {  // √2: keeps |s| below 0.172
            mantissa *= 0.5
            exponent += 1
        }
        // log m = 2 artanh s = 2 (s + s³/3 + s⁵/5 + …)
        let s = (mantissa - 1) / (mantissa + 1)
        let square = s * s
        var series = 0.0
        for denominator in stride(from: 23.0, through: 3.0, by: -2.0) {
            series = series * square + 1 / denominator
        }
        let tail = 2 * s * square * series + Double(exponent) * logTwoLow
        return Double(exponent) * logTwoHigh + (2 * s + tail)
    }

    /// e to the power x, within 2 ulp for results that are normal numbers.
    package static func exp(_ x: Double) -> Double {
        guard !x.isNaN else { return x }
        guard x > -745 else { return 0 }
        guard x < 709.7 else { return .infinity }
        let power = (x * 0x1.71547652b82fep0).rounded(.toNearestOrEven)  // 1 / ln 2
        let rest = (x - power * logTwoHigh) - power * logTwoLow
        var series = 1.0
        for divisor in stride(from: 14.0, through: 1.0, by: -1.0) {
            series = series * rest / divisor + 1
        }
        // In two steps, so that neither factor leaves the range of a Double.
        let half = Int(power) / 2
        return series * Double(sign: .plus, exponent: half, significand: 1)
            * Double(sign: .plus, exponent: Int(power) - half, significand: 1)
    }

    /// 1 / (1 + e^−x), without overflow at either end.
    package static func logistic(_ x: Double) -> Double {
        if x >= 0 { return 1 / (1 + exp(-x)) }
        let small = exp(x)
        return small / (1 + small)
    }

    /// The standard normal distribution's inverse for 0 < p < 1.
    ///
    /// Wichura, "Algorithm AS 241", Applied Statistics 37 (1988), routine PPND16: about 16 digits.
    package static func normalQuantile(_ p: Double) -> Double {
        let q = p - 0.5
        if abs(q) <= 0.425 {
            let r = 0.180625 - q * q
            return q * polynomial(centreNumerator, r) / polynomial(centreDenominator, r)
        }
        let r = (-log(q < 0 ? p : 1 - p)).squareRoot()
        let size: Double
        if r <= 5 {
            let t = r - 1.6
            size = polynomial(middleNumerator, t) / polynomial(middleDenominator, t)
        } else {
            let t = r - 5
            size = polynomial(tailNumerator, t) / polynomial(tailDenominator, t)
        }
        return q < 0 ? -size : size
    }

    /// Horner's rule; coefficients from the highest power down.
    private static func polynomial(_ coefficients: [Double], _ x: Double) -> Double {
        var sum = 0.0
        for coefficient in coefficients { sum = sum * x + coefficient }
        return sum
    }

    private static let centreNumerator = [
        2.5090809287301226727e+3, 3.3430575583588128105e+4, 6.7265770927008700853e+4,
        4.5921953931549871457e+4, 1.3731693765509461125e+4, 1.9715909503065514427e+3,
        1.3314166789178437745e+2, 3.3871328727963666080e+0,
    ]
    private static let centreDenominator = [
        5.2264952788528545610e+3, 2.8729085735721942674e+4, 3.9307895800092710610e+4,
        2.1213794301586595867e+4, 5.3941960214247511077e+3, 6.8718700749205790830e+2,
        4.2313330701600911252e+1, 1.0,
    ]
    private static let middleNumerator = [
        7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
        1.27045825245236838258e+0, 3.64784832476320460504e+0, 5.76949722146069140550e+0,
        4.63033784615654529590e+0, 1.42343711074968357734e+0,
    ]
    private static let middleDenominator = [
        1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2,
        1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940e+0,
        2.05319162663775882187e+0, 1.0,
    ]
    private static let tailNumerator = [
        2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
        2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e+0,
        5.46378491116411436990e+0, 6.65790464350110377720e+0,
    ]
    private static let tailDenominator = [
        2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5,
        7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1,
        5.99832206555887937690e-1, 1.0,
    ]
}
