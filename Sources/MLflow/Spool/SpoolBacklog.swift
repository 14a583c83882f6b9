internal import Foundation

/// What of a run, or of several, the server does not have yet.
package struct SpoolBacklog: Codable, Sendable, Hashable {
    /// Metric values, parameters and tags count each; files, models and versions count as one.
    package var waitingCount = 0
    /// When the oldest of them was said, in milliseconds since 1970.
    package var oldest: Int64?
    /// Why the last try failed.
    package var lastError: String?
    /// Metric values that had no room.
    package var droppedCount = 0
    /// What the server did not take.
    package var refusedCount = 0
    package var lastRefusal: String?

    package init() {}

    init(_ state: SpoolState, outage: MLflowError?) {
        waitingCount = state.waitingCount
        oldest = state.waiting.first?.time
        lastError = waitingCount > 0 ? outage?.description : nil
        droppedCount = state.summary.droppedCount
        refusedCount = state.summary.refusedCount
        lastRefusal = state.summary.lastRefusal
    }

    /// Adds another run's.
    package mutating func add(_ other: SpoolBacklog) {
        waitingCount += other.waitingCount
        oldest = [oldest, other.oldest].compactMap { $0 }.min()
        lastError = other.lastError ?? lastError
        droppedCount += other.droppedCount
        refusedCount += other.refusedCount
        lastRefusal = other.lastRefusal ?? lastRefusal
    }

    // MARK: Told to others

    /// The file that tells it to who cannot open the spool, because its process holds it.
    static func path(in folder: String) -> String { folder + "/backlog.json" }

    /// Nil when there is none, or none that can be read.
    static func read(in folder: String) -> SpoolBacklog? {
        guard let text = try? LocalFiles.contents(of: path(in: folder), sizeMax: 64 << 10) else {
            return nil
        }
        guard let found = try? JSONDecoder().decode(SpoolBacklog.self, from: Data(text)),
            found.waitingCount >= 0, found.droppedCount >= 0, found.refusedCount >= 0
        else { return nil }
        return found
    }

    /// Best effort: it is for people's eyes.
    func write(in folder: String) {
        guard let data = try? JSONEncoder().encode(self) else { return }
        try? data.write(to: URL(fileURLWithPath: SpoolBacklog.path(in: folder)), options: .atomic)
    }
}
