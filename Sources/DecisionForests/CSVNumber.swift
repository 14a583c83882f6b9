/// What a CSV cell says as a number.
enum CSVNumber {
    /// A finite number, as the nearest Double.
    case number(Double)
    /// An empty cell, NA, NaN or null.
    case missing
    /// Anything else; infinities too.
    case other

    /// Reads `[+-] digits [. digits] [e [+-] digits]`, exactly; for a feature, exactly as float32.
    ///
    /// Up to 2^53 and a power of ten up to 22 need one correctly rounded operation on exact
    /// operands (Clinger 1990). Up to 19 digits are off by less than 2^-51, which float32 hardly
    /// ever sees. Everything beyond goes to the standard library's slower parser.
    init(_ bytes: UnsafePointer<UInt8>, count: Int, isFeature: Bool = false) {
        var at = 0
        let isNegative = count > 0 && bytes[0] == UInt8(ascii: "-")
        if isNegative || (count > 0 && bytes[0] == UInt8(ascii: "+")) { at = 1 }
        var mantissa: UInt64 = 0
        var exponent = 0
        let firstDigit = at
        Self.digits(bytes, count, &at, &mantissa)
        var digitCount = at - firstDigit
        if at < count, bytes[at] == UInt8(ascii: ".") {
            at += 1
            let fraction = at
            Self.digits(bytes, count, &at, &mantissa)
            digitCount += at - fraction
            exponent = fraction - at
        }
        guard digitCount > 0 else {
            self = Self.isMissing(bytes, count) ? .missing : .other
            return
        }
        var isExponentSmall = true
        if at < count, bytes[at] | 0x20 == UInt8(ascii: "e") {
            guard let written = Self.exponent(bytes, count, &at) else {
                self = .other
                return
            }
            isExponentSmall = abs(written) < 10_000
            exponent += isExponentSmall ? written : 0
        }
        guard at == count else {
            self = .other
            return
        }
        guard digitCount <= 19, isExponentSmall, abs(exponent) <= 22 else {
            self = Self.slow(bytes, count)
            return
        }
        let scaled =
            exponent < 0
            ? Double(mantissa) / Self.power(-exponent) : Double(mantissa) * Self.power(exponent)
        let isSure =
            mantissa < 1 << 53
            || (isFeature && Float(scaled * (1 - 0x1p-51)) == Float(scaled * (1 + 0x1p-51)))
        self = isSure ? .number(isNegative ? -scaled : scaled) : Self.slow(bytes, count)
    }

    /// Runs over digits; the mantissa wraps when there are too many, and is then not used.
    private static func digits(
        _ bytes: UnsafePointer<UInt8>, _ count: Int, _ at: inout Int, _ mantissa: inout UInt64
    ) {
        while at < count {
            let digit = bytes[at] &- UInt8(ascii: "0")
            guard digit < 10 else { return }
            mantissa = mantissa &* 10 &+ UInt64(digit)
            at += 1
        }
    }

    /// The signed digits after an "e", capped far beyond any Double.
    private static func exponent(
        _ bytes: UnsafePointer<UInt8>, _ count: Int, _ at: inout Int
    ) -> Int? {
        at += 1
        guard at < count else { return nil }
        let isNegative = bytes[at] == UInt8(ascii: "-")
        if isNegative || bytes[at] == UInt8(ascii: "+") { at += 1 }
        let first = at
        var value = 0
        while at < count, bytes[at] &- UInt8(ascii: "0") < 10 {
            value = min(value * 10 + Int(bytes[at] - UInt8(ascii: "0")), 1_000_000)
            at += 1
        }
        guard at > first else { return nil }
        return isNegative ? -value : value
    }

    private static func slow(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> CSVNumber {
        let text = String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
        guard let value = Double(text), value.isFinite else { return .other }
        return .number(value)
    }

    private static func isMissing(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        if count == 0 { return true }
        guard count <= 4 else { return false }
        let text = String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
        return missingWords.contains(text)
    }

    private static let missingWords: Set = [
        "NA", "N/A", "NaN", "nan", "NAN", "null", "NULL", "Null",
    ]

    /// 10 to the power 0...22: all exact in a Double.
    private static func power(_ exponent: Int) -> Double {
        powers[exponent]
    }

    private static let powers = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]
}
