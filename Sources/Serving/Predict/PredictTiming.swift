/// How long the steps of one prediction took, for the reply's `Server-Timing`.
struct PredictTiming {
    private var last = ContinuousClock.now
    private var text = ""

    /// Ends a step: what has passed since the step before, or since this value was made.
    mutating func end(_ step: StaticString) {
        let now = ContinuousClock.now
        if !text.isEmpty { text += ", " }
        text += "\(step);dur=" + Self.milliseconds(now - last)
        last = now
    }

    /// The header's value.
    var header: String { text }

    /// Milliseconds with three decimals.
    static func milliseconds(_ duration: Duration) -> String {
        let microseconds = max(0, Int64(duration / .microseconds(1)))
        let rest = String(microseconds % 1_000)
        return "\(microseconds / 1_000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }
}
