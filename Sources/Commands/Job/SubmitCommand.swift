import ArgumentParser
import Cluster
import Foundation
import Jobs

struct SubmitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit",
        abstract: "Run a Swift script or package, or any command, on the cluster.",
        discussion: """
            job submit jobs/train.swift -- --width 75 --height 30
            job submit jobs/pi -- --points 1000000
            job submit --working-dir . -- python train.py
            job submit -- 'make data && make train'
            job submit --after prepare --timeout 2h jobs/train.swift
            job submit --cron '0 3 * * *' --schedule-name nightly jobs/train.swift
            """)

    @OptionGroup var head: HeadOptions

    @Argument(
        help: "A Swift script, or a package's folder. Leave it out to run the command after --.")
    var script: String?

    @Argument(parsing: .postTerminator, help: "The script's or package's options, or the command.")
    var arguments: [String] = []

    @Option(help: "The job's id, also its idempotency key: the same id twice is one job.")
    var submissionId: String?

    @Option(
        help: """
            The job's working directory: a folder that is sent along, or the address of a zip file \
            (https://…#sha256=…) that the workers fetch.
            """)
    var workingDir: String?

    @Option(help: "NAME=VALUE for the job's environment; repeatable.")
    var env: [String] = []

    @Option(help: "KEY=VALUE kept with the job; repeatable.")
    var metadata: [String] = []

    @OptionGroup var placing: PlacingOptions

    @Flag(help: "Return as soon as the job is submitted.")
    var noWait = false

    func validate() throws {
        guard placing.cron != nil else { return }
        if submissionId != nil {
            throw ValidationError(
                "--submission-id does not go with --cron: fires have ids of their own.")
        }
    }

    func run() async throws {
        try await head.withClient { client in
            let submission = try await Upload(command: self, client: client).submission()
            if let cron = placing.cron, let name = placing.scheduleName {
                return try await put(submission, cron, name, client)
            }
            let reply = try await client.submit(submission)
            let id = reply.submissionID
            if head.json && noWait { return try writeJSON(reply) }
            if !head.json {
                writeOut(JobBanner.submitted(id, address: client.address, waits: !noWait))
            }
            if noWait { return }
            let follower = JobFollower(client: client, id: id)
            let end = try await follower.follow(showsPhases: true, logsToError: head.json)
            if head.json {
                try writeJSON(end)
            } else {
                writeOut((follower.isAtLineStart ? "" : "\n") + JobBanner.ended(end))
            }
            throw ExitCode(JobBanner.exitCode(of: end))
        }
    }
}

extension SubmitCommand {
    /// Keeps the submission as a schedule in place of submitting it now.
    private func put(
        _ submission: SubmitRequest, _ cron: String, _ name: String, _ client: HeadClient
    ) async throws {
        var job = submission
        job.submissionID = nil
        let schedule = try await client.put(
            schedule: name, ScheduleRequest(cron: cron, job: job))
        if head.json { return try writeJSON(schedule) }
        writeOut(
            "Schedule '\(name)' is set: \(cron) (UTC).\n"
                + "Next fire: \(TextTable.time(schedule.nextFire)); its jobs are called \(name)-…\n"
                + "See it with: job schedules\nEnd it with: job schedules delete \(name)\n")
    }
}

/// Sends what a submission needs and says so while it happens.
struct Upload {
    let command: SubmitCommand
    let client: HeadClient

    func submission() async throws -> SubmitRequest {
        var request = try await entrypoint()
        request.submissionID = command.submissionId ?? JobID.random().rawValue
        var environment = SubmitRequest.RuntimeEnvironment()
        let variables = try pairs(command.env, of: "--env")
        if !variables.isEmpty { environment.variables = variables }
        if let folder = command.workingDir {
            environment.workingDirectory =
                PinnedURL.isURL(folder) ? try pinned(folder) : try await uploadFolder(folder)
        }
        request.runtimeEnvironment = environment
        request.metadata = try pairs(command.metadata, of: "--metadata")
        try command.placing.apply(to: &request)
        return request
    }

    private func entrypoint() async throws -> SubmitRequest {
        guard let path = command.script else {
            guard !command.arguments.isEmpty else {
                throw CommandFailure(
                    "nothing to run. Name a script (job submit train.swift) or a command after -- "
                        + "(job submit -- python train.py).", code: ExitStatus.usage)
            }
            // One word is a whole shell command; several are a command's words, kept apart.
            let isShellText = command.arguments.count == 1
            return SubmitRequest(
                entrypoint: isShellText
                    ? command.arguments[0] : ShellWords.join(command.arguments))
        }
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue
        {
            return try await uploadPackage(path)
        }
        guard path.hasSuffix(".swift") else {
            throw CommandFailure(
                "\(path) is no Swift script and no package's folder. Did you mean: job submit -- "
                    + ShellWords.join([path] + command.arguments), code: ExitStatus.usage)
        }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandFailure("\(path) cannot be read.", code: ExitStatus.notFound)
        }
        let name = (path as NSString).lastPathComponent
        return try await upload(Array(data), title: name, fileName: name)
    }

    func upload(
        _ bytes: [UInt8], title: String, fileName: String
    ) async throws -> SubmitRequest {
        writeError("Uploading \(title) (\(bytes.count) bytes)\n")
        let digest = try await client.upload(bytes)
        var request = SubmitRequest(entrypoint: ShellWords.join([title] + command.arguments))
        request.script = .init(fileName: fileName, digest: digest, arguments: command.arguments)
        return request
    }

    private func pinned(_ text: String) throws -> String {
        do throws(PinnedURLError) {
            return try PinnedURL(text).description
        } catch {
            throw CommandFailure("--working-dir \(error)", code: ExitStatus.usage)
        }
    }

    private func uploadFolder(_ folder: String) async throws -> String {
        let ignore = IgnoreFile(folder: folder)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder),
            isFolder.boolValue
        else { throw CommandFailure("\(folder) is no folder.", code: ExitStatus.notFound) }
        let archive = try ZipArchive.pack(folder) { ignore.matches($0, isFolder: $1) }
        writeError("Uploading \(folder) (\(archive.count) bytes)\n")
        return "blob://" + (try await client.upload(archive))
    }

    private func pairs(_ texts: [String], of option: String) throws -> [String: String] {
        var pairs: [String: String] = [:]
        for text in texts {
            guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
                throw CommandFailure(
                    "\(option) takes NAME=VALUE, not '\(text)'.", code: ExitStatus.usage)
            }
            pairs[String(text[..<equals])] = String(text[text.index(after: equals)...])
        }
        return pairs
    }
}
