/// A decimal number in text, as the nearest float32.
///
/// The first 19 digits and the power of ten are multiplied in Double. Neither factor is off by more
/// than half a unit of the last place, nor is the product, so the exact value is within 3 units of
/// it. Where no float32 boundary (a point halfway between two neighbours) lies within 8 units, the
/// product rounds as the exact value does; elsewhere, about once in 30 million numbers, the
/// standard library's slower and exact parser decides (the interval argument of Clinger 1990).
enum DecimalNumber {
    /// The nearest float32.
    case finite(Float)
    /// A number that float32 cannot hold, or the word for infinity.
    case infinite
    /// No number: a word, or nothing.
    case none

    /// Powers of ten that the quick way covers: below, 19 digits are nearly zero in float32; above,
    /// any digit is too large.
    private static let exponents = -64...38

    /// Powers of ten, made once for the life of the process. A loop takes them along by value.
    struct Powers: @unchecked Sendable {
        /// 10^-64 ... 10^38, each the nearest Double.
        let scales: UnsafePointer<Double>
        /// 10^0 ... 10^8.
        let tens: UnsafePointer<UInt64>

        fileprivate init() {
            let scales = UnsafeMutablePointer<Double>.allocate(capacity: exponents.count)
            for (index, exponent) in exponents.enumerated() {
                scales[index] = Double("1e\(exponent)") ?? .nan
            }
            self.scales = UnsafePointer(scales)
            let tens = UnsafeMutablePointer<UInt64>.allocate(capacity: 9)
            tens[0] = 1
            for index in 1...8 { tens[index] = tens[index - 1] * 10 }
            self.tens = UnsafePointer(tens)
        }
    }

    static let powers = Powers()

    /// `mantissa` · 10^`exponent` rounded to float32; nil where the quick way cannot tell.
    @inline(__always)
    static func scaled(
        _ mantissa: UInt64, _ exponent: Int, _ powers: Powers
    ) -> Float? {
        let index = exponent &+ 64
        guard mantissa >> 63 == 0, index >= 0, index <= 102 else { return nil }
        let value = Double(Int64(bitPattern: mantissa)) * powers.scales[index]
        // The 29 bits that float32 drops, against their halfway point.
        let dropped = value.bitPattern & 0x1FFF_FFFF
        guard dropped &- (0x1000_0000 - 8) > 16 else { return nil }
        if value >= 0x1p-126, value <= 0x1.fffffep127 { return Float(value) }
        // Subnormal numbers drop more bits.
        return mantissa == 0 ? 0 : nil
    }

    /// Reads `[+-] digits [. digits] [e [+-] digits]`, which must be all of the bytes.
    static func parse(_ bytes: UnsafePointer<UInt8>, count: Int) -> DecimalNumber {
        var scan = DecimalScan(bytes, count)
        switch scan.run() {
        case .word:
            return isInfinity(bytes, count) ? .infinite : .none
        case .number:
            if let value = scaled(scan.mantissa, scan.exponent, powers) {
                return .finite(scan.isNegative ? -value : value)
            }
            return exact(bytes, count)
        }
    }

    private static func exact(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> DecimalNumber {
        let text = String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
        guard let value = Float(text) else { return .none }
        return value.isFinite ? .finite(value) : .infinite
    }

    private static func isInfinity(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        guard (3...9).contains(count) else { return false }
        let text = String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
            .lowercased()
        return ["inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"].contains(text)
    }
}

/// One walk over the characters of a number: its first 19 digits that count, and its power of ten.
private struct DecimalScan {
    enum Outcome {
        case number, word
    }

    private let bytes: UnsafePointer<UInt8>
    private let count: Int
    private var at = 0
    private(set) var isNegative = false
    private(set) var mantissa: UInt64 = 0
    private(set) var exponent = 0

    init(_ bytes: UnsafePointer<UInt8>, _ count: Int) {
        self.bytes = bytes
        self.count = count
    }

    mutating func run() -> Outcome {
        if at < count, bytes[at] == UInt8(ascii: "-") || bytes[at] == UInt8(ascii: "+") {
            isNegative = bytes[at] == UInt8(ascii: "-")
            at += 1
        }
        var digitCount = digits(afterPoint: false)
        if at < count, bytes[at] == UInt8(ascii: ".") {
            at += 1
            digitCount += digits(afterPoint: true)
        }
        guard digitCount > 0 else { return .word }
        if at < count, bytes[at] | 0x20 == UInt8(ascii: "e") {
            guard readExponent() else { return .word }
        }
        return at == count ? .number : .word
    }

    /// Digits beyond the 19th change the value by less than 2^-59 of it; only their places count.
    private mutating func digits(afterPoint: Bool) -> Int {
        let first = at
        while at < count {
            let digit = bytes[at] &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            at += 1
            if mantissa < 1_000_000_000_000_000_000 {
                mantissa = mantissa * 10 + UInt64(digit)
                if afterPoint { exponent -= 1 }
            } else if !afterPoint {
                exponent += 1
            }
        }
        return at - first
    }

