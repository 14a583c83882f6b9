package import Jobs

/// A task as `job tasks` shows it.
package struct TaskDetails: Codable, Sendable, Hashable {
    /// An attempt that did not end well.
    package struct Attempt: Codable, Sendable, Hashable {
        package var number: Int
        package var worker: String
        package var cause: String
        /// Milliseconds since 1970.
        package var endedAt: Int64
        /// What it printed last; only lists of dead tasks say it.
        package var lastLines: [String]?
        /// Set where `lastLines` is empty because nobody could tell them.
        package var linesUnknown: Bool?

        enum CodingKeys: String, CodingKey {
            case number, worker, cause
            case endedAt = "ended_at"
            case lastLines = "last_lines"
            case linesUnknown = "last_lines_unknown"
        }
    }

    package var id: String
    /// What commands take for it: "score/3fa9c1d2".
    package var shortID: String
    package var name: String
    package var kind: String
    /// "waiting", "running", "stopping", "succeeded", "failed" or "cancelled".
    package var state: String
    package var attempt: Int
    package var attemptsMax: Int
    /// Where it runs, or ran last.
    package var worker: String?
    /// Why it failed or was cancelled, or why its last attempt ended.
    package var cause: String?
    /// Why earlier attempts ended, oldest first.
    package var causes: [String]
    package var attempts: [Attempt]

    enum CodingKeys: String, CodingKey {
        case id, name, kind, state, attempt, worker, cause, causes, attempts
        case shortID = "short_id"
        case attemptsMax = "attempts_max"
    }

    /// - Parameter withLines: whether the attempts tell what they printed last.
    package init(_ record: TaskRecord, withLines: Bool = false) {
        id = record.spec.id.rawValue
        shortID = record.spec.id.shortForm
        name = record.spec.name
        kind = record.spec.kind.rawValue
        attempt = record.attempt
        attemptsMax = record.spec.retry.attemptsMax
        causes = record.history.map { "attempt \($0.number) on \($0.worker): \($0.cause)" }
        attempts = record.history.map { attempt in
            Attempt(
                number: attempt.number, worker: WorkerID.name(in: attempt.worker.rawValue),
                cause: attempt.cause.withoutWorkerNumbers, endedAt: attempt.endedAt,
                lastLines: withLines ? attempt.lastLines : nil,
                linesUnknown: withLines && attempt.lastLines.isEmpty && attempt.wasEndedByStore
                    ? true : nil)
        }
        worker = attempts.last?.worker
        cause = attempts.last?.cause
        switch record.state {
        case .waiting: state = "waiting"
        case .running(let lease):
            state = record.cancelRequestedBy == nil ? "running" : "stopping"
            worker = WorkerID.name(in: lease.worker.rawValue)
        case .succeeded:
            state = "succeeded"
            cause = nil
        case .failed:
            state = "failed"
            cause = record.failureText
        case .cancelled(let whom):
            state = "cancelled"
            cause = "cancelled by \(whom)"
        }
    }
}
