/// A distribution of times that keeps three significant digits over nine decades, in constant
/// space: Gil Tene's HdrHistogram.
///
/// Values below 2,048 ns have a count each; every doubling after that is cut into 1,024 equal
/// parts, so a part is never wider than a thousandth of its values.
struct LatencyHistogram: Sendable, Equatable {
    /// Nanoseconds that can be told apart from longer ones: an hour.
    static let longest: UInt64 = 3_600_000_000_000
    /// Parts of a doubling, as a power of two.
    private static let halfBits = 10
    private static let mask: UInt64 = (2 << UInt64(halfBits)) - 1

    private var counts: [UInt64]
    private(set) var count: UInt64 = 0
    private(set) var shortest: UInt64?
    /// As it came, rather than the end of its part.
    private(set) var greatest: UInt64 = 0
    private var sum = 0.0

    init() {
        counts = [UInt64](repeating: 0, count: Self.index(of: Self.longest) + 1)
    }

    /// Counts a time in nanoseconds; longer ones than an hour count as one.
    mutating func record(_ nanoseconds: UInt64) {
        let value = min(nanoseconds, Self.longest)
        counts[Self.index(of: value)] += 1
        count += 1
        shortest = min(shortest ?? value, value)
        greatest = max(greatest, value)
        sum += Double(value)
    }

    /// Takes in what another one counted.
    mutating func add(_ other: Self) {
        for (index, number) in other.counts.enumerated() where number > 0 {
            counts[index] += number
        }
        count += other.count
        if let least = other.shortest { shortest = min(shortest ?? least, least) }
        greatest = max(greatest, other.greatest)
        sum += other.sum
    }

    /// Nanoseconds; nil before the first.
    var mean: Double? { count > 0 ? sum / Double(count) : nil }

    /// The time within which `percent` of all were, to a thousandth; nil before the first.
    func value(atPercent percent: Double) -> UInt64? {
        guard count > 0 else { return nil }
        let wanted = max(1, (min(100, max(0, percent)) / 100 * Double(count)).rounded(.up))
        var seen: UInt64 = 0
        for (index, number) in counts.enumerated() where number > 0 {
            seen += number
            if Double(seen) >= wanted { return min(greatest, Self.range(at: index).upperBound) }
        }
        return greatest
    }

    /// How many were in each part that has any, with the part's least and greatest value.
    var parts: [(range: ClosedRange<UInt64>, count: UInt64)] {
        counts.enumerated().filter { $0.element > 0 }.map {
            (Self.range(at: $0.offset), $0.element)
        }
    }

    private static func index(of value: UInt64) -> Int {
        let doubling = 63 - halfBits - (value | mask).leadingZeroBitCount
        return doubling << halfBits + Int(value >> UInt64(doubling))
    }

    /// The values that are counted together at `index`.
    private static func range(at index: Int) -> ClosedRange<UInt64> {
        let half = 1 << halfBits
        guard index >= 2 * half else { return UInt64(index)...UInt64(index) }
        let doubling = index >> halfBits - 1
        let part = UInt64(index - doubling << halfBits)
        return part << UInt64(doubling)...(part + 1) << UInt64(doubling) - 1
    }
}
