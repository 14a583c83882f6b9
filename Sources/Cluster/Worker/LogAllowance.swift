/// How much of what a job prints its log takes: all of a burst as large as a log is kept, and a
/// rate at which a log is printed over every few seconds. What is more would only push out what was
/// printed moments before. Used up, it takes nothing until it has half a second's worth again, so
/// that a flood leaves stretches of lines and one mark between them.
struct LogAllowance: Sendable {
    struct Rate: Sendable {
        var lines: Double
        var bytes: Double
    }

    /// As much as `StoreLimits` keeps of one log.
    static let burst = Rate(lines: 100_000, bytes: Double(64 << 20))
    static let perSecond = Rate(lines: 20_000, bytes: Double(16 << 20))

    private let burst: Rate
    private let perSecond: Rate
    private var left: Rate
    private var isUsedUp = false
    /// From when the burst was used up until all of it is there again.
    private(set) var isFlooded = false
    private var at: ContinuousClock.Instant?

    init(burst: Rate = LogAllowance.burst, perSecond: Rate = LogAllowance.perSecond) {
        self.burst = burst
        self.perSecond = perSecond
        left = burst
    }

    /// Whether a line of so many bytes is within it; it then counts. Times never go back.
    ///
    /// - Parameter hasRoom: whether half a second's worth could be kept for the store right now.
    mutating func takes(
        bytes: Int, at now: ContinuousClock.Instant, hasRoom: Bool = true
    ) -> Bool {
        grow(until: now)
        if isUsedUp {
            guard hasRoom, left.lines >= perSecond.lines / 2, left.bytes >= perSecond.bytes / 2
            else { return false }
        }
        isUsedUp = left.lines < 1 || left.bytes < Double(bytes)
        if isUsedUp {
            isFlooded = true
            return false
        }
        left.lines -= 1
        left.bytes -= Double(bytes)
        return true
    }
    /// The time up to now was spent waiting for the store, and gives nothing: else a store that is
    /// slower than the rate would hold up a flood for as long as it lasts.
    mutating func waited(until now: ContinuousClock.Instant) { at = now }

    /// A flooding job does not wait for the store: its lines are dropped until there is room.
    mutating func dropsUntilRoom() { isUsedUp = true }

    private mutating func grow(until now: ContinuousClock.Instant) {
        if let at {
            let (seconds, attoseconds) = (now - at).components
            let passed = max(0, Double(seconds) + Double(attoseconds) / 1e18)
            left.lines = min(burst.lines, left.lines + passed * perSecond.lines)
            left.bytes = min(burst.bytes, left.bytes + passed * perSecond.bytes)
        }
        at = now
        if left.lines == burst.lines, left.bytes == burst.bytes { isFlooded = false }
    }
}
