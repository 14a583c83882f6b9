import DecisionForests
import Foundation
import Testing

/// Every number of a file must become the float32 that C's `strtof` makes of the same text.
@Suite("Numbers are rounded like strtof's")
struct DecimalNumberTests {
    /// Reads all texts as one column and compares bit patterns.
    private func check(_ texts: [String]) throws {
        var options = ReadOptions(target: "y", task: .regression)
        options.numeric = ["a"]
        let text = "a,y\n" + texts.map { $0 + ",1\n" }.joined()
        let column = try Sample.read(text, options).columns[0]
        var wrong: [String] = []
        for (text, value) in zip(texts, column)
        where value.bitPattern != strtof(text, nil).bitPattern {
            wrong.append("\(text) became \(value)")
        }
        #expect(column.count == texts.count)
        #expect(wrong.prefix(5) == [])
    }

    /// All digits of a Double: "%.*e" writes them exactly.
    private func exactly(_ value: Double) -> String { String(format: "%.160e", value) }

    /// A finite float32 of any exponent.
    private func float(_ draws: inout Draws) -> Float {
        let value = Float(bitPattern: UInt32(truncatingIfNeeded: draws.bits()))
        return value.isFinite ? value : 1
    }

    @Test("Halfway between two neighbours, and one digit to each side of it")
    func halfway() throws {
        var draws = Draws(seed: 1)
        var texts: [String] = []
        while texts.count < 12_000 {
            let low = float(&draws).magnitude
            guard low.nextUp.isFinite else { continue }
            let middle = (Double(low) + Double(low.nextUp)) / 2
            let text = exactly(middle)
            let mantissa = text.prefix { $0 != "e" }
            let power = text.dropFirst(mantissa.count)
            texts += [text, mantissa + "1" + power, exactly(middle.nextDown), "-" + text]
        }
        try check(texts)
    }

    @Test("Halfway written out without a power of ten, and cut short")
    func plainHalfway() throws {
        var draws = Draws(seed: 2)
        var texts: [String] = []
        for _ in 0..<5_000 {
            let low = Float(draws.below(1 << 24)) * 0x1p-20
            let middle = (Double(low) + Double(low.nextUp)) / 2
            let text = String(format: "%.60f", middle)
            texts += [text, String(text.prefix(12 + draws.below(30))), "\(middle)"]
        }
        try check(texts)
    }

    @Test("Around the smallest numbers, zero and the largest")
    func subnormal() throws {
        var draws = Draws(seed: 3)
        var texts = [
            "0", "-0", "0.0", "-0.000", "0e0", "0e99999", "1e-999999999", "-1e-46",
            "7.00649232162408535e-46", "7.00649232162408536e-46", "3.4028234663852886e38",
            "3.4028235677973364e38", "1.17549435e-38", "1.1754942e-38",
            "1" + String(repeating: "0", count: 38), "0." + String(repeating: "0", count: 60) + "1",
            "00000000000000000000000000000000000001.5", "0.000000000000000000000000000000001e33",
        ]
        for _ in 0..<20_000 {
            let value = Float(bitPattern: UInt32(draws.below(1 << 24)))
            texts += ["\(value)", "\(Double(value) * 1.000000001)"]
        }
        try check(texts)
    }

    @Test("Any digits, anywhere the point, any power of ten")
    func random() throws {
        var draws = Draws(seed: 4)
        let texts = (0..<60_000).map { _ in
            let digits = (0..<1 + draws.below(30)).map { _ in String(draws.below(10)) }.joined()
            let point = draws.below(digits.count + 1)
            var text = digits.prefix(point) + "." + digits.dropFirst(point)
            let exponent = draws.below(100) - 62 + max(0, 30 - digits.count) / 2
            // What float32 cannot hold is an error, not a number.
            if draws.below(2) == 0, exponent + point < 38 { text += "e\(exponent)" }
            if draws.below(3) == 0 { text = "-" + text }
            return String(text)
        }
        try check(texts)
    }

    @Test("The forms that programs write")
    func usual() throws {
        var draws = Draws(seed: 5)
        var texts: [String] = []
        for _ in 0..<10_000 {
            let value =
                Double(draws.bits() % 2_000_001) / 1e6 - 1 + Double(draws.below(1 << 20)) * 1e-12
            texts += [
                "\(value)", "\(Float(value))", String(format: "%.9f", value),
                String(format: "%.4e", value * 1e-5), String(format: "%+.17g", value * 1e4),
                String(format: "%.6E", value), "\(draws.below(1 << 40))",
            ]
        }
        try check(texts)
    }
}
