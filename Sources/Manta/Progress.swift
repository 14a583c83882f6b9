import Synchronization

/// One line on stderr that says how far a map is: "growTrees: 12/75 done, ETA 3 s".
///
/// On a terminal the line is rewritten in place. Elsewhere, a log for instance, a new line is
/// written at most each five seconds, and none at all for work that is done sooner.
final class Progress: Sendable {
    private struct State {
        var done = 0
        var lastShown: ContinuousClock.Instant
        var isShown = false
    }

    private let name: String
    private let total: Int
    /// What was done before this process began.
    private let first: Int
    private let isTerminal: Bool
    private let started: ContinuousClock.Instant
    private let write: @Sendable (String) -> Void
    private let state: Mutex<State>

    static let intervalOnTerminal = Duration.milliseconds(100)
    static let interval = Duration.seconds(5)

    init(
        _ name: String, total: Int, from first: Int = 0,
        isTerminal: Bool = StandardStreams.isErrorTerminal,
        started: ContinuousClock.Instant = .now,
        write: @escaping @Sendable (String) -> Void = StandardStreams.writeError
    ) {
        self.name = name
        self.total = total
        self.first = first
        self.isTerminal = isTerminal
        self.started = started
        self.write = write
        state = Mutex(State(lastShown: started))
    }

    func add(_ count: Int, now: ContinuousClock.Instant = .now) {
        show(now) { $0 += count }
    }

    /// So much is done in all.
    func move(to done: Int, now: ContinuousClock.Instant = .now) {
        show(now) { $0 = done }
    }

    private func show(_ now: ContinuousClock.Instant, _ change: (inout Int) -> Void) {
        let line = state.withLock { state -> String? in
            change(&state.done)
            let interval = isTerminal ? Self.intervalOnTerminal : Self.interval
            guard now - state.lastShown >= interval else { return nil }
            state.lastShown = now
            state.isShown = true
            return text(done: state.done, now: now)
        }
        if let line { write(isTerminal ? "\r\(line)\u{1b}[K" : line + "\n") }
    }

    /// Takes the line off a terminal again.
    func end() {
        let isShown = state.withLock { $0.isShown }
        if isTerminal && isShown { write("\r\u{1b}[K") }
    }

    private func text(done: Int, now: ContinuousClock.Instant) -> String {
        let resumed = first > 0 ? ", resumed at round \(first) of \(total)" : ""
        guard done > first, done < total else { return "\(name): \(done)/\(total) done\(resumed)" }
        let elapsed = Double((now - started).components.seconds) + 0.5
        let rest = elapsed * Double(total - done) / Double(done - first)
        return "\(name): \(done)/\(total) done\(resumed), ETA \(Int(rest.rounded(.up))) s"
    }
}
