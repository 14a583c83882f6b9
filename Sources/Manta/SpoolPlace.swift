import Foundation
import MLflow
import Synchronization

/// Where a run of this process, and those inside it, wait for MLflow: the folder that the worker
/// gave, or without a worker one of its own in the temporary folder.
final class SpoolPlace: Sendable {
    let folder: String
    /// Whether a worker sends what is left.
    private let isWatched: Bool
    private let runs = Mutex<[SpooledRun]>([])

    /// How long a run without a worker waits for MLflow at its end.
    static let patience = Duration.seconds(30)

    /// One per process: runs share the bound, and what is known of the server.
    private static let health = ServerHealth()
    private static let budget = SpoolBudget(
        limit: (try? DriverEnvironment.current().spool?.limitInBytes) ?? SpoolBudget.defaultLimit)

    init(for job: CurrentJob) {
        if let spool = job.environment.spool {
            (folder, isWatched) = (spool.folder, true)
        } else {
            folder =
                FileManager.default.temporaryDirectory.appendingPathComponent(
                    "manta-spool-\(UUID().uuidString)"
                ).path
            isWatched = false
        }
    }

    func start(
        _ options: RunRecorder.Options, effectKey: String, parent: SpoolBeginning.Parent?,
        _ configuration: MLflowConfiguration
    ) async throws -> SpooledRun {
        let recorder = SpooledRecorder(
            configuration, folder: folder, budget: Self.budget, health: Self.health)
        let run = try await recorder.start(options, effectKey: effectKey, parent: parent)
        runs.withLock { $0.append(run) }
        return run
    }

    /// Says where the ended run is to be seen, or that it waits and for what.
    ///
    /// - Parameter isLast: whether no other run of this place goes on.
    func leave(_ run: SpooledRun, isLast: Bool) async {
        if isLast, !isWatched { await settle() }
        if let link = run.link, let experiment = run.experimentLink {
            let name = run.run.map { $0.name.isEmpty ? $0.id : $0.name } ?? ""
            StandardStreams.writeLine("View run \(name) at: \(link)")
            StandardStreams.writeLine("View experiment at: \(experiment)")
        }
        let backlog = await run.backlog
        guard backlog.waitingCount > 0 else { return }
        let name = run.name.isEmpty ? "a run" : "run '\(run.name)'"
        let next =
            isWatched
            ? "the worker sends them when it is back"
            : "send them later with: manta mlflow replay \(folder)"
        StandardStreams.writeError(
            "warning: \(backlog.waitingCount) records of \(name) wait for MLflow "
                + "(\(backlog.lastError ?? "it does not answer")); \(next)\n")
    }

    /// Waits for what is left, but not for ever; removes the folder when nothing is.
    private func settle() async {
        let deadline = ContinuousClock.now + (Task.isCancelled ? .zero : Self.patience)
        var isSettled = true
        for run in runs.withLock({ $0 }) {
            let limit = max(.zero, deadline - ContinuousClock.now)
            if await !run.settle(within: limit) { isSettled = false }
        }
        // What cannot be removed is in the temporary folder and holds nothing of worth.
        if isSettled { try? FileManager.default.removeItem(atPath: folder) }
    }
}
