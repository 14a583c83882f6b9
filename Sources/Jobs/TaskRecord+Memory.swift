/// Whether a store still knows what it granted.
extension TaskRecord {
    /// Whether the store that says this has forgotten that it granted `held`: it came back without
    /// its last writes, after a crash or from a replica that lagged behind.
    ///
    /// A grant that is remembered leaves its number: it runs, or it ended and stands in the
    /// history, or a later one followed it. Where later grants covered the gap this answers false.
    package func hasForgotten(_ held: WorkerLife.Attempt) -> Bool {
        guard life == held.life, attempt <= held.number else { return false }
        guard attempt == held.number else { return true }
        return switch state {
        case .running(let lease): lease.token != held.lease.token
        case .waiting: history.last?.number != held.number
        case .succeeded, .failed, .cancelled: false
        }
    }
}
