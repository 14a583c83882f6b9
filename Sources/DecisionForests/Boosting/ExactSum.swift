/// Sums of doubles that do not depend on their order: each is rounded to a multiple of one power of
/// two, fine enough that the greatest keeps as many bits as 63 allow for all of them.
enum ExactSum {
    /// Σ value(i) for i below `count`; every value must be finite.
    static func sum(count: Int, _ value: (Int) -> Double) -> Double {
        var greatest = 0.0
        for index in 0..<count { greatest = max(greatest, abs(value(index))) }
        guard greatest > 0, greatest.isFinite else { return greatest }
        // greatest < 2^(exponent + 1), so that `count` terms stay below 2^62.
        let room = 62 - (Int.bitWidth - count.leadingZeroBitCount)
        let exponent = min(1000, max(-1000, room - Int(greatest.exponent) - 1))
        let scale = Double(sign: .plus, exponent: exponent, significand: 1)
        var sum: Int64 = 0
        for index in 0..<count { sum += Int64((value(index) * scale).rounded(.toNearestOrEven)) }
        return Double(sum) / scale
    }

    /// The weighted mean of a function of the rows' targets; 0 if no row counts.
    static func mean(of states: RowStates, _ value: (Float) -> Double) -> Double {
        let targets = states.targets.base
        guard let weights = states.weights?.base else {
            return sum(count: states.rowCount) { value(targets[$0]) } / Double(states.rowCount)
        }
        let weight = sum(count: states.rowCount) { Double(weights[$0]) }
        guard weight > 0 else { return 0 }
        return sum(count: states.rowCount) { value(targets[$0]) * Double(weights[$0]) } / weight
    }
}
