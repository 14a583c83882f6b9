internal import Crypto
import Foundation
import JobChannel
import Jobs

/// Turns a job's script or package into a binary, once per content in the whole cluster.
///
/// The binary's key is the SHA-256 of the script or package, the SDK and the compiler. Whoever gets
/// the build from the store has `JobCompiler` compile and describe it, and the binary becomes a
/// blob; everyone else waits for that.
actor JobBuilder {
    private let configuration: WorkerConfiguration
    private let store: any JobStore
    private let compiler: JobCompiler
    private let cache: BlobCache
    private let worker: WorkerID
    private let builds = SingleFlight<String>()

    init(
        configuration: WorkerConfiguration, worker: WorkerID, store: any JobStore,
        blobs: any BlobStore, cache: BlobCache
    ) {
        self.configuration = configuration
        self.worker = worker
        self.store = store
        self.cache = cache
        compiler = JobCompiler(configuration: configuration, blobs: blobs, cache: cache)
    }

    /// The path of the script's binary on this machine.
    ///
    /// - Throws: `BuildError.diagnostics` with the compiler's output, verbatim.
    func binary(fileName: String, digest: String) async throws -> String {
        let key = try buildKey(fileName: fileName, digest: digest)
        return try await builds.value(of: key) {
            try await self.findOrBuild(key, fileName: fileName, digest: digest)
        }
    }

    /// Whether the script still has to be compiled, so that people are told.
    func isBuilt(fileName: String, digest: String) async -> Bool {
        guard let key = try? buildKey(fileName: fileName, digest: digest) else { return false }
        return FileManager.default.fileExists(atPath: knownPath(key))
    }

    private func buildKey(fileName: String, digest: String) throws -> String {
        guard let sdk = configuration.sdk else { throw BuildError.noToolchain }
        // Diagnostics name the file, so two names of one content are two builds.
        return SHA256.hash(data: Data("\(try sdk.digest())\n\(digest)\n\(fileName)".utf8)).hex
    }

    /// Remembers the binary of a key without asking the store, across restarts of the worker.
    private nonisolated func knownPath(_ key: String) -> String {
        "\(configuration.cacheDirectory)/builds/\(key)"
    }

    private func findOrBuild(_ key: String, fileName: String, digest: String) async throws -> String
    {
        if let known = FileManager.default.contents(atPath: knownPath(key)) {
            if let path = try? await cache.path(of: String(decoding: known, as: UTF8.self)) {
                return path
            }
        }
        while true {
            let answer = try await Patience.whileStoreIsAway {
                try await store.beginBuild(key, by: worker)
            }
            switch answer {
            case .ended(.succeeded(let binary, _)):
                do {
                    let path = try await Patience.whileStoreIsAway {
                        try await cache.path(of: binary)
                    }
                    remember(binary, for: key)
                    return path
                } catch BlobStoreError.missing, BlobStoreError.damaged {
                    // The store lost the binary, not the script: compile it again.
                    try await Patience.whileStoreIsAway { try await store.forgetBuild(key) }
                }
            case .ended(.failed(let diagnostics)):
                throw BuildError.diagnostics(diagnostics)
            case .ended(.abandoned):
                continue
            case .building:
                try await Task.sleep(for: .milliseconds(100))
            case .granted(let token, _):
                try await build(key, token: token, fileName: fileName, digest: digest)
            }
        }
    }

    private func remember(_ binary: String, for key: String) {
        let path = knownPath(key)
        try? FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try? Data(binary.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    }

    /// Compiles under the grant, extending it while the compiler runs.
    private func build(_ key: String, token: Int64, fileName: String, digest: String) async throws {
        let keepAlive = Task { [store, worker] in
            while true {
                try await Task.sleep(for: .seconds(3))
                // One that is lost costs nothing; when all are, `endBuild` is refused below.
                _ = try? await store.beginBuild(key, by: worker)
            }
        }
        let compiled: Result<BuildOutcome, any Error>
        do {
            compiled = .success(try await compiler.compile(fileName: fileName, digest: digest))
        } catch {
            compiled = .failure(error)
        }
        // Ended before the build is: it would begin a new one.
        keepAlive.cancel()
        _ = await keepAlive.result
        switch compiled {
        case .success(let outcome):
            try await end(key, token: token, outcome)
        case .failure(let error):
            // Left to its lease when the store is away, too.
            try? await store.endBuild(key, token: token, outcome: .abandoned)
            throw error
        }
    }

    private func end(_ key: String, token: Int64, _ outcome: BuildOutcome) async throws {
        do {
            try await Patience.whileStoreIsAway {
                try await store.endBuild(key, token: token, outcome: outcome)
            }
        } catch JobStoreError.leaseLost {
            // Another worker builds it by now; the caller asks again.
        }
    }
}

/// Why there is no binary.
package enum BuildError: Error, Sendable, CustomStringConvertible {
    case diagnostics(String)
    case noToolchain

    /// What `job submit` exits with when a script does not compile (EX_DATAERR of sysexits.h).
    package static let exitCode: Int32 = 65

    package var description: String {
        switch self {
        case .diagnostics(let text): text
        case .noToolchain:
            "this worker has no job SDK or no swiftc; start one with --sdk and swiftc on PATH"
        }
    }
}
