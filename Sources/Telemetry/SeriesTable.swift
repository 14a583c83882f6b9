import Synchronization

/// The series of one family by their label values, at most `countMax` of them.
///
/// Label values can come from outside (a model's name), so the table is bounded: sets beyond the
/// bound share one series whose labels are all `other`, and the overflow is counted.
final class SeriesTable<Value: Sendable>: Sendable {
    /// Series of one family; beyond it Prometheus itself begins to suffer.
    static var countMax: Int { 200 }

    private struct State {
        var index: [[String]: Int] = [:]
        var labels: [[String]] = []
        var values: [Value] = []
    }

    private let description: MetricDescription
    private let initial: Value
    private let onOverflow: @Sendable (String) -> Void
    private let state = Mutex(State())

    init(
        _ description: MetricDescription, initial: Value,
        onOverflow: @escaping @Sendable (String) -> Void
    ) {
        self.description = description
        self.initial = initial
        self.onOverflow = onOverflow
        // A family without labels has exactly one series, shown from the start.
        if description.labels.isEmpty { update([]) { _ in } }
    }

    /// Changes the series of these label values, making it first where it is new.
    func update(_ labels: [String], _ change: (inout Value) -> Void) {
        precondition(labels.count == description.labels.count, "wrong number of label values")
        let overflowed = state.withLock { state in
            let (position, overflowed) = locate(labels, in: &state)
            change(&state.values[position])
            return overflowed
        }
        if overflowed { onOverflow(description.name) }
    }

    private func locate(_ labels: [String], in state: inout State) -> (Int, overflowed: Bool) {
        if let known = state.index[labels] { return (known, false) }
        let isFull = state.values.count >= Self.countMax
        let kept = isFull ? labels.map { _ in "other" } : labels.map(Self.bounded)
        if let known = state.index[kept] { return (known, isFull) }
        state.index[kept] = state.values.count
        state.labels.append(kept)
        state.values.append(initial)
        return (state.values.count - 1, isFull)
    }

    /// Label values of at most 256 bytes; a longer one is cut at a character.
    private static func bounded(_ value: String) -> String {
        guard value.utf8.count > 256 else { return value }
        var cut = String(value.prefix(256))
        while cut.utf8.count > 256 { cut.removeLast() }
        return cut
    }

    func value(_ labels: [String]) -> Value? {
        state.withLock { state in state.index[labels].map { state.values[$0] } }
    }

    func removeAll() {
        state.withLock { $0 = State() }
    }

    func snapshot() -> [([String], Value)] {
        state.withLock { state in Array(zip(state.labels, state.values)) }
    }
}
