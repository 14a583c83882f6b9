import Foundation
import Jobs
import Logging
import Synchronization

/// Keeps what jobs could not tell MLflow: gives each driver a folder for it, sends what is left
/// there when the driver is gone, and tells how much waits.
///
/// The folders lie in the worker's state folder, so that a worker that is started again under the
/// same name finds them: `SPOOL/JOB/ATTEMPT`.
actor SpoolKeeper {
    /// A driver gets at least this much, however full the folder is.
    static let grantMin: Int64 = 16 << 20
    /// Between two tries while MLflow is away.
    static let pauseMax = Duration.seconds(15)

    private struct Shared {
        /// What running drivers were given, by their folder.
        var grants: [String: Int64] = [:]
        /// By folder.
        var backlogs: [String: TrackingBacklog] = [:]
    }

    /// When a folder is tried again.
    private struct Plan {
        var next = ContinuousClock.now
        var pause = Duration.seconds(1)
        var knewEnding = false
    }

    private let configuration: WorkerConfiguration
    private let store: any JobStore
    private let replayer: any SpoolReplayer
    private let logger: Logger
    private let shared = Mutex(Shared())
    private var plans: [String: Plan] = [:]

    init(
        _ configuration: WorkerConfiguration, store: any JobStore, replayer: any SpoolReplayer,
        logger: Logger
    ) {
        self.configuration = configuration
        self.store = store
        self.replayer = replayer
        self.logger = logger
    }

    // MARK: Running drivers

    /// Makes the folder of a driver's attempt and answers the variables that name it; none when it
    /// cannot be made.
    nonisolated func begin(_ job: JobID, token: Int64) -> [String: String] {
        let folder = folder(of: job, token)
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        } catch {
            logger.warning(
                "no place for what MLflow does not take",
                metadata: ["folder": "\(folder)", "cause": "\(error)"])
            return [:]
        }
        let used = SpoolKeeper.size(of: configuration.spoolDirectory)
        let grant = shared.withLock { shared in
            let granted = shared.grants.values.reduce(0, +)
            let room = configuration.spoolMaxInBytes - used - granted
            let grant = max(SpoolKeeper.grantMin, min(configuration.spoolJobMaxInBytes, room))
            shared.grants[folder] = grant
            return grant
        }
        return ["MANTA_SPOOL": folder, "MANTA_SPOOL_MAX": String(grant)]
    }

    /// The attempt's process is gone; what it left is sent from now on.
    nonisolated func end(_ job: JobID, token: Int64) {
        let folder = folder(of: job, token)
        _ = shared.withLock { $0.grants.removeValue(forKey: folder) }
        // Gone at once where nothing was recorded.
        SpoolKeeper.removeEmpty(folder)
    }

    private nonisolated func folder(of job: JobID, _ token: Int64) -> String {
        "\(configuration.spoolDirectory)/\(job)/\(token)"
    }

    /// What waits, for the heartbeat; the jobs that wait longest.
    nonisolated var backlogs: [TrackingBacklog] {
        let all = shared.withLock { Array($0.backlogs.values) }
        var jobs: [JobID: TrackingBacklog] = [:]
        for backlog in all {
            if jobs[backlog.job]?.add(backlog) == nil { jobs[backlog.job] = backlog }
        }
        return Array(
            jobs.values.sorted { $0.oldest ?? .max < $1.oldest ?? .max }
                .prefix(TrackingBacklog.countMax))
    }

    // MARK: The loop

    /// Looks at every folder each second until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            await look()
            try? await Task.sleep(for: configuration.heartbeatInterval)
        }
    }

    private func look() async {
        let root = configuration.spoolDirectory
        var seen: Set<String> = []
        for name in SpoolKeeper.names(in: root) {
            guard let job = JobID(rawValue: name) else { continue }
            for attempt in SpoolKeeper.names(in: "\(root)/\(name)") {
                let folder = "\(root)/\(name)/\(attempt)"
                seen.insert(folder)
                if shared.withLock({ $0.grants[folder] != nil }) {
                    tell(replayer.backlog(of: folder, job: job), folder)
                } else {
                    await replay(folder, job)
                }
            }
        }
        plans = plans.filter { seen.contains($0.key) }
        shared.withLock { shared in
            shared.backlogs = shared.backlogs.filter { seen.contains($0.key) }
        }
    }

    private func replay(_ folder: String, _ job: JobID) async {
        // A store that is away says nothing of the job; its facts can be sent all the same.
        let record: JobRecord?
        let ending: RunEnding?
        do {
            record = try await store.job(job)
            ending = RunEnding(record)
        } catch {
            (record, ending) = (nil, nil)
        }
        var plan = plans[folder] ?? Plan()
        let isNews = ending != nil && !plan.knewEnding
        guard isNews || ContinuousClock.now >= plan.next else { return }
        let variables = configuration.jobEnvironment.merging(
            record?.spec.environment ?? [:]
        ) { _, own in own }
        let outcome = await replayer.replay(
            folder, job: job, variables: variables, ending: ending)
        if outcome.isDone, ending != nil { return remove(folder, job) }
        tell(outcome.backlog, folder)
        if isTooOld(outcome.backlog) { return dropOld(folder, job, outcome.backlog) }
        plan.knewEnding = ending != nil
        plan.next = .now + plan.pause + .milliseconds(Int64.random(in: 0...200))
        plan.pause = min(SpoolKeeper.pauseMax, plan.pause * 2)
        plans[folder] = plan
    }

    private func tell(_ backlog: TrackingBacklog?, _ folder: String) {
        shared.withLock { $0.backlogs[folder] = backlog }
    }

    private func remove(_ folder: String, _ job: JobID) {
        if shared.withLock({ $0.backlogs[folder]?.waitingCount ?? 0 }) > 0 {
            logger.info("MLflow has what waited for it", metadata: ["job": "\(job)"])
        }
        try? FileManager.default.removeItem(atPath: folder)
        SpoolKeeper.removeEmpty(folder)
        tell(nil, folder)
        plans[folder] = nil
    }

    private func isTooOld(_ backlog: TrackingBacklog?) -> Bool {
        guard let oldest = backlog?.oldest else { return false }
        let age = Duration.milliseconds(Int64(Date().timeIntervalSince1970 * 1_000) - oldest)
        return age > configuration.spoolAgeMax
    }

    private func dropOld(_ folder: String, _ job: JobID, _ backlog: TrackingBacklog?) {
        logger.warning(
            "dropped what MLflow did not take for too long",
            metadata: [
                "job": "\(job)", "records": "\(backlog?.waitingCount ?? 0)",
                "cause": "\(backlog?.lastError ?? "unknown")",
            ])
        try? FileManager.default.removeItem(atPath: folder)
        SpoolKeeper.removeEmpty(folder)
        tell(nil, folder)
    }

    // MARK: Files

    private static func names(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }

    /// Removes an attempt's folder, and its job's, where nothing is in them.
    private static func removeEmpty(_ folder: String) {
        _ = rmdir(folder)
        _ = rmdir((folder as NSString).deletingLastPathComponent)
    }

    private static func size(of folder: String) -> Int64 {
        guard let names = FileManager.default.enumerator(atPath: folder) else { return 0 }
        var size: Int64 = 0
        while let name = names.nextObject() as? String {
            if let status = FileStatus("\(folder)/\(name)"), status.kind == .file {
                size += Int64(status.sizeInBytes)
            }
        }
        return size
    }
}
