// What a worker asks of the store, what it is granted, and what it tells of its attempts.

package struct ClaimRequest: Sendable, Codable, Hashable {
    package var worker: WorkerID
    package var free: Resources
    /// Drivers cost no CPU, so they have their own bound.
    package var driverSlots: Int
    package var labels: Set<String>
    /// Only tasks of these pools are granted.
    package var pools: Set<String>
    package var grantsMax: Int
    /// How long a grant lasts without a heartbeat; at most `leaseMaxInMilliseconds` counts.
    package var leaseInMilliseconds: Int64
    /// Attempts that ended, applied first.
    package var endings: [AttemptEnding]
    /// Short tasks that may be granted ahead of the slot they will run in.
    package var ahead: [AheadOffer]

    package static let leaseMaxInMilliseconds: Int64 = 600_000

    package init(
        worker: WorkerID, free: Resources, driverSlots: Int, labels: Set<String> = [],
        grantsMax: Int = 64, leaseInMilliseconds: Int64 = 4_000, endings: [AttemptEnding] = [],
        ahead: [AheadOffer] = [], pools: Set<String> = [Pool.defaultName]
    ) {
        self.worker = worker
        self.free = free
        self.driverSlots = driverSlots
        self.labels = labels
        self.pools = pools
        self.grantsMax = grantsMax
        self.leaseInMilliseconds = leaseInMilliseconds
        self.endings = endings
        self.ahead = ahead
    }
}

/// A worker runs tasks of this job and shape that take less time than asking for the next one: it
/// takes some more, to run them one after another in the slots it uses for them already.
///
/// They come in the order in which all tasks come, so that priority and fair share hold; only first
/// attempts without deadlines do, so that a task that ends whole workers takes few others along.
package struct AheadOffer: Sendable, Codable, Hashable {
    package var job: JobID
    /// As `TaskShape.text` writes it.
    package var shape: String
    package var count: Int

    package init(job: JobID, shape: String, count: Int) {
        self.job = job
        self.shape = shape
        self.count = count
    }
}

package struct Grant: Sendable, Codable, Hashable {
    package let task: TaskRecord
    package let lease: Lease
    /// The job the task belongs to, so that a claim needs no second read.
    package let job: NewJob
    /// Granted by an `AheadOffer`: it takes nothing of what the worker had free.
    package let isAhead: Bool

    package init(task: TaskRecord, lease: Lease, job: NewJob, isAhead: Bool = false) {
        self.task = task
        self.lease = lease
        self.job = job
        self.isAhead = isAhead
    }
}

/// What `JobStore.ended` tells.
package struct EndedTasks: Sendable, Hashable {
    package enum End: Sendable, Hashable {
        case succeeded(TaskID, Payload)
        /// Failed or cancelled; or waiting, running once more since.
        case other(TaskRecord)
    }

    /// At most so many are told in one answer.
    package static let tasksMax = 128

    package var tasks: [End]
    /// Where to go on.
    package var next: Int

    package init(tasks: [End], next: Int) {
        self.tasks = tasks
        self.next = next
    }
}

package struct ClaimReply: Sendable, Codable, Hashable {
    package var endings: [EndingReply]
    package var grants: [Grant]
    /// Milliseconds until the earliest delayed task becomes claimable; nil when none waits for
    /// time.
    package var nextDueInMilliseconds: Int64?

    package init(endings: [EndingReply], grants: [Grant], nextDueInMilliseconds: Int64?) {
        self.endings = endings
        self.grants = grants
        self.nextDueInMilliseconds = nextDueInMilliseconds
    }
}

package struct AttemptEnding: Sendable, Codable, Hashable {
    package var lease: Lease
    package var outcome: AttemptOutcome
    /// What the attempt said last, kept when it failed; see `AttemptRecord.lastLines`.
    package var lastLines: [String]

    package init(lease: Lease, outcome: AttemptOutcome, lastLines: [String] = []) {
        self.lease = lease
        self.outcome = outcome
        self.lastLines = lastLines
    }
}

package enum EndingReply: String, Sendable, Codable, Hashable {
    case committed
    /// The lease is no longer the task's current one; a newer attempt's result stands.
    case leaseLost
    /// The same ending was committed before (a retry of the call).
    case duplicate
}
