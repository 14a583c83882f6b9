/// Deadlines in the life of a task.
///
/// As Temporal has it, a start-to-close or heartbeat deadline ends an attempt, which is tried again
/// while the policy has attempts left; the two that count from the schedule are final. Where two
/// strike at one moment, the final one does.
extension TaskRecord {
    /// Takes over a state and what bounds its time.
    ///
    /// - Parameter now: for a running task when its attempt began.
    mutating func enter(_ state: TaskState, at now: Int64) {
        self.state = state
        // Nearly all tasks have no deadlines, and theirs stays nil.
        if !spec.deadlines.isEmpty { deadline = standingDeadline(since: now) }
    }

    private func standingDeadline(since now: Int64) -> StandingDeadline? {
        if isHeld { return nil }
        let limits = spec.deadlines
        let own: StandingDeadline?
        switch state {
        case .waiting(let notBefore):
            own = limits.scheduleToStart.map {
                StandingDeadline(kind: .scheduleToStart, at: notBefore + $0)
            }
        case .running:
            own = limits.startToClose.map { StandingDeadline(kind: .startToClose, at: now + $0) }
        case .succeeded, .failed, .cancelled: return nil
        }
        let whole = limits.scheduleToClose.map {
            StandingDeadline(kind: .scheduleToClose, at: (scheduledAt ?? createdAt) + $0)
        }
        guard let own, let whole else { return own ?? whole }
        return whole.at <= own.at ? whole : own
    }

    /// Ends what took too long: the attempt that runs, or the waiting.
    package func passingDeadline(at now: Int64) throws(TaskLifeError) -> TaskRecord {
        guard let deadline, deadline.at <= now else { throw .notOverdue(spec.id) }
        var next = self
        let text = exceeded(deadline.kind)
        if case .running(let lease) = state {
            next.overdueToken = lease.token
            let cause = "\(text) on \(lease.worker)"
            next.fail(
                TaskFailure(kind: .deadline, message: cause), cause: cause,
                isRetried: deadline.kind == .startToClose, worker: lease.worker, at: now)
        } else {
            next.enter(.failed(TaskFailure(kind: .deadline, message: text)), at: now)
        }
        return next
    }

    /// "start-to-close 5 s exceeded"
    func exceeded(_ kind: StandingDeadline.Kind) -> String {
        "\(name(of: kind)) \(limit(of: kind).asSpan) exceeded"
    }

    /// "start-to-close deadline of 5 s": the deadline that strikes next; nil when none does.
    package var deadlineText: String? {
        deadline.map { "\(name(of: $0.kind)) deadline of \(limit(of: $0.kind).asSpan)" }
    }

    private func limit(of kind: StandingDeadline.Kind) -> Int64 {
        switch kind {
        case .scheduleToStart: spec.deadlines.scheduleToStart ?? 0
        case .startToClose: spec.deadlines.startToClose ?? 0
        case .scheduleToClose: spec.deadlines.scheduleToClose ?? 0
        case .heartbeat: spec.deadlines.heartbeat ?? 0
        }
    }

    private func name(of kind: StandingDeadline.Kind) -> String {
        kind == .scheduleToClose && spec.kind == .driver ? "job timeout" : kind.rawValue
    }
}

extension Int64 {
    /// Milliseconds for people: whole seconds as "5 s", all else as "250 ms".
    fileprivate var asSpan: String {
        isMultiple(of: 1_000) ? "\(self / 1_000) s" : "\(self) ms"
    }
}
