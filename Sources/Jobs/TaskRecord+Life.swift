/// Why a task refuses an event.
package enum TaskLifeError: Error, Sendable, Hashable {
    /// The lease is not the task's current one: a newer attempt decides.
    case leaseLost(TaskID)
    /// This very lease ended its attempt before: the call is a repetition.
    case duplicate(TaskID)
    /// Over, running, or not due yet.
    case notClaimable(TaskID)
    /// The lease has time left.
    case notOverdue(TaskID)
}

/// The life of a task: `waiting → running(lease) → succeeded | failed | cancelled`.
///
/// Pure: the old value and an event in, the new value or a typed refusal out. The in-memory store
/// applies these functions; the Redis store's scripts do the same, held to it by one contract
/// suite.
///
/// **Cancel and success.** A cancel of a running task is a wish (`cancelRequestedBy`) that its
/// worker hears at the next heartbeat. A success that arrives before the worker gave up stands,
/// because the work is done and may have left traces; any other ending after the wish is
/// `cancelled`.
///
/// **Overdue.** A lease ends when someone expires it, not at the instant of `expiry`: a slow worker
/// whose task nobody took meanwhile may still end its attempt, so no finished work is thrown away.
extension TaskRecord {
    /// Gives the task to a worker: a new attempt begins.
    package func granting(_ lease: Lease, at now: Int64) throws(TaskLifeError) -> TaskRecord {
        guard case .waiting(let notBefore) = state, notBefore <= now, !isHeld else {
            throw .notClaimable(spec.id)
        }
        var next = self
        next.attempt += 1
        next.enter(.running(lease), at: now)
        return next
    }

    /// Moves the end of the current lease; refused for any other lease.
    package func extending(
        _ lease: Lease, until expiry: Int64
    ) throws(TaskLifeError) -> TaskRecord {
        var current = try currentLease(matching: lease)
        current.expiry = expiry
        var next = self
        next.state = .running(current)
        return next
    }

    /// Ends the attempt granted by `lease`.
    ///
    /// Only the holder of the current lease may end an attempt. A slow worker whose task was given
    /// to another one gets `leaseLost`, and the newer attempt's result stands.
    ///
    /// - Parameter lastLines: what the attempt said last, kept with its cause when it failed.
    package func ending(
        with outcome: AttemptOutcome, under lease: Lease, lastLines: [String] = [], at now: Int64
    ) throws(TaskLifeError) -> TaskRecord {
        let current = try currentLease(matching: lease)
        var next = self
        next.endedToken = current.token
        switch outcome.bounded {
        case .succeeded(let result):
            next.enter(.succeeded(result), at: now)
        case .cancelled(let whom):
            next.enter(.cancelled(by: cancelRequestedBy ?? whom), at: now)
        case .released:
            next.attempt -= 1
            next.waitAgain(notBefore: now)
        case .failed(let message):
            next.fail(
                TaskFailure(kind: .error, message: message), cause: outcome.cause,
                isRetried: spec.retry.retriesErrors, worker: current.worker,
                lastLines: lastLines, at: now)
        case .crashed(let message, let exitCode, let signal):
            next.fail(
                TaskFailure(kind: .crash, message: message, exitCode: exitCode, signal: signal),
                cause: outcome.cause, isRetried: spec.retry.retriesCrashes,
                worker: current.worker, lastLines: lastLines, at: now)
        }
        return next
    }

    /// Takes the task from a worker that stopped answering. A lost worker is no fault of the
    /// task's, so it is tried again while attempts are left, whatever the policy says of errors and
    /// crashes.
    package func expiring(at now: Int64) throws(TaskLifeError) -> TaskRecord {
        guard case .running(let lease) = state, lease.expiry <= now else {
            throw .notOverdue(spec.id)
        }
        var next = self
        let isBounded = spec.deadlines.heartbeat != nil
        let cause =
            isBounded
            ? "\(exceeded(.heartbeat)) on \(lease.worker)" : AttemptRecord.silence(of: lease.worker)
        next.fail(
            TaskFailure(kind: isBounded ? .deadline : .lost, message: cause), cause: cause,
            isRetried: true, worker: lease.worker, at: now)
        return next
    }

    /// Asks for the end: at once when the task waits, through its worker when it runs.
    package func cancelling(by whom: String) -> TaskRecord {
        var next = self
        switch state {
        case .waiting(let since): next.enter(.cancelled(by: whom), at: since)
        case .running: next.cancelRequestedBy = cancelRequestedBy ?? whom
        case .succeeded, .failed, .cancelled: break
        }
        return next
    }

