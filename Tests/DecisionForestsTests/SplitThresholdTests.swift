import Testing

@testable import DecisionForests

@Suite("Other libraries' tests of numbers, asked as value <= threshold")
struct SplitThresholdTests {
    /// Zeros, the ends of every range, and many numbers of all sizes.
    private static let numbers: [Float] = {
        let chance = Chance(seed: 17)
        let edges: [Float] = [
            0, .leastNonzeroMagnitude, .leastNormalMagnitude, .leastNormalMagnitude.nextDown,
            1e-35, Float(1e-35).nextUp, Float(1e-35).nextDown, 0.1, 1, 1.5, 16_777_216, 0x1p-149,
            .greatestFiniteMagnitude, .greatestFiniteMagnitude.nextDown, .infinity,
        ]
        let random = (0..<300).map {
            Float(bitPattern: UInt32(truncatingIfNeeded: chance.bits($0)))
        }
        return (edges + edges.map { -$0 } + random).filter { !$0.isNaN }
    }()

    /// The numbers, what lies half-way to the next, and the doubles at their sides.
    private static let thresholds: [Double] = {
        let floats = numbers.flatMap { [Double($0), Double($0.nextUp)] }
        let halves = zip(numbers, numbers.map(\.nextUp)).map { (Double($0) + Double($1)) / 2 }
        let close = (floats + halves).flatMap { [$0, $0.nextUp, $0.nextDown] }
        return close.filter { !$0.isNaN } + [.nan, 1e300, -1e300, 1e-300, -1e-300]
    }()

    private static func holds(
        _ comparison: SplitThreshold.Comparison, _ value: Double, _ threshold: Double
    ) -> Bool {
        switch comparison {
        case .less: value < threshold
        case .lessOrEqual: value <= threshold
        case .greater: value > threshold
        case .greaterOrEqual: value >= threshold
        }
    }

    /// What a node of the threshold answers.
    private static func answer(_ split: SplitThreshold, to value: Float) -> Bool {
        (value <= split.value) == split.holdsOnLeft
    }

    @Test(
        "Every float goes where the test in double precision sends it",
        arguments: SplitThreshold.Comparison.allCases)
    func isExact(comparison: SplitThreshold.Comparison) {
        var wrong = 0
        for threshold in Self.thresholds {
            let split = SplitThreshold(comparison, threshold)
            guard !split.value.isNaN else {
                wrong += 1
                continue
            }
            for value in Self.numbers
            where Self.answer(split, to: value)
                != Self.holds(comparison, Double(value), threshold)
            {
                wrong += 1
            }
        }
        #expect(wrong == 0)
    }

    @Test("A value between two floats separates just them")
    func halves() {
        let low: Float = 1
        let middle = (Double(low) + Double(low.nextUp)) / 2
        for comparison in [SplitThreshold.Comparison.less, .lessOrEqual] {
            #expect(SplitThreshold(comparison, middle).value == low)
        }
        #expect(SplitThreshold(.less, Double(low)).value == low.nextDown)
        #expect(SplitThreshold(.less, 0).value == -.leastNonzeroMagnitude)
        #expect(SplitThreshold(.less, -0.0).value == -.leastNonzeroMagnitude)
    }

    @Test("Values that are almost zero are taken for zero")
    func almostZero() {
        let zeroMax = TreeEnsemble.zeroMax
        var wrong = 0
        for threshold in Self.thresholds where !threshold.isNaN {
            let split = SplitThreshold(lessOrEqual: threshold, takingForZeroUpTo: zeroMax)
            for value in Self.numbers {
                let taken = abs(value) <= zeroMax ? 0 : Double(value)
                if Self.answer(split, to: value) != (taken <= threshold) { wrong += 1 }
            }
        }
        #expect(wrong == 0)
    }

    @Test("A missing value goes with the test or against it, on whichever side that is")
    func missing() {
        let kept = SplitThreshold(.less, 1)
        #expect(kept.holdsOnLeft)
        #expect(kept.missingGoesLeft(ifMissingHolds: true))
        #expect(!kept.missingGoesLeft(ifMissingHolds: false))
        let exchanged = SplitThreshold(.greaterOrEqual, 1)
        #expect(!exchanged.holdsOnLeft)
        #expect(!exchanged.missingGoesLeft(ifMissingHolds: true))
        #expect(exchanged.missingGoesLeft(ifMissingHolds: false))
    }
}
