package import Jobs

/// A task as `job status --tasks` shows it.
package struct TaskDetails: Codable, Sendable, Hashable {
    package var id: String
    package var name: String
    package var kind: String
    package var state: String
    package var attempt: Int
    /// Why earlier attempts ended, oldest first.
    package var causes: [String]

    package init(_ record: TaskRecord) {
        id = record.spec.id.rawValue
        name = record.spec.name
        kind = record.spec.kind.rawValue
        attempt = record.attempt
        causes = record.history.map { "attempt \($0.number) on \($0.worker): \($0.cause)" }
        state =
            switch record.state {
            case .waiting: "waiting"
            case .running: "running"
            case .succeeded: "succeeded"
            case .failed: "failed"
            case .cancelled: "cancelled"
            }
    }
}
