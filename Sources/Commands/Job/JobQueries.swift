import ArgumentParser
import Cluster
import Foundation

struct JobListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show the jobs, newest first.")

    @OptionGroup var head: HeadOptions

    func run() async throws {
        try await head.withClient { client in
            let jobs = try await client.jobs()
            if head.json { return try writeJSON(jobs) }
            if jobs.isEmpty {
                return writeOut("No jobs yet. Submit one with: job submit jobs/train.swift\n")
            }
            let rows = jobs.map { job in
                [
                    job.submissionID, job.status.rawValue, job.manta.phase,
                    TextTable.time(job.startTime), job.entrypoint,
                ]
            }
            writeOut(TextTable.render(["ID", "STATUS", "PHASE", "STARTED", "ENTRYPOINT"], rows))
        }
    }
}

struct JobStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show where a job stands.")

    @OptionGroup var head: HeadOptions

    @Flag(help: "List the job's tasks and why their attempts ended.")
    var tasks = false

    @Argument var id: String

    func run() async throws {
        try await head.withClient { client in
            let job = try await client.job(id)
            let listed = tasks ? try await client.tasks(of: id) : []
            if head.json && tasks { return try writeJSON(listed) }
            if head.json { return try writeJSON(job) }
            writeOut("Status for job '\(job.submissionID)': \(job.status.rawValue)\n")
            writeOut("Status message: \(TerminalText.plain.shown(job.message))\n")
            writeOut("Phase: \(job.manta.phase)\n")
            if let why = job.manta.why, !why.isEmpty { writeOut("Why: \(TextTable.plain(why))\n") }
            if job.manta.tasksTotal > 0 {
                writeOut(
                    "Tasks: \(job.manta.tasksSucceeded) of \(job.manta.tasksTotal) done, "
                        + "\(job.manta.tasksFailed) failed, \(job.manta.tasksRetried) retried\n")
            }
            if let tracking = job.manta.mlflow { writeOut("MLflow: \(tracking.line())\n") }
            for task in listed {
                writeOut("\(task.state)  \(TextTable.plain(task.id))\n")
                for cause in task.causes { writeOut("    \(TextTable.plain(cause))\n") }
            }
        }
    }
}

struct JobLogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Print a job's log.")

    @OptionGroup var head: HeadOptions

    @Flag(name: [.short, .long], help: "Go on until the job is over.")
    var follow = false

    @Argument var id: String

    func run() async throws {
        try await head.withClient { client in
            // A head or a job that is not there is said at once; one that is lost later is waited
            // for.
            _ = try await client.job(id)
            if follow && !head.json {
                let end = try await JobFollower(client: client, id: id).follow(showsPhases: false)
                throw ExitCode(JobBanner.exitCode(of: end))
            }
            let display = TerminalText(descriptor: 1)
            for try await event in client.events(of: id, follows: follow) {
                if head.json {
                    let encoder = JSONEncoder()
                    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
                    if case .log(let line, _) = event {
                        writeOut(String(decoding: try encoder.encode(line), as: UTF8.self) + "\n")
                    }
                } else if case .log(let line, _) = event {
                    writeOut(display.line(line))
                } else if case .dropped(let count) = event {
                    writeError("… \(count) lines are no longer kept …\n")
                }
            }
        }
    }
}

struct JobStopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "End a job, or one of its tasks: SIGTERM, after 5 s SIGKILL."
    )

    @OptionGroup var head: HeadOptions

    @Option(help: "End this task only, as `job tasks` names it: score/3fa9c1d2.")
    var task: String?

    @Flag(help: "Return at once.")
    var noWait = false

    @Argument var id: String

    func run() async throws {
        try await head.withClient { client in
            if let task {
                let details = try await client.stop(task: task, of: id)
                if head.json { return try writeJSON(details) }
                return writeOut("Task '\(details.shortID)' of job '\(id)': \(details.state)\n")
            }
            let wasStopped = try await client.stop(id)
            var job = try await client.job(id)
            if !noWait, let end = try await client.ended(id) { job = end }
            if head.json { return try writeJSON(job) }
            if !wasStopped {
                return writeOut("Job '\(id)' was over already: \(job.status.rawValue)\n")
            }
            writeOut(
                job.status.isTerminal
                    ? "Job '\(id)' ended: \(job.status.rawValue)\n"
                    : "Stop of job '\(id)' asked for\n")
        }
    }
}

struct JobWaitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait", abstract: "Return when a job is over, with its exit code.")

    @OptionGroup var head: HeadOptions

    @Option(help: "Give up after so many seconds (exit code 5).")
    var timeout: Double?

    @Argument var id: String

    func validate() throws {
        if let timeout, !(0...1e9).contains(timeout) {
            throw ValidationError("--timeout must be in 0…1000000000 seconds, not \(timeout).")
        }
    }

    func run() async throws {
        try await head.withClient { client in
            let deadline = timeout.map { ContinuousClock.now + .seconds($0) }
            guard let job = try await client.ended(id, by: deadline) else {
                throw CommandFailure("job \(id) is not over yet.", code: ExitStatus.timeout)
            }
            if head.json {
                try writeJSON(job)
            } else {
                writeOut("Job '\(id)' \(job.status.rawValue.lowercased())\n")
            }
            throw ExitCode(JobBanner.exitCode(of: job))
        }
    }
}

struct JobResultCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "result", abstract: "Print what a job's script returned, as JSON.")

    @OptionGroup var head: HeadOptions

    @Argument var id: String

    func run() async throws {
        try await head.withClient { client in
            writeOut(String(decoding: try await client.result(of: id), as: UTF8.self) + "\n")
        }
    }
}
