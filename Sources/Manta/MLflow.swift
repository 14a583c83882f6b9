import Foundation
import MLflow
import Synchronization

/// MLflow tracking for job scripts: runs, metrics, artifacts and registered models.
public enum MLflow {
    /// Whether a tracking server is known (MLFLOW_TRACKING_URI). Without one nothing is recorded,
    /// and `register` writes model directories to `./models`.
    public static var isConfigured: Bool {
        guard let job = try? CurrentJob.orFromEnvironment() else { return false }
        return MLflowConfiguration.isConfigured(in: job.environment.mlflow)
    }

    /// Records what `body` does as one run: FINISHED when it returns, FAILED when it throws, KILLED
    /// when the job is stopped.
    ///
    /// A restarted driver goes on with the run its predecessor began, which is found as the n-th
    /// run that the job begins. Where runs begin in no fixed order (several at once), each needs
    /// a `key`.
    ///
    /// - Parameters:
    ///   - experiment: made when missing; MLFLOW_EXPERIMENT_NAME or "Default" when nil.
    ///   - name: shown in lists; MLflow invents one when nil.
    ///   - key: what tells this run from the job's others, where their order does not.
    ///   - tags: set at the start.
    @discardableResult
    public static func run<Result: Sendable>(
        experiment: String? = nil, name: String? = nil, key: String? = nil,
        tags: [String: String] = [:],
        _ body: @Sendable (_ run: MLflowRun) async throws -> Result
    ) async throws -> Result {
        var job = try CurrentJob.orFromEnvironment()
        guard MLflowConfiguration.isConfigured(in: job.environment.mlflow) else {
            warnOnce()
            return try await body(MLflowRun(recording: nil))
        }
        let runKey = job.runKey(chosen: key)
        let effectKey = "\(job.jobID ?? "alone-\(UUID().uuidString)")/\(runKey)"
        var options = RunRecorder.Options()
        options.experiment = experiment
        options.name = name
        options.user = NSUserName()
        options.sourceName = job.script.isEmpty ? nil : job.script
        options.tags = tags
        if let id = job.jobID { options.tags["manta.job"] = id }
        let place = job.parent?.place ?? SpoolPlace(for: job)
        let isOutermost = job.parent == nil
        let active = try await place.start(
            options, effectKey: effectKey, parent: job.parent?.run, try configuration(job))
        job.parent = CurrentJob.Parent(run: active.asParent, key: runKey, place: place)
        return try await CurrentJob.$value.withValue(job) {
            do {
                let result = try await record(active, body)
                await place.leave(active, isLast: isOutermost)
                return result
            } catch {
                await place.leave(active, isLast: isOutermost)
                throw error
            }
        }
    }

    private static func configuration(_ job: CurrentJob) throws -> MLflowConfiguration {
        var variables = job.environment.mlflow
        variables["HOME"] = job.environment.home
        return try MLflowConfiguration(environment: variables)
    }

    /// Runs the body and ends the run as it ended.
    private static func record<Result: Sendable>(
        _ active: SpooledRun, _ body: @Sendable (MLflowRun) async throws -> Result
    ) async throws -> Result {
        do {
            let result = try await body(MLflowRun(recording: active))
            try await active.end(.finished)
            return result
        } catch {
            let isStopped = Task.isCancelled || error is CancellationError
            await active.abandon(as: isStopped ? .killed : .failed)
            throw error
        }
    }

    private static let hasWarned = Mutex(false)

    private static func warnOnce() {
        let isFirst = hasWarned.withLock { hasWarned in
            defer { hasWarned = true }
            return !hasWarned
        }
        guard isFirst else { return }
        StandardStreams.writeError(
            "warning: MLFLOW_TRACKING_URI is not set: runs are not recorded, and registered models "
                + "are written to ./models. Start a server with 'manta up' or 'mlflow server' and "
                + "set MLFLOW_TRACKING_URI=http://127.0.0.1:5000\n")
    }
}
