import Foundation
import Jobs
import Processes

/// The folders of one job on this worker, and the environment its processes start with.
struct JobWorkspace: Sendable {
    let configuration: WorkerConfiguration
    let job: NewJob

    /// Where blobs are offered, and the working directory of jobs that bring none.
    var scratchDirectory: String { JobWorkspace.directory(of: job.id, configuration) }

    private static func directory(of job: JobID, _ configuration: WorkerConfiguration) -> String {
        "\(configuration.runtimeDirectory)/jobs/\(job)"
    }

    /// Makes the scratch folder and answers the working directory, unpacked when the job has one.
    ///
    /// - Throws: `DownloadError` for one that a URL names, `ZipError`, or `BlobStoreError`.
    func prepare(_ context: WorkerContext) async throws -> String {
        try FileManager.default.createDirectory(
            atPath: scratchDirectory + "/tmp", withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        guard let archive = job.workingDirectory else { return scratchDirectory }
        let directory = scratchDirectory + "/work"
        if FileManager.default.fileExists(atPath: directory) { return directory }
        let file = try await find(archive, context)
        let unpacked = scratchDirectory + "/work.\(UUID().uuidString)"
        let isDownload = job.workingDirectoryURL != nil
        try await BlockingWork.run {
            defer { try? FileManager.default.removeItem(atPath: unpacked) }
            try ZipArchive.unpack(fileAt: file, to: unpacked)
            let content = isDownload ? JobWorkspace.content(of: unpacked) : unpacked
            // Driver and executors may do this at once; the first one's folder stands.
            rename(content, directory)
        }
        return directory
    }

    /// The zip file's path on this machine.
    private func find(_ archive: String, _ context: WorkerContext) async throws -> String {
        guard let url = job.workingDirectoryURL else {
            return try await Patience.whileStoreIsAway { try await context.cache.path(of: archive) }
        }
        let source = try PinnedURL(url: url, digest: archive)
        return try await context.cache.path(of: archive) { [downloads = context.downloads] path in
            try await downloads.fetch(source, to: path)
        }
    }

    /// What an archive from the web is about: the one folder that it holds, as the archives of
    /// source hosts do, else all of it.
    private static func content(of folder: String) -> String {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder),
            names.count == 1, let name = names.first,
            FileStatus("\(folder)/\(name)")?.kind == .folder
        else { return folder }
        return "\(folder)/\(name)"
    }

    /// Removes what a job left on this worker; what cannot be removed goes with the worker's
    /// folder.
    static func remove(_ job: JobID, _ configuration: WorkerConfiguration) async {
        let directory = directory(of: job, configuration)
        try? await BlockingWork.run { try FileManager.default.removeItem(atPath: directory) }
    }

    /// What every process of the job gets.
    func environment() -> [String: String] {
        var environment = configuration.jobEnvironment
        environment.merge(job.environment) { _, own in own }
        environment["MANTA_JOB_ID"] = job.id.rawValue
        environment["MANTA_NODE"] = configuration.name
        environment["PYTHONUNBUFFERED"] = "1"
        // A task's memo key is the digest of its encoded input: sets and dictionaries in it must
        // come out in the same order after a restart.
        environment["SWIFT_DETERMINISTIC_HASHING"] = "1"
        if let token = configuration.token {
            environment["MANTA_TOKEN"] = JobToken.make(for: job.id, secret: token)
        }
        return environment
    }

    /// A program of the job in one of the two channel roles.
    func specification(
        binary: String, arguments: [String], role: String, channel: String, token: String,
        workingDirectory: String
    ) -> ChildProcess.Specification {
        var environment = environment()
        environment["MANTA_ROLE"] = role
        environment["MANTA_CHANNEL"] = channel
        environment["MANTA_CHANNEL_TOKEN"] = token
        var specification = ChildProcess.Specification(
            binary, arguments, environment: environment)
        specification.workingDirectory = workingDirectory
        return specification
    }
}
