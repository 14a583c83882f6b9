import Jobs

/// What the checker knows of one task, from calls and their answers alone.
final class TaskAccount {
    let spec: NewTask
    var life: Int
    /// Granted in this life and not handed back.
    var attempt = 0
    /// The last one that was granted.
    var lease: Lease?
    /// How long a heartbeat keeps that lease, and until when.
    var length: Int64 = 0
    var expiry: Int64 = 0
    var grantedAt: Int64 = 0
    /// Whether the lease counts: nobody has ended it, and no claim or heartbeat found it overdue.
    var isRunning = false
    /// When its deadlines began to count; nil while it waits for other jobs.
    var scheduledAt: Int64?
    /// It may not be granted earlier, and from `latest` on it can certainly be granted: between
    /// them lies the chance of its delay.
    var earliest: Int64 = 0
    var latest: Int64 = 0
    /// Somebody asked for its end while it ran.
    var isWished = false
    var isOver = false
    /// A deadline may have struck while it waited: what is seen next tells.
    var isUnsure = false
    var result: Payload?
    /// How it was seen to have ended in this life.
    var end: TaskState?
    /// Whether it stands in the checker's list of what is not over.
    var isListed = false

    init(_ spec: NewTask, life: Int) {
        self.spec = spec
        self.life = life
    }

    var id: TaskID { spec.id }
    var isDriver: Bool { spec.kind == .driver }
    var isHeld: Bool { scheduledAt == nil }

    func holds(_ lease: Lease) -> Bool {
        guard isRunning, let current = self.lease else { return false }
        return current.token == lease.token && current.worker == lease.worker
    }

    func begin(at now: Int64) {
        scheduledAt = now
        earliest = now
        latest = now
    }

    func revive(in life: Int, at now: Int64) {
        self.life = life
        attempt = 0
        isWished = false
        isOver = false
        isUnsure = false
        end = nil
        begin(at: now)
    }

    // MARK: Deadlines

    /// When the attempt that runs is to be ended, and whether for good.
    var strike: (at: Int64, isFinal: Bool)? {
        let limits = spec.deadlines
        let close = limits.startToClose.map { grantedAt + $0 }
        guard let whole else { return close.map { ($0, false) } }
        guard let close, close < whole else { return (whole, true) }
        return (close, false)
    }

    /// When everything of it must be over.
    var whole: Int64? {
        guard let scheduledAt else { return nil }
        return spec.deadlines.scheduleToClose.map { scheduledAt + $0 }
    }

    /// Whether a deadline has ended the waiting: nil when chance decides.
    func hasWaitedTooLong(at now: Int64) -> Bool? {
        if let whole, whole <= now { return true }
        guard let limit = spec.deadlines.scheduleToStart, !isHeld else { return false }
        if latest + limit <= now { return true }
        return earliest + limit <= now ? nil : false
    }

    // MARK: Retries

    /// The attempt did not end well at `now`. Answers whether there is another one.
    func triesAgain(_ isRetried: Bool, at now: Int64) -> Bool {
        isRunning = false
        guard isRetried, attempt < spec.retry.attemptsMax, !isWished else { return false }
        // Doubles with each attempt up to 30 s, less up to a half.
        let base = min(30_000, max(0, spec.retry.delayInMilliseconds))
        let whole = min(30_000, base << Int64(min(15, max(0, attempt - 1))))
        earliest = now + whole / 2
        latest = now + whole
        return true
    }
}
