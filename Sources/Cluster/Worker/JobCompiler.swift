import Foundation
import Jobs
import Processes

/// Runs the compiler on what a job brings, and the new binary once so that it describes itself.
///
/// A job brings a script, which is compiled by itself, or a package: its folder as a zip file.
/// `JobBuilder` decides when, and what becomes of the outcome.
package struct JobCompiler: Sendable {
    let configuration: WorkerConfiguration
    let blobs: any BlobStore
    let cache: BlobCache

    /// What a package is called where a script has its file name.
    package static let packageSuffix = ".zip"

    /// What people call the script or package of a file: "train.swift", "trainer".
    static func title(of fileName: String) -> String {
        guard fileName.hasSuffix(packageSuffix) else { return fileName }
        return String(fileName.dropLast(packageSuffix.count))
    }

    /// - Throws: only what may pass by itself; what is wrong with the job is an outcome.
    func compile(fileName: String, digest: String) async throws -> BuildOutcome {
        guard let sdk = configuration.sdk else { throw BuildError.noToolchain }
        let folder = "\(configuration.runtimeDirectory)/build-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let name = (fileName as NSString).lastPathComponent
        let failure =
            name.hasSuffix(JobCompiler.packageSuffix)
            ? try await compilePackage(name, digest, sdk, folder)
            : try await compileScript(name, digest, sdk, folder)
        if let failure { return .failed(diagnostics: failure) }
        return try await describe(folder: folder, name: name)
    }

    /// Makes `folder/job`; answers what the compiler says when there is none.
    private func compileScript(
        _ name: String, _ digest: String, _ sdk: JobSDK, _ folder: String
    ) async throws -> String? {
        let source = try await Patience.whileStoreIsAway { try await blobs.get(digest) }
        try Data(source).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
        return try await compile(
            try sdk.flags() + [name, "-o", "\(folder)/job"], sdk, in: folder)
    }

    /// As `compileScript`: the targets one after the other, the program last.
    private func compilePackage(
        _ name: String, _ digest: String, _ sdk: JobSDK, _ folder: String
    ) async throws -> String? {
        let archive = try await Patience.whileStoreIsAway { try await cache.path(of: digest) }
        let package = "\(folder)/package"
        let products = "\(folder)/products"
        try FileManager.default.createDirectory(
            atPath: products, withIntermediateDirectories: true)
        let title = JobCompiler.title(of: name)
        do {
            try await BlockingWork.run { try ZipArchive.unpack(fileAt: archive, to: package) }
            let plan = try await plan(of: package, sdk, scratch: "\(folder)/manifest")
            for library in plan.libraries {
                let arguments = plan.arguments(library: library, folder: products)
                let failure = try await compile(try sdk.flags() + arguments, sdk, in: package)
                if let failure { return failure }
            }
            let arguments = plan.arguments(output: "\(folder)/job", folder: products)
            return try await compile(try sdk.flags() + arguments, sdk, in: package)
        } catch let error as PackageError {
            return "error: package \(title): \(error)\n"
        } catch let error as ZipError {
            return "error: package \(title): \(error)\n"
        }
    }

    /// - Throws: `PackageError`, also with what is said of a manifest that does not compile.
    private func plan(
        of package: String, _ sdk: JobSDK, scratch: String
    ) async throws -> PackagePlan {
        guard FileManager.default.fileExists(atPath: package + "/Package.swift") else {
            throw PackageError("has no Package.swift")
        }
        guard let tool = sdk.packageTool(configuration.jobEnvironment) else {
            throw PackageError("cannot be read: this worker has a compiler but no `swift package`")
        }
        // Nothing of the worker's own is read or written by it.
        let (status, out, all) = try await run(
            tool,
            [
                "package", "--package-path", package, "--scratch-path", scratch,
                "--cache-path", scratch, "--config-path", scratch, "--security-path", scratch,
                "--manifest-cache", "none", "dump-package",
            ], in: package, environment: configuration.jobEnvironment, outputMax: 4 << 20,
            limit: configuration.compileMax)
        guard status.isSuccess else {
            throw PackageError("has a manifest that cannot be read:\n\(all)")
        }
        let manifest: PackageManifest
        do {
            manifest = try JSONDecoder().decode(PackageManifest.self, from: Data(out.utf8))
        } catch {
            throw PackageError("has a manifest of an unknown form: \(error)")
        }
        let files = try await BlockingWork.run {
            try FileManager.default.subpathsOfDirectory(atPath: package)
                .filter { FileStatus("\(package)/\($0)")?.kind == .file }
        }
        return try PackagePlan(manifest, files: files) { path in
            String(
                decoding: FileManager.default.contents(atPath: "\(package)/\(path)") ?? Data(),
                as: UTF8.self)
        }
    }

    /// Runs the compiler; answers what it said when it failed.
    private func compile(
        _ arguments: [String], _ sdk: JobSDK, in folder: String
    ) async throws -> String? {
        let (status, _, output) = try await run(
            sdk.compiler, arguments, in: folder, environment: configuration.jobEnvironment,
            outputMax: BuildRecord.diagnosticsMax, limit: configuration.compileMax)
        if status.isSuccess { return nil }
        return output.isEmpty ? "\(sdk.compiler): \(status)" : output
    }

    /// Asks the new binary what it is: a task registered twice fails here and not in mid-run.
    private func describe(folder: String, name: String) async throws -> BuildOutcome {
        var environment = configuration.jobEnvironment
        environment["MANTA_ROLE"] = "describe"
        let (status, _, output) = try await run(
            "\(folder)/job", [], in: folder, environment: environment, outputMax: 64 << 10,
            limit: configuration.describeMax)
        guard status.isSuccess else {
            let title = JobCompiler.title(of: name)
            return .failed(
                diagnostics: "\(title) does not describe itself (\(status)):\n\(output)")
        }
        let binary = try await Patience.whileStoreIsAway {
            try await blobs.put(fileAt: "\(folder)/job")
        }
        return .succeeded(binary: binary, description: Array(output.utf8))
    }

    /// Runs a program to its end, at the latest after `limit`.
    ///
    /// - Returns: its exit, its standard output, and both streams in one.
    private func run(
        _ executable: String, _ arguments: [String], in folder: String,
        environment: [String: String], outputMax: Int, limit: Duration
    ) async throws -> (status: ProcessExit, out: String, all: String) {
        var specification = ChildProcess.Specification(
            executable, arguments, environment: environment)
        specification.workingDirectory = folder
        specification.standardOutput = .pipe
        specification.standardError = .pipe
        let process = try GuardedProcess.spawn(
            specification, guardExecutable: configuration.guardExecutable, grace: .seconds(1))
        let (out, all) = (CollectedText(limit: outputMax), CollectedText(limit: outputMax))
        let pump = try OutputPump(
            standardOutput: process.process.standardOutput,
            standardError: process.process.standardError
        ) { stream, line in
            if stream == .out { out.add(line.text) }
            all.add(line.text)
        }
        let deadline = Task {
            try await Task.sleep(for: limit)
            all.add("ended after \(limit.components.seconds) s, the longest this may take")
            await process.killNow()
        }
        let status = await withTaskCancellationHandler {
            await process.wait()
        } onCancel: {
            Task { await process.killNow() }
        }
        deadline.cancel()
        await pump.wait()
        try Task.checkCancellation()
        return (status, out.value, all.value)
    }
}
