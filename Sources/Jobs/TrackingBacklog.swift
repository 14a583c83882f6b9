/// What of one job MLflow does not have yet, as the worker that keeps it tells.
package struct TrackingBacklog: Sendable, Codable, Hashable {
    package var job: JobID
    /// Metric values, parameters and tags count each; files, models and versions count as one.
    package var waitingCount: Int
    /// When the oldest of them was said, in milliseconds since 1970.
    package var oldest: Int64?
    /// Why the last try to send failed.
    package var lastError: String?
    /// Metric values that had no room.
    package var droppedCount: Int
    /// What MLflow refused to take.
    package var refusedCount: Int

    /// Of a worker's jobs, so that its heartbeat stays small: those that wait longest.
    package static let countMax = 32
    package static let errorMax = 300

    package init(
        job: JobID, waitingCount: Int, oldest: Int64? = nil, lastError: String? = nil,
        droppedCount: Int = 0, refusedCount: Int = 0
    ) {
        self.job = job
        self.waitingCount = waitingCount
        self.oldest = oldest
        self.lastError = lastError.map { String($0.prefix(TrackingBacklog.errorMax)) }
        self.droppedCount = droppedCount
        self.refusedCount = refusedCount
    }

    /// Whether there is anything to tell.
    package var isEmpty: Bool { waitingCount + droppedCount + refusedCount == 0 }

    /// Two workers may keep parts of one job.
    package mutating func add(_ other: TrackingBacklog) {
        waitingCount += other.waitingCount
        oldest = [oldest, other.oldest].compactMap { $0 }.min()
        lastError = lastError ?? other.lastError
        droppedCount += other.droppedCount
        refusedCount += other.refusedCount
    }
}
