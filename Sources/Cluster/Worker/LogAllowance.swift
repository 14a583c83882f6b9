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
    private var at: ContinuousClock.Instant?

    init(burst: Rate = LogAllowance.burst, perSecond: Rate = LogAllowance.perSecond) {
        self.burst = burst
        self.perSecond = perSecond
        left = burst
    }

    /// Whether a line of so many bytes is within it; it then counts. Times never go back.
    mutating func takes(bytes: Int, at now: ContinuousClock.Instant) -> Bool {
        if let at {
            let (seconds, attoseconds) = (now - at).components
            let passed = max(0, Double(seconds) + Double(attoseconds) / 1e18)
            left.lines = min(burst.lines, left.lines + passed * perSecond.lines)
            left.bytes = min(burst.bytes, left.bytes + passed * perSecond.bytes)
        }
        at = now
        if isUsedUp {
            guard left.lines >= perSecond.lines / 2, left.bytes >= perSecond.bytes / 2 else {
                return false
            }
        }
        isUsedUp = left.lines < 1 || left.bytes < Double(bytes)
        if isUsedUp { return false }
        left.lines -= 1
        left.bytes -= Double(bytes)
        return true
    }
}
