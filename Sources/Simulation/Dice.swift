/// All chance of one history: SplitMix64 (Steele, Lea and Flood 2014) from the history's seed.
struct Dice: Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func number(in range: ClosedRange<Int64>) -> Int64 {
        range.lowerBound + Int64(next() % UInt64(range.upperBound - range.lowerBound + 1))
    }

    /// 0 ..< `count`, which is 1 or more.
    mutating func index(below count: Int) -> Int { Int(next() % UInt64(count)) }

    mutating func happens(perMille: Int) -> Bool { index(below: 1_000) < perMille }

    /// A length between `shortest` and `longest` of which half are shorter than twice the
    /// shortest: most things are quick, some take very long.
    mutating func tail(_ shortest: Int64, _ longest: Int64) -> Int64 {
        var length = shortest
        while length < longest, next() & 1 == 1 { length *= 2 }
        return min(longest, length + number(in: 0...length))
    }
}
