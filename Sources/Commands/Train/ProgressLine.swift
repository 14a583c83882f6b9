import DecisionForests
import Foundation
import Synchronization

/// One line on a terminal's standard error that says how far a fit is, rewritten in place:
/// "boosted: 40/100, train_log_loss 0.31, valid_log_loss 0.35, ETA 3 s". Writes nothing
/// anywhere else.
final class ProgressLine: Sendable {
    private struct State {
        var lastShown: ContinuousClock.Instant?
        var isShown = false
    }

    static let interval = Duration.milliseconds(100)
    /// Figures of a round that fit one line.
    static let metricsMax = 3

    private let name: String
    let isTerminal: Bool
    private let started: ContinuousClock.Instant
    private let write: @Sendable (String) -> Void
    private let state = Mutex(State())

    init(
        _ name: String, isTerminal: Bool, started: ContinuousClock.Instant = .now,
        write: @escaping @Sendable (String) -> Void = writeError
    ) {
        (self.name, self.isTerminal, self.started, self.write) = (name, isTerminal, started, write)
    }

    /// Whether standard error is a terminal that can rewrite a line.
    static func isPossible(_ environment: Environment) -> Bool {
        isatty(2) == 1 && environment["TERM"] != "dumb"
    }

    /// Shows where the fit is, at most ten times a second.
    func show(_ progress: FitProgress, now: ContinuousClock.Instant = .now) {
        guard isTerminal else { return }
        let isDue = state.withLock { state in
            if let last = state.lastShown, now - last < Self.interval { return false }
            state = State(lastShown: now, isShown: true)
            return true
        }
        if isDue { write("\r\(text(progress, now: now))\u{1b}[K") }
    }

    /// Takes the line off the terminal again.
    func end() {
        let wasShown = state.withLock { state in
            defer { state.isShown = false }
            return state.isShown
        }
        if wasShown { write("\r\u{1b}[K") }
    }

    func text(_ progress: FitProgress, now: ContinuousClock.Instant) -> String {
        var parts = ["\(name): \(progress.done)/\(progress.total)"]
        if progress.resumed > 0 {
            let isBooster = LearnerKind.all.contains { $0.name == name && $0.hasRounds }
            let unit = isBooster ? "round" : "tree"
            parts.append("resumed at \(unit) \(progress.resumed) of \(progress.total)")
        }
        parts += progress.metrics.prefix(Self.metricsMax).map {
            "\($0.name) \(Figures.short($0.value))"
        }
        let own = progress.done - progress.resumed
        if own > 0, progress.done < progress.total {
            let elapsed = (now - started).inSeconds
            let rest = elapsed * Double(progress.total - progress.done) / Double(own)
            parts.append("ETA \(Figures.time(rest))")
        }
        return parts.joined(separator: ", ")
    }
}

/// Numbers as people read them.
enum Figures {
    /// Five significant digits.
    static func short(_ value: Double) -> String { String(format: "%.5g", value) }

    /// "12 s", "3 min 5 s", "2 h 10 min".
    static func time(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 3.6e6 else { return "long" }
        let whole = Int(seconds.rounded(.up))
        switch whole {
        case ..<60: return "\(whole) s"
        case ..<3_600: return "\(whole / 60) min \(whole % 60) s"
        default: return "\(whole / 3_600) h \(whole % 3_600 / 60) min"
        }
    }

    /// "0.31 s".
    static func seconds(_ value: Double) -> String { String(format: "%.2f s", value) }

    /// "84 MiB".
    static func size(_ bytes: Int) -> String {
        bytes < 1 << 20
            ? String(format: "%.1f KiB", Double(bytes) / 1_024)
            : String(format: "%.1f MiB", Double(bytes) / 1_048_576)
    }
}
