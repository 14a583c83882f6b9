import ArgumentParser
import Cluster
import Foundation
import Jobs
import Logging
import Processes

struct WorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "Claim jobs and tasks and run them on this machine.")

    @OptionGroup var role: RoleOptions

    @Option(help: "Shown in logs and lists.")
    var name: String?

    @Option(help: "CPUs tasks may use; default: all of this machine.")
    var cpus: Double?

    @Option(help: "Memory tasks may use, with a unit (8GiB); default: all of this machine.")
    var memory: String?

    @Option(help: "GPUs tasks may use.")
    var gpus = 0

    @Option(help: "NAME=N of whatever else tasks may ask for, like licence=2; repeatable.")
    var resource: [String] = []

    @Option(help: "A label tasks may ask for, like zone=a; repeatable.")
    var label: [String] = []

    @Option(help: "A pool whose jobs run here; repeatable. Default: default.")
    var pool: [String] = []

    @Option(help: "The job SDK's folder; default: beside this program.")
    var sdk: String?

    @Option(
        help: """
            URL of a server that working directories may be fetched from although it is not on the \
            public internet or not https; repeatable.
            """)
    var downloadFrom: [String] = []

    @Option(
        help: """
            HOST:PORT of this machine where other workers and the head fetch large blobs from this \
            worker and leave copies of theirs (MANTA_PEER_ADDRESS).
            """)
    var peerAddress: String?

    @Option(help: "The head's URL, which jobs get as MANTA_ADDRESS.")
    var address: String?

    func run() async throws {
        // Before there are threads that would take more.
        HeapArenas.limit(to: 2)
        let environment = Environment.current()
        let logger = try role.logging.makeLogger("worker", environment)
        let stores = try role.storeConfiguration(environment)
        var configuration = try configuration(environment)
        if case .bucket = stores.origin {
            // The origin's credentials are the cluster's; a job brings its own with --env.
            for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
                configuration.jobEnvironment[name] = nil
            }
        }
        if configuration.sdk == nil {
            logger.warning(
                "no job SDK or no swiftc: this worker compiles no scripts",
                metadata: ["next": "run script/build, put swiftc on PATH, or pass --sdk"])
        }
        let worker = try Worker(
            configuration, store: try await stores.openJobStore(),
            blobs: try await stores.openBlobStore(), replayer: MLflowReplayer(), logger: logger)
        try await runUntilSignalled { await worker.run() }
    }

    private func configuration(_ environment: Environment) throws -> WorkerConfiguration {
        let host = ProcessInfo.processInfo.hostName
        let name = name ?? environment["MANTA_WORKER_NAME"] ?? host
        // It stands in logs and in the name of the cache's folder.
        guard JobID(rawValue: name) != nil, name.utf8.count <= 64 else {
            throw SettingError(
                "'\(name)' is no worker name; take up to 64 letters, digits, dots, - and _.")
        }
        var configuration = WorkerConfiguration(
            name: name, host: host, resources: try resources(),
            cacheDirectory: "\(environment.cacheDirectory)/\(name)",
            runtimeDirectory: "\(environment.runtimeDirectory)/\(getpid())",
            guardExecutable: ExecutablePath.current,
            jobEnvironment: jobEnvironment(environment), version: mantaVersion,
            sdk: try makeSDK(environment), token: try environment.token())
        configuration.downloads = try downloadRules(environment)
        configuration.peerAddress = try peer(environment, token: configuration.token)
        configuration.labels.formUnion(try checkedLabels())
        if !pool.isEmpty { configuration.pools = try pools() }
        if let slots = environment["MANTA_DRIVER_SLOTS"].flatMap(Int.init), slots > 0 {
            configuration.driverSlots = slots
        }
        configuration.spoolDirectory = "\(environment.stateDirectory)/spool/\(name)"
        if let text = environment["MANTA_SPOOL_LIMIT"] {
            configuration.spoolMaxInBytes = try ByteSize(text).bytes
        }
        return configuration
    }

    private func downloadRules(_ environment: Environment) throws -> DownloadRules {
        let named = (environment["MANTA_DOWNLOAD_FROM"] ?? "").split(separator: ",").map(
            String.init)
        do {
            return try DownloadRules(trusting: downloadFrom.isEmpty ? named : downloadFrom)
        } catch {
            throw SettingError("--download-from takes URLs of servers. \(error)")
        }
    }

    private func peer(_ environment: Environment, token: String?) throws -> PeerAddress? {
        guard let text = peerAddress ?? environment["MANTA_PEER_ADDRESS"] else { return nil }
        guard let address = PeerAddress(text) else {
            throw SettingError(
                "--peer-address takes HOST:PORT by which others reach this machine, like "
                    + "10.0.0.7:8266, not '\(text.prefix(200))'.")
        }
        guard token != nil else {
            throw SettingError("--peer-address needs MANTA_TOKEN or MANTA_TOKEN_FILE.")
        }
        return address
    }

    private func resources() throws -> Resources {
        let available = Double(ProcessInfo.processInfo.activeProcessorCount)
        let count = cpus ?? available
        guard count.isFinite, count > 0, count <= 4_096 else {
            throw SettingError("--cpus must be in 0…4096, not \(count).")
        }
        let bytes =
            try memory.map { try ByteSize($0).bytes }
            ?? Int64(ProcessInfo.processInfo.physicalMemory)
        guard (0...1_024).contains(gpus) else {
            throw SettingError("--gpus must be in 0…1024, not \(gpus).")
        }
        return Resources(
            milliCPUs: Int((count * 1_000).rounded()), memoryInBytes: bytes, gpus: gpus,
            custom: try customResources())
    }

    private func customResources() throws -> [String: Int] {
        var custom: [String: Int] = [:]
        for text in resource {
            let parts = text.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, (1...64).contains(parts[0].utf8.count),
                let amount = Double(parts[1]), (0.001...1_000_000).contains(amount)
            else {
                throw SettingError(
                    "--resource takes NAME=N with N in 0.001…1000000, like licence=2, not "
                        + "'\(text)'.")
            }
            custom[String(parts[0])] = Int((amount * 1_000).rounded())
        }
        return custom
    }

    private func checkedLabels() throws -> Set<String> {
        for text in label where !(1...128).contains(text.utf8.count) {
            throw SettingError("--label takes 1 to 128 bytes, not '\(text.prefix(200))'.")
        }
        return Set(label)
    }

    private func pools() throws -> Set<String> {
        for name in pool where !Pool.isValid(name) {
            throw SettingError(
                "'\(name)' is no pool; take up to 64 letters, digits, dots, - and _.")
        }
        return Set(pool)
    }

    private func makeSDK(_ environment: Environment) throws -> JobSDK? {
        let given = sdk ?? environment["MANTA_SDK"]
        guard let directory = environment.sdkDirectory(sdk),
            let compiler = ExecutablePath.find("swiftc", environment.values)
        else {
            if let given {
                throw SettingError("\(given) cannot be used: no SDK there, or no swiftc.")
            }
            return nil
        }
        return try JobSDK(directory: directory, compiler: compiler)
    }

    /// Everything but our own secrets and settings; a job gets the head's address and its own
    /// token.
    private func jobEnvironment(_ environment: Environment) -> [String: String] {
        var variables = environment.values.filter { name, _ in
            !name.hasPrefix("MANTA_") && !name.hasPrefix("REDIS_")
        }
        variables["MANTA_ADDRESS"] = environment.headAddress(address)
        for name in ["MLFLOW_TRACKING_URI", "MLFLOW_PUBLIC_URL"] {
            if let value = environment[name] { variables[name] = value }
        }
        return variables
    }
}
