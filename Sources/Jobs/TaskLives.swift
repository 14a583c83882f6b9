/// The transitions that `InMemoryJobStore` applies to tasks and schedules, held as values.
///
/// Every real store has the ones that `init` sets. The simulation puts a broken one in their place
/// and expects its checker to notice.
package struct TaskLives: Sendable {
    package typealias Fire = (job: NewJob, after: ScheduleRecord)

    package var ending:
        @Sendable (TaskRecord, AttemptEnding, _ now: Int64) throws(TaskLifeError) -> TaskRecord
    package var expiring: @Sendable (TaskRecord, _ now: Int64) throws(TaskLifeError) -> TaskRecord
    package var passingDeadline:
        @Sendable (TaskRecord, _ now: Int64) throws(TaskLifeError) -> TaskRecord
    package var extending:
        @Sendable (TaskRecord, Lease, _ until: Int64) throws(TaskLifeError) -> TaskRecord
    package var reviving:
        @Sendable (TaskRecord, _ life: Int, _ now: Int64) throws(TaskLifeError) -> TaskRecord
    /// What becomes of a new driver whose job comes after others.
    package var holding: @Sendable (TaskRecord) -> TaskRecord
    package var firing: @Sendable (ScheduleRecord, _ now: Int64) throws(JobStoreError) -> Fire?
    /// Whether a worker that asks so may be granted the task.
    package var fits: @Sendable (NewTask, ClaimRequest) -> Bool
    /// Of two waiting tasks of one job the one with more goes first.
    package var priority: @Sendable (NewTask) -> Int
    /// The token that follows the last one.
    package var tokenAfter: @Sendable (_ last: Int64, _ now: Int64) -> Int64

    package init() {
        ending = { (task, ending, now) throws(TaskLifeError) in
            try task.ending(
                with: ending.outcome, under: ending.lease, lastLines: ending.lastLines, at: now)
        }
        expiring = { (task, now) throws(TaskLifeError) in try task.expiring(at: now) }
        passingDeadline = { (task, now) throws(TaskLifeError) in
            try task.passingDeadline(at: now)
        }
        extending = { (task, lease, expiry) throws(TaskLifeError) in
            try task.extending(lease, until: expiry)
        }
        reviving = { (task, life, now) throws(TaskLifeError) in
            try task.reviving(in: life, at: now)
        }
        holding = { $0.holding() }
        firing = { (schedule, now) throws(JobStoreError) in try schedule.firing(at: now) }
        fits = { TaskShape($0).fits($1) }
        priority = { $0.effectivePriority }
        // Never smaller than the microseconds since 1970 at which it is made, as in Redis: a token
        // stays the largest also in a store that lost its last second at a crash.
        tokenAfter = { last, now in max(last + 1, now * 1_000) }
    }
}
