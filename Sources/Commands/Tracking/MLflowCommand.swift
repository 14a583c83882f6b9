import ArgumentParser
import Foundation
import MLflow

struct MLflowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mlflow", abstract: "Look after what is recorded in MLflow.",
        subcommands: [ReplayCommand.self])
}

struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Send to MLflow what a job recorded while the server was away.",
        discussion: """
            Jobs on a cluster need this only when their worker never comes back. What is sent \
            is removed from the folder; repeating the command sends nothing twice.
            """)

    @Argument(help: "The folder that the job named at its end.")
    var folder: String

    func run() async throws {
        let environment = Environment.current()
        guard FileManager.default.fileExists(atPath: folder) else {
            throw CommandFailure("there is no folder \(folder)", code: ExitStatus.notFound)
        }
        _ = try environment.mlflowClient()
        let replay = SpoolReplay(try MLflowConfiguration(environment: environment.values))
        // Nobody who lives holds a run that can be opened, so one that did not end was killed.
        let reports = await replay.replay(folder, ending: .killed)
        for report in reports { writeOut(ReplayCommand.line(report) + "\n") }
        guard reports.allSatisfy(\.isDone) else { throw ExitCode(ExitStatus.failure) }
        if reports.isEmpty { writeOut("Nothing waits in \(folder).\n") }
        for report in reports { try FileManager.default.removeItem(atPath: report.folder) }
        // Only when it is empty: it may be a folder of the person who asked.
        _ = rmdir(folder)
    }

    static func line(_ report: SpoolReplay.Report) -> String {
        let name = report.runID ?? (report.folder as NSString).lastPathComponent
        if report.isHeld { return "\(name): its process still runs and sends by itself" }
        let backlog = report.backlog
        if !report.isDone {
            return "\(name): \(backlog.waitingCount) records wait: "
                + (backlog.lastError ?? "the server does not take them")
        }
        var line = "\(name): sent" + (report.link.map { ", see \($0)" } ?? "")
        if backlog.refusedCount > 0 {
            line += "; refused \(backlog.refusedCount), the last: \(backlog.lastRefusal ?? "")"
        }
        if backlog.droppedCount > 0 { line += "; dropped before: \(backlog.droppedCount) values" }
        return line
    }
}
