import DecisionForests
import Foundation

/// `learning-bench literals COUNT`: reads random numbers of many forms and counts those that are
/// not what C's `strtof` makes of the same text.
struct LiteralCheck {
    private let count: Int
    private var random = SplitMix(state: 11)

    /// What is printed.
    struct Report: Encodable {
        let literals: Int
        let wrong: Int
        /// Some of the wrong ones.
        let examples: [String]
    }

    /// Steele's SplitMix64, so that every run checks the same numbers.
    private struct SplitMix: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
            return z ^ z >> 31
        }
    }

    init(_ arguments: some Sequence<String>) throws {
        guard let text = Array(arguments).first else {
            throw BenchOptions.Problem(description: "literals needs a number")
        }
        count = try BenchOptions.number("literals", text)
    }

    mutating func run() throws -> Report {
        var done = 0
        var wrong = 0
        var examples: [String] = []
        var options = ReadOptions(target: "y", task: .regression)
        options.numeric = ["x"]
        while done < count {
            let texts = (0..<min(200_000, count - done)).map { _ in literal() }
            let csv = "x,y\n" + texts.map { $0 + ",1\n" }.joined()
            let data = try Dataset.load(csvBytes: Array(csv.utf8), named: "x", options: options)
            for (text, value) in zip(texts, data.columns[0])
            where value.bitPattern != strtof(text, nil).bitPattern {
                wrong += 1
                if examples.count < 10 { examples.append(text) }
            }
            done += texts.count
        }
        return Report(literals: done, wrong: wrong, examples: examples)
    }

    private mutating func literal() -> String {
        let sign = Bool.random(using: &random) ? "-" : ""
        let pattern = UInt32.random(in: 0..<0x7F7F_FFFF, using: &random)
        let float = Float(bitPattern: pattern)
        switch Int.random(in: 0..<6, using: &random) {
        case 0: return sign + "\(float)"
        case 1: return sign + "\(Double.random(in: 0..<1_000, using: &random))"
        case 2: return sign + String(format: "%.9f", Double.random(in: 0..<4, using: &random))
        case 3: return sign + String(format: "%.4e", float)
        case 4:
            // Halfway to the next float32, or one digit beside it.
            let middle = (Double(float) + Double(float.nextUp)) / 2
            let digits = Int.random(in: 6..<120, using: &random)
            return sign + String(format: "%.*e", digits, middle)
        default: return sign + digits()
        }
    }

    /// Any digits with a point anywhere and a small power of ten.
    private mutating func digits() -> String {
        let length = Int.random(in: 1..<28, using: &random)
        let point = Int.random(in: 0...length, using: &random)
        var text = ""
        for index in 0..<length {
            if index == point { text += "." }
            text += String(Int.random(in: 0..<10, using: &random))
        }
        return text + "e\(Int.random(in: -60..<38 - point, using: &random))"
    }
}
