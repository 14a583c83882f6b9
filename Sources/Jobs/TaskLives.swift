/// The transitions of a task that `InMemoryJobStore` applies, held as values.
///
/// Every real store has the ones that `init` sets. The simulation puts a broken one in their place
/// and expects its checker to notice.
package struct TaskLives: Sendable {
    package var ending:
        @Sendable (TaskRecord, AttemptEnding, _ now: Int64) throws(TaskLifeError) -> TaskRecord
    package var expiring: @Sendable (TaskRecord, _ now: Int64) throws(TaskLifeError) -> TaskRecord
    package var extending:
        @Sendable (TaskRecord, Lease, _ until: Int64) throws(TaskLifeError) -> TaskRecord
    /// The token that follows the last one.
    package var tokenAfter: @Sendable (_ last: Int64, _ now: Int64) -> Int64

    package init() {
        ending = { (task, ending, now) throws(TaskLifeError) in
            try task.ending(
                with: ending.outcome, under: ending.lease, lastLines: ending.lastLines, at: now)
        }
        expiring = { (task, now) throws(TaskLifeError) in try task.expiring(at: now) }
        extending = { (task, lease, expiry) throws(TaskLifeError) in
            try task.extending(lease, until: expiry)
        }
        // Never smaller than the microseconds since 1970 at which it is made, as in Redis: a token
        // stays the largest also in a store that lost its last second at a crash.
        tokenAfter = { last, now in max(last + 1, now * 1_000) }
    }
}