    private func currentLease(matching lease: Lease) throws(TaskLifeError) -> Lease {
        if case .running(let current) = state, current.token == lease.token,
            current.worker == lease.worker
        {
            return current
        }
        throw endedToken == lease.token ? .duplicate(spec.id) : .leaseLost(spec.id)
    }

    mutating func fail(
        _ failure: TaskFailure, cause: String, isRetried: Bool, worker: WorkerID,
        lastLines: [String] = [], at now: Int64
    ) {
        history.append(
            AttemptRecord(
                number: attempt, worker: worker, cause: cause, endedAt: now,
                lastLines: AttemptRecord.bounded(lastLines)))
        if history.count > TaskRecord.historyMax { history.removeFirst() }
        if isRetried && attempt < spec.retry.attemptsMax {
            waitAgain(notBefore: now + spec.retry.delay(afterAttempt: attempt, of: spec.id))
        } else if let cancelRequestedBy {
            enter(.cancelled(by: cancelRequestedBy), at: now)
        } else {
            enter(.failed(failure), at: now)
        }
    }

    private mutating func waitAgain(notBefore: Int64) {
        let next = cancelRequestedBy.map { TaskState.cancelled(by: $0) }
        enter(next ?? .waiting(notBefore: notBefore), at: notBefore)
    }
}

extension AttemptOutcome {
    /// The longest message that is kept; the rest is cut.
    package static let messageMaxInBytes = 8 << 10

    /// The outcome with its message cut to `messageMaxInBytes`.
    package var bounded: AttemptOutcome {
        switch self {
        case .failed(let message):
            .failed(message: message.prefix(maxBytes: AttemptOutcome.messageMaxInBytes))
        case .crashed(let message, let exitCode, let signal):
            .crashed(
                message: message.prefix(maxBytes: AttemptOutcome.messageMaxInBytes),
                exitCode: exitCode, signal: signal)
        case .cancelled(let whom):
            .cancelled(by: whom.prefix(maxBytes: AttemptRecord.causeMaxInBytes))
        case .succeeded, .released: self
        }
    }

    /// Whether the attempt itself went wrong.
    package var isFailure: Bool {
        switch self {
        case .failed, .crashed: true
        case .succeeded, .released, .cancelled: false
        }
    }

    /// One line for the task's history.
    package var cause: String {
        switch self {
        case .succeeded: "succeeded"
        case .released: "handed back"
        case .cancelled(let whom): "cancelled by \(whom)".firstLine
        case .failed(let message): message.firstLine
        case .crashed(_, _, .some(let signal)): "signal \(signal)\(AttemptOutcome.name(of: signal))"
        case .crashed(_, .some(let exitCode), nil): "exit code \(exitCode)"
        case .crashed(let message, nil, nil): message.firstLine
        }
    }

    private static func name(of signal: Int32) -> String {
        let names: [Int32: String] = [
            1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT",
            7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL", 11: "SIGSEGV", 13: "SIGPIPE", 14: "SIGALRM",
            15: "SIGTERM", 24: "SIGXCPU", 25: "SIGXFSZ", 31: "SIGSYS",
        ]
        return names[signal].map { " (\($0))" } ?? ""
    }
}

extension AttemptRecord {
    package static let causeMaxInBytes = 256
    /// Sixteen attempts of this size are still a small record.
    package static let lastLinesMaxInBytes = 2 << 10

    /// The newest lines that fit in `lastLinesMaxInBytes`, one line feed counted for each.
    static func bounded(_ lines: [String]) -> [String] {
        var left = lastLinesMaxInBytes
        var kept: [String] = []
        for line in AttemptRecord.lines(of: lines.joined(separator: "\n")).reversed() {
            let line = line.prefix(maxBytes: lastLinesMaxInBytes - 1)
            left -= line.utf8.count + 1
            if left < 0 { break }
            kept.append(line)
        }
        return kept.reversed()
    }

    /// A text's lines; none for an empty one.
    static func lines(of text: String) -> [String] {
        if text.isEmpty { return [] }
        return text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
    }
}

extension String {
    /// The text up to its first line break, at most `AttemptRecord.causeMaxInBytes` long.
    var firstLine: String {
        let line = split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)[0]
        return String(line).prefix(maxBytes: AttemptRecord.causeMaxInBytes)
    }

    /// The longest beginning of whole characters' scalars that fits in `maxBytes` of UTF-8.
    package func prefix(maxBytes: Int) -> String {
        guard utf8.count > maxBytes else { return self }
        var end = utf8.index(startIndex, offsetBy: maxBytes)
        while end > startIndex, end.samePosition(in: unicodeScalars) == nil {
            end = utf8.index(before: end)
        }
        return String(self[..<end])
    }
}
