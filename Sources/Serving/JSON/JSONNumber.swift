import Glibc

/// Decimal text to the nearest Double: short numbers by one exact operation, others by strtod.
///
/// A cell's Double is then rounded to Float, as the CSV reader does in training and as every client
/// that casts to float32 does, so that all of them take the same branches.
enum JSONNumber {
    /// The value of a checked JSON number or of `NaN`, `Infinity`, `-Infinity`.
    static func value(of text: UnsafeBufferPointer<UInt8>) -> Double {
        var index = 0
        let isNegative = text.first == UInt8(ascii: "-")
        if isNegative { index = 1 }
        var mantissa: UInt64 = 0
        var exponent = 0
        var digitCount = 0
        var isFraction = false
        while index < text.count {
            let byte = text[index]
            if JSONScanner.isDigit(byte) {
                mantissa = mantissa &* 10 &+ UInt64(byte - UInt8(ascii: "0"))
                digitCount += mantissa == 0 ? 0 : 1
                exponent -= isFraction ? 1 : 0
            } else if byte == UInt8(ascii: "."), !isFraction {
                isFraction = true
            } else {
                break
            }
            index += 1
        }
        if index < text.count {
            guard text[index] | 0x20 == UInt8(ascii: "e"), let written = smallExponent(text, index)
            else { return slow(text) }
            exponent += written
        }
        // Exact operands and one rounding (Clinger 1990): 15 digits fit 53 bits, 10^22 too.
        guard digitCount <= 15, abs(exponent) <= 22 else { return slow(text) }
        let magnitude =
            exponent < 0
            ? Double(mantissa) / powersOfTen[-exponent] : Double(mantissa) * powersOfTen[exponent]
        return isNegative ? -magnitude : magnitude
    }

    /// The exponent after the `e` at `index`, if it is at most 3 digits long.
    private static func smallExponent(_ text: UnsafeBufferPointer<UInt8>, _ index: Int) -> Int? {
        var index = index + 1
        guard index < text.count else { return nil }
        let isNegative = text[index] == UInt8(ascii: "-")
        if isNegative || text[index] == UInt8(ascii: "+") { index += 1 }
        guard index < text.count, text.count - index <= 3 else { return nil }
        var value = 0
        while index < text.count {
            guard JSONScanner.isDigit(text[index]) else { return nil }
            value = value * 10 + Int(text[index] - UInt8(ascii: "0"))
            index += 1
        }
        return isNegative ? -value : value
    }

    /// The C library's exact conversion. Its locale is "C": nothing here ever calls setlocale.
    private static func slow(_ text: UnsafeBufferPointer<UInt8>) -> Double {
        var copy = [CChar](repeating: 0, count: text.count + 1)
        for index in 0..<text.count { copy[index] = CChar(bitPattern: text[index]) }
        return strtod(copy, nil)
    }

    private static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]
}
