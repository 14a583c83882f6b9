import Cluster
import Foundation
import Jobs
import MLflow

/// Lets a worker send what its jobs could not: the place where workers and MLflow meet.
struct MLflowReplayer: SpoolReplayer {
    func backlog(of folder: String, job: JobID) -> TrackingBacklog? {
        TrackingBacklog(SpoolReplay.backlog(of: folder), job: job)
    }

    func replay(
        _ folder: String, job: JobID, variables: [String: String], ending: RunEnding?
    ) async -> SpoolReplayOutcome {
        let replay: SpoolReplay
        do {
            replay = SpoolReplay(try MLflowConfiguration(environment: variables))
        } catch {
            var backlog = SpoolReplay.backlog(of: folder)
            backlog.lastError = error.description
            return SpoolReplayOutcome(
                backlog: TrackingBacklog(backlog, job: job), isDone: false)
        }
        let reports = await replay.replay(folder, ending: ending.map(\.status))
        var sum = SpoolBacklog()
        for report in reports { sum.add(report.backlog) }
        return SpoolReplayOutcome(
            backlog: TrackingBacklog(sum, job: job), isDone: reports.allSatisfy(\.isDone))
    }
}

extension RunEnding {
    var status: RunStatus {
        switch self {
        case .finished: .finished
        case .failed: .failed
        case .killed: .killed
        }
    }
}

extension TrackingBacklog {
    /// Nil when there is nothing to tell.
    init?(_ backlog: SpoolBacklog, job: JobID) {
        self.init(
            job: job, waitingCount: backlog.waitingCount, oldest: backlog.oldest,
            lastError: backlog.lastError, droppedCount: backlog.droppedCount,
            refusedCount: backlog.refusedCount)
        if isEmpty { return nil }
    }
}

extension JobDetails.Tracking {
    /// "120 records wait, oldest 40 s, last error …", as `job status` says it.
    func line(now: Date = Date()) -> String {
        var parts: [String] = []
        if waiting > 0 {
            parts.append(waiting == 1 ? "1 record waits" : "\(waiting) records wait")
            if let oldest {
                let age = max(0, now.timeIntervalSince1970 - Double(oldest) / 1_000)
                parts.append("oldest \(Int(age)) s")
            }
        }
        if dropped > 0 { parts.append("\(dropped) metric values dropped for want of room") }
        if refused > 0 { parts.append("\(refused) refused by the server") }
        if let lastError, waiting > 0 { parts.append("last error: \(lastError)") }
        return parts.joined(separator: ", ")
    }
}
