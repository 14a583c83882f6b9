/// What bounds the time of a task, in milliseconds on the store's clock; nil: nothing does.
///
/// Names and meaning are Temporal's. A deadline that strikes ends an attempt, or a task that waits,
/// with a cause that says which one it was (`TaskRecord+Deadlines.swift`).
package struct Deadlines: Hashable, Sendable, Codable {
    /// How long the task may wait, counted from when it may be granted. Final.
    package var scheduleToStart: Int64?
    /// How long one attempt may run. Another attempt follows while the policy has one left.
    package var startToClose: Int64?
    /// How long everything may take, counted from when the task was added (or asked for anew).
    /// Final. A driver's is its job's timeout.
    package var scheduleToClose: Int64?
    /// How long its worker may be silent about an attempt: in place of the worker's own lease
    /// length, at most `ClaimRequest.leaseMaxInMilliseconds`. Another attempt follows, as above.
    package var heartbeat: Int64?

    /// No deadline is longer: 365 days.
    package static let max: Int64 = 365 * 86_400_000

    package init(
        scheduleToStart: Int64? = nil, startToClose: Int64? = nil, scheduleToClose: Int64? = nil,
        heartbeat: Int64? = nil
    ) {
        self.scheduleToStart = scheduleToStart
        self.startToClose = startToClose
        self.scheduleToClose = scheduleToClose
        self.heartbeat = heartbeat
    }

    /// Whether nothing is bounded.
    package var isEmpty: Bool { self == Deadlines() }

    /// Whether each one that is set lies in 1 ... `Deadlines.max`.
    var isValid: Bool {
        [scheduleToStart, startToClose, scheduleToClose, heartbeat].allSatisfy { limit in
            limit.map { (1...Deadlines.max).contains($0) } ?? true
        }
    }
}

/// The deadline that strikes next in a task's present state.
package struct StandingDeadline: Hashable, Sendable, Codable {
    package enum Kind: String, Sendable, Codable {
        case scheduleToStart = "schedule-to-start"
        case startToClose = "start-to-close"
        case scheduleToClose = "schedule-to-close"
        case heartbeat
    }
    package let kind: Kind
    /// On the store's clock, milliseconds since 1970.
    package let at: Int64

    package init(kind: Kind, at: Int64) {
        self.kind = kind
        self.at = at
    }
}

/// Deadlines as they stand in Redis: the four in order with semicolons between, 0 for none.
extension Deadlines {
    /// Empty when nothing is bounded, so that most tasks carry nothing.
    var text: String {
        if isEmpty { return "" }
        return [scheduleToStart, startToClose, scheduleToClose, heartbeat]
            .map { String($0 ?? 0) }.joined(separator: ";")
    }

    /// Answers nil for a text that `text` cannot have made.
    init?(text: String) {
        self.init()
        if text.isEmpty { return }
        let numbers = text.split(separator: ";").compactMap { Int64($0) }
        guard numbers.count == 4, numbers.allSatisfy({ (0...Deadlines.max).contains($0) }) else {
            return nil
        }
        let limits = numbers.map { $0 == 0 ? nil : $0 }
        (scheduleToStart, startToClose) = (limits[0], limits[1])
        (scheduleToClose, heartbeat) = (limits[2], limits[3])
    }
}
