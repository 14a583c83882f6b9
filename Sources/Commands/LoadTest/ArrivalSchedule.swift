import Foundation

/// When requests are due: fixed before the first is sent, so that a slow server delays replies and
/// never the questions (an open loop).
struct ArrivalSchedule: Sendable {
    /// How the times between two requests are spread.
    enum Spacing: String, Sendable, CaseIterable {
        /// All alike.
        case even
        /// As of many callers who know nothing of each other: exponential.
        case poisson
    }

    let ratePerSecond: Double
    let duration: Duration
    let spacing: Spacing
    private var sentCount = 0
    private var last = 0.0
    private var chance: UInt64

    init(ratePerSecond: Double, duration: Duration, spacing: Spacing, seed: UInt64 = 1) {
        self.ratePerSecond = ratePerSecond
        self.duration = duration
        self.spacing = spacing
        chance = seed
    }

    /// When the next one is due, from the start on; nil when there is none any more.
    mutating func next() -> Duration? {
        let seconds: Double
        switch spacing {
        case .even: seconds = Double(sentCount) / ratePerSecond
        case .poisson:
            last -= log(1 - unit()) / ratePerSecond
            seconds = last
        }
        guard seconds < duration / .seconds(1) else { return nil }
        sentCount += 1
        return .nanoseconds(Int64(seconds * 1e9))
    }

    /// In 0..<1 (SplitMix64).
    private mutating func unit() -> Double {
        chance &+= 0x9E37_79B9_7F4A_7C15
        var value = chance
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((value ^ (value >> 31)) >> 11) / Double(1 << 53)
    }
}
