internal import Foundation

/// Sends what processes that are gone left in their spools.
package struct SpoolReplay: Sendable {
    private let client: MLflowClient

    /// One run's, afterwards.
    package struct Report: Sendable, Hashable {
        /// The run's folder.
        package var folder: String
        package var runID: String?
        package var link: String?
        package var backlog = SpoolBacklog()
        /// A process still holds it: it sends by itself.
        package var isHeld = false
        /// The server has all of it, and knows that the run is over.
        package var isDone = false
    }

    /// - Parameter configuration: of the server that the runs were recorded for; those of another
    ///   one are left alone and say so.
    package init(_ configuration: MLflowConfiguration) {
        var configuration = configuration
        configuration.retriesMax = min(configuration.retriesMax, SpooledRecorder.retriesMax)
        client = MLflowClient(configuration)
    }

    /// Replays every run of a process, in the order in which they began.
    ///
    /// - Parameters:
    ///   - folder: the process's, or one run's.
    ///   - ending: what is told of runs that nobody ended; nil: they may still go on elsewhere.
    package func replay(_ folder: String, ending: RunStatus?) async -> [Report] {
        let isRun = FileManager.default.fileExists(atPath: SpoolFile.path(in: folder))
        let health = ServerHealth()
        var reports: [Report] = []
        for run in isRun ? [folder] : SpoolFolder.runs(in: folder) {
            reports.append(await replay(run: run, ending, health))
        }
        return reports
    }

    private func replay(
        run folder: String, _ ending: RunStatus?, _ health: ServerHealth
    ) async -> Report {
        var report = Report(folder: folder)
        do throws(MLflowError) {
            let time = SpoolReplay.lastChange(of: SpoolFile.path(in: folder)) ?? client.now()
            guard let file = try SpoolFile.open(in: folder) else {
                report.isHeld = true
                report.backlog = SpoolBacklog.read(in: folder) ?? SpoolBacklog()
                return report
            }
            // Its bytes are spent already; the bound was its process's.
            let spool = RunSpool(
                file, sender: SpoolSender(client: client, folder: folder, isLive: false),
                budget: SpoolBudget(limit: .max / 2), health: health)
            guard await spool.hasBegun else {
                report.isDone = true
                return report
            }
            if let ending, await !spool.isEnded {
                try await spool.add(.abandoned(ending, at: time))
            }
            report.backlog = await spool.backlog
            try await send(spool, health)
            report.backlog = await spool.backlog
            report.isDone = await spool.isDone
            report.runID = spool.run?.id
            report.link = spool.run.map { client.links.run($0.run) }
        } catch {
            report.backlog.lastError = error.description
        }
        report.backlog.write(in: folder)
        return report
    }

    private func send(_ spool: RunSpool, _ health: ServerHealth) async throws(MLflowError) {
        if let address = await spool.trackingURI, address != client.configuration.trackingURI {
            throw MLflowError(
                .invalidConfiguration, operation: "replay the run", subject: spool.folder,
                message: "it was recorded for \(address)",
                nextStep: "Set MLFLOW_TRACKING_URI=\(address).")
        }
        // One run has found out that the server is away: the others need not wait for it too.
        if let outage = health.lastOutage { throw outage }
        await spool.drain()
    }

    /// What waits below a process's folder, as far as it was told; opens nothing.
    package static func backlog(of folder: String) -> SpoolBacklog {
        var sum = SpoolBacklog()
        for run in SpoolFolder.runs(in: folder) {
            if let backlog = SpoolBacklog.read(in: run) { sum.add(backlog) }
        }
        return sum
    }

    /// Milliseconds since 1970.
    private static func lastChange(of path: String) -> Int64? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return (attributes?[.modificationDate] as? Date).map {
            Int64($0.timeIntervalSince1970 * 1000)
        }
    }
}
