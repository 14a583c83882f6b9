import Foundation
import Jobs
import Logging
import TestSupport

@testable import Cluster

/// A worker with real processes: a compiler that is a shell script, and jobs that are Python
/// programs speaking the job channel.
final class WorkerRig: Sendable {
    let folder: TemporaryFolder
    let store: StoreDouble
    let blobs: InMemoryBlobStore
    private let task: Task<Void, Never>
    let worker: Worker

    /// - Parameter folder: shared by workers that share a compiler; each has a place of its own in
    ///   it.
    init(
        _ name: String = "worker-1", folder: TemporaryFolder? = nil,
        store: StoreDouble = StoreDouble(), blobs: InMemoryBlobStore = InMemoryBlobStore(),
        cpus: Int = 2, replayer: (any SpoolReplayer)? = nil,
        _ change: (inout WorkerConfiguration) -> Void = { _ in }
    ) throws {
        let folder = try folder ?? TemporaryFolder()
        (self.folder, self.store, self.blobs) = (folder, store, blobs)
        var configuration = WorkerConfiguration(
            name: name, host: "here",
            resources: Resources(milliCPUs: cpus * 1_000, memoryInBytes: 8 << 30),
            cacheDirectory: "\(folder.path)/cache-\(name)",
            runtimeDirectory: "\(folder.path)/run/\(name)",
            guardExecutable: try BuiltProgram.guardProgram,
            jobEnvironment: ["PATH": "/usr/bin:/bin", "MANTA_ADDRESS": "http://head"],
            version: "1", sdk: try WorkerRig.makeSDK(folder), token: "secret")
        configuration.heartbeatInterval = .milliseconds(200)
        configuration.stopGrace = .seconds(1)
        change(&configuration)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let worker = try Worker(
            configuration, store: store, blobs: blobs, replayer: replayer, logger: logger)
        self.worker = worker
        task = Task { await worker.run() }
    }

    /// Ends the worker in order.
    func stop() async {
        task.cancel()
        await task.value
    }

    // MARK: Jobs

    @discardableResult
    func submit(
        _ entrypoint: Entrypoint, id: String = "job-\(UInt32.random(in: 0 ... .max))",
        _ change: (inout NewJob) -> Void = { _ in }
    ) async throws -> JobID {
        var job = NewJob(id: try JobID(id), entrypoint: entrypoint)
        if case .script = entrypoint { job.driverLabels = ["toolchain"] }
        change(&job)
        return try await store.submit(job).spec.id
    }

    /// Submits the Python job of `PythonJob`, which acts by its arguments.
    func submitScript(
        _ arguments: String..., source: String? = nil, id: String? = nil
    ) async throws -> JobID {
        let digest = try await blobs.put(Array((try source ?? PythonJob.source).utf8))
        let script = Entrypoint.script(fileName: "job.swift", digest: digest, arguments: arguments)
        return try await submit(script, id: id ?? "job-\(UInt32.random(in: 0 ... .max))")
    }

    /// The job when it is over.
    func end(of job: JobID, within limit: Duration = .seconds(60)) async throws -> JobRecord {
        var last: JobRecord?
        try await eventually("\(job) is over", within: limit) {
            last = try await store.job(job)
            return last?.state.isTerminal == true
        }
        guard let last else { throw NeverHappened(what: "a record") }
        return last
    }

    func log(of job: JobID) async throws -> [String] {
        try await store.logs(of: job, after: nil, limit: 100_000).lines.map(\.display)
    }

    // MARK: The compiler

    var compilations: Int {
        let text = try? String(contentsOfFile: folder.path + "/sdk/runs", encoding: .utf8)
        return text?.split(separator: "\n").count ?? 0
    }

    /// Makes the compiler wait while the file `slow` exists.
    func setSlow(_ isSlow: Bool) throws {
        let path = folder.path + "/sdk/slow"
        if isSlow { try folder.write("", to: "sdk/slow") } else { unlink(path) }
    }

    /// "Compiles" by copying; a source that says so does not compile.
    private static func makeSDK(_ folder: TemporaryFolder) throws -> JobSDK {
        let sdk = folder.path + "/sdk"
        if !FileManager.default.fileExists(atPath: sdk + "/flags") {
            try folder.write("", to: "sdk/flags")
            try folder.write("1", to: "sdk/digest")
            try folder.write(
                """
                #!/bin/sh
                echo run >> \(sdk)/runs
                while [ -e \(sdk)/slow ]; do sleep 0.05; done
                if grep -q 'does not compile' "$1"; then
                    echo "$1:1:1: error: it says so itself" >&2
                    exit 1
                fi
                cp "$1" "$3" && chmod 755 "$3"

                """, to: "sdk/swiftc", mode: 0o755)
        }
        return try JobSDK(directory: sdk, compiler: sdk + "/swiftc")
    }
}
