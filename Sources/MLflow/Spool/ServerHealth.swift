internal import Synchronization

/// Whether the tracking server was there when this process last asked: one for all its runs, so
/// that a server that is away costs the job one wait and not one per call.
package final class ServerHealth: Sendable {
    private let outage = Mutex<MLflowError?>(nil)

    package init() {}

    /// Why it could not be reached the last time; nil when it could, or was never asked.
    var lastOutage: MLflowError? { outage.withLock { $0 } }

    func failed(_ error: MLflowError) { outage.withLock { $0 = error } }
    func succeeded() { outage.withLock { $0 = nil } }
}
