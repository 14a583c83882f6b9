package import Jobs

/// Sends to the tracking server what the processes of ended jobs left on this machine. The seam
/// between workers and MLflow, which do not know each other.
package protocol SpoolReplayer: Sendable {
    /// What waits below a process's folder, as the process told; nil when nothing does. Opens
    /// nothing.
    func backlog(of folder: String, job: JobID) -> TrackingBacklog?

    /// Sends what the server takes of a process's folder.
    ///
    /// - Parameters:
    ///   - variables: of the job: which server, and its credentials.
    ///   - ending: what is told of runs that nobody ended; nil: they may go on elsewhere.
    func replay(
        _ folder: String, job: JobID, variables: [String: String], ending: RunEnding?
    ) async -> SpoolReplayOutcome
}

/// How a run ended whose process could not say so.
package enum RunEnding: Sendable, Hashable {
    case finished, failed, killed

    /// What the end of its job says of it; nil while the job goes on.
    ///
    /// - Parameter job: nil when the store has forgotten it.
    init?(_ job: JobRecord?) {
        switch job?.state {
        case .active, .stopping: return nil
        case .succeeded: self = .finished
        case .stopped, nil: self = .killed
        case .failed(let failure):
            // SIGKILL and SIGTERM come from outside; other signals are the program's own crash.
            self = failure.signal == 9 || failure.signal == 15 ? .killed : .failed
        }
    }
}

package struct SpoolReplayOutcome: Sendable, Hashable {
    package var backlog: TrackingBacklog?
    /// The server has everything, and knows that every run is over.
    package var isDone: Bool

    package init(backlog: TrackingBacklog?, isDone: Bool) {
        self.backlog = backlog
        self.isDone = isDone
    }
}
