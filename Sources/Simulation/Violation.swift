/// Something that must never happen, and did.
package struct Violation: Sendable, Hashable, CustomStringConvertible {
    package enum Promise: String, Sendable, CaseIterable {
        case oneResult = "at most one committed result per task, whatever its lives"
        case fencing = "only the current lease acts"
        case noOverlap = "leases of one task do not overlap"
        case tokensGrow = "tokens never repeat nor go backwards"
        case expiry = "an overdue lease ends at the next claim or heartbeat"
        case living = "a living lease is not taken away"
        case monotone = "what is over stays as it is"
        case fits = "nothing is given twice: grants fit in what was offered"
        case memory = "what is acknowledged is known"
        case memo = "a call is answered by its own task, and by one result"
        case terminal = "every acknowledged submission comes to an end"
        case rest = "a worker that has ended all attempts is free"
        case pools = "a task runs in its job's pool"
        case after = "no driver begins before the jobs it comes after succeeded"
        case deadlines = "a deadline ends what it bounds at the next claim or heartbeat"
        case delays = "what failed is not tried again before its delay"
        case attempts = "attempts are counted from 1 in every life"
        case newLife = "a job begins anew when nothing of it runs"
        case priority = "no task goes before one of higher priority that fits"
        case idle = "nothing waits that fits where somebody asks"
        case fires = "each fire of a schedule is one job"
        case clock = "only the store's clock counts"
        case cancels = "a wish to end an attempt reaches its worker, and no other"
        case reasons = "a job that waits for others names them"
    }
    package let promise: Promise
    package let what: String
    /// Milliseconds since the history began.
    package let at: Int64

    package var description: String { "\(promise.rawValue): \(what) (at \(at) ms)" }
}