    /// The signed digits after an "e", capped far beyond any float32.
    private mutating func readExponent() -> Bool {
        at += 1
        guard at < count else { return false }
        let isNegative = bytes[at] == UInt8(ascii: "-")
        if isNegative || bytes[at] == UInt8(ascii: "+") { at += 1 }
        let first = at
        var written = 0
        while at < count, bytes[at] &- UInt8(ascii: "0") < 10 {
            written = min(written * 10 + Int(bytes[at] - UInt8(ascii: "0")), 1 << 40)
            at += 1
        }
        exponent += isNegative ? -written : written
        return at > first
    }
}

extension DecimalNumber {
    /// Reads the number that starts at `at`, of the usual forms, and leaves `at` behind it.
    ///
    /// At least 48 bytes must be readable from `at` on. Nil, with `at` where it was, for everything
    /// unusual: words, 8 and more digits before the point, more digits than 64 bits hold.
    @inline(__always)
    static func quick(_ at: inout UnsafePointer<UInt8>, _ powers: Powers) -> Float? {
        var next = at
        let isNegative = next[0] == UInt8(ascii: "-")
        next += isNegative ? 1 : 0
        var mantissa = UInt64(next[0] &- UInt8(ascii: "0"))
        var wholeCount = 1
        // One digit before the point is so common that it is worth a branch.
        if mantissa > 9 || next[1] != UInt8(ascii: ".") {
            let whole = Digits(next)
            guard whole.count < 8 else { return nil }
            mantissa = whole.value
            wholeCount = whole.count
        }
        var exponent = 0
        next += wholeCount
        if next[0] == UInt8(ascii: ".") {
            next += 1
            guard let places = fraction(&next, &mantissa, wholeCount: wholeCount, powers) else {
                return nil
            }
            exponent = 0 &- places
        }
        guard wholeCount &- exponent > 0 else { return nil }
        if next[0] | 0x20 == UInt8(ascii: "e") {
            next += 1
            let isNegativePower = next[0] == UInt8(ascii: "-")
            next += isNegativePower || next[0] == UInt8(ascii: "+") ? 1 : 0
            let power = Digits(next)
            guard power.count > 0, power.count < 8 else { return nil }
            next += power.count
            exponent &+= isNegativePower ? 0 &- Int(power.value) : Int(power.value)
        }
        guard let value = scaled(mantissa, exponent, powers) else { return nil }
        at = next
        return Float(bitPattern: value.bitPattern | (isNegative ? 0x8000_0000 : 0))
    }

    /// Appends the digits behind the point to `mantissa`; how many they are, nil if too many.
    @inline(__always)
    private static func fraction(
        _ next: inout UnsafePointer<UInt8>, _ mantissa: inout UInt64, wholeCount: Int,
        _ powers: Powers
    ) -> Int? {
        let first = Digits(next)
        mantissa = mantissa &* powers.tens[first.count] &+ first.value
        next += first.count
        guard first.count == 8 else { return first.count }
        let second = Digits(next)
        // 19 digits always fit 64 bits; with more before the point the sum may wrap.
        guard wholeCount &+ second.count <= 11 else { return nil }
        mantissa = mantissa &* powers.tens[second.count] &+ second.value
        next += second.count
        guard second.count == 8 else { return 8 &+ second.count }
        let third = Digits(next)
        let (product, isOver) = mantissa.multipliedReportingOverflow(by: powers.tens[third.count])
        guard third.count < 8, !isOver else { return nil }
        mantissa = product &+ third.value
        next += third.count
        return mantissa < product ? nil : 16 &+ third.count
    }

    /// Up to 8 digits at once, in the bytes of one word (Mula's and Lemire's arithmetic).
    private struct Digits {
        /// Digits before the first other character: 0...8.
        let count: Int
        /// What they say.
        let value: UInt64

        @inline(__always)
        init(_ bytes: UnsafePointer<UInt8>) {
            let word = UnsafeRawPointer(bytes).loadUnaligned(as: UInt64.self)
            let text = UInt64(littleEndian: word)
            let digits = text &- 0x3030_3030_3030_3030
            // A byte's high bit: above "9", or below "0". Bytes behind the first may be wrong.
            let others = ((text &+ 0x4646_4646_4646_4646) | digits) & 0x8080_8080_8080_8080
            count = others.trailingZeroBitCount &>> 3
            // The digits move to the end of the word; zeros stand before them.
            var sum = digits << (64 &- count &* 8)
            sum = sum &* 10 &+ (sum &>> 8)
            let pairs: UInt64 = 0x0000_00FF_0000_00FF
            value =
                ((sum & pairs) &* 0x000F_4240_0000_0064
                    &+ ((sum &>> 16) & pairs) &* 0x0000_2710_0000_0001) &>> 32
        }
    }
}
