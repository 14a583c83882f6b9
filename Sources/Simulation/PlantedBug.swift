import Jobs

/// A fault in the code under test, put there on purpose: the checker must find each of them.
package enum PlantedBug: String, CaseIterable, Sendable {
    /// Whoever ran an attempt may end the one that runs now.
    case noFencing = "no-fencing"
    /// A claim leaves overdue leases as they are.
    case noExpiry = "no-expiry"
    /// Two calls of one task with equal inputs have one name.
    case noOccurrence = "no-occurrence"
    /// Any heartbeat keeps the current lease alive, whoever holds it.
    case anyHeartbeat = "any-heartbeat"
    /// Tokens are counted only by what the store remembers.
    case tokensForget = "tokens-forget"
    /// A driver's session goes on waiting for tasks that the store has forgotten.
    case waitsForNobody = "waits-for-nobody"

    var lives: TaskLives {
        var lives = TaskLives()
        switch self {
        case .noFencing:
            let ending = lives.ending
            lives.ending = { (task, told, now) throws(TaskLifeError) in
                var told = told
                if case .running(let current) = task.state { told.lease = current }
                return try ending(task, told, now)
            }
        case .noExpiry:
            lives.expiring = { (task, _) throws(TaskLifeError) in throw .notOverdue(task.spec.id) }
        case .anyHeartbeat:
            lives.extending = { (task, lease, expiry) throws(TaskLifeError) in
                guard case .running(let current) = task.state else {
                    throw .leaseLost(task.spec.id)
                }
                return try task.extending(current, until: expiry)
            }
        case .tokensForget:
            lives.tokenAfter = { last, _ in last + 1 }
        case .noOccurrence, .waitsForNobody:
            break
        }
        return lives
    }
}
