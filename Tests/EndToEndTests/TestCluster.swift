import Foundation
import Processes
import Synchronization
import TestSupport

/// A head and workers as real processes of the built `manta`, over a redis-server of their own.
///
/// Everything lives in one temporary folder and ends with the test process.
final class TestCluster: Sendable {
    let folder: String
    let redis: RedisServer
    let headPort: Int
    let mlflowURL: String?
    /// What every process of the cluster gets, over the usual variables.
    private let variables: [String: String]
    private let roles = Mutex<[String: ChildProcess]>([:])

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// What a finished command said.
    struct Output: Sendable {
        let exit: ProcessExit
        let out: String
        let err: String
        let duration: Duration

        var outLines: [String] { out.split(separator: "\n").map(String.init) }
    }

    /// - Parameters:
    ///   - cpus: of each worker.
    ///   - downloadFrom: a server that working directories may be fetched from.
    ///   - redis: a server of the test's own; it ends with the cluster. Nil: a fresh one.
    ///   - variables: for every process of the cluster, over the usual ones.
    static func start(
        workers: Int = 2, cpus: Int = 1, mlflowURL: String? = nil, downloadFrom: String? = nil,
        redis: RedisServer? = nil, variables: [String: String] = [:]
    ) async throws -> TestCluster {
        var variables = variables
        variables["MANTA_DOWNLOAD_FROM"] = downloadFrom
        let server = if let redis { redis } else { try await RedisServer.start() }
        let cluster = try TestCluster(redis: server, mlflowURL: mlflowURL, variables: variables)
        try await cluster.startHead()
        for number in 0..<workers { try cluster.startWorker(number + 1, cpus: Double(cpus)) }
        try await cluster.waitForWorkers(workers)
        return cluster
    }

    private init(redis: RedisServer, mlflowURL: String?, variables: [String: String]) throws {
        self.redis = redis
        self.mlflowURL = mlflowURL
        self.variables = variables
        headPort = try FreePorts.one()
        // Short: a socket's path below it has at most 107 bytes.
        folder = "/tmp/manta-e2e-\(getpid())-\(headPort)"
        for name in ["state", "data", "cache", "run", "bin", "origin", "work"] {
            try FileManager.default.createDirectory(
                atPath: "\(folder)/\(name)", withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        }
        try wrapCompiler()
    }

    /// A `swiftc` that notes each of its runs, first on the workers' PATH. What begins with `#!` is
    /// a program already (`PythonJob`): it is copied.
    private func wrapCompiler() throws {
        let real = try ExecutablePath.resolve("swiftc", ProcessInfo.processInfo.environment)
        let script = """
            #!/bin/sh
            echo run >> \(folder)/compilations
            eval "source=\\${$(($# - 2))}; output=\\${$#}"
            if head -c 2 "$source" 2>/dev/null | grep -q '#!'; then
                cp "$source" "$output" && exec chmod 755 "$output"
            fi
            exec \(real) "$@"

            """
        try script.write(toFile: "\(folder)/bin/swiftc", atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755], ofItemAtPath: "\(folder)/bin/swiftc")
    }

    /// Times the compiler was started.
    var compilationCount: Int {
        let text = try? String(contentsOfFile: "\(folder)/compilations", encoding: .utf8)
        return text?.split(separator: "\n").count ?? 0
    }

    var environment: [String: String] {
        var variables = ProcessInfo.processInfo.environment.filter {
            !$0.key.hasPrefix("MANTA_") && !$0.key.hasPrefix("MLFLOW_")
        }
        variables["PATH"] = "\(folder)/bin:" + (variables["PATH"] ?? "/usr/bin:/bin")
        variables["XDG_STATE_HOME"] = folder + "/state"
        variables["XDG_DATA_HOME"] = folder + "/data"
        variables["XDG_CACHE_HOME"] = folder + "/cache"
        variables["XDG_RUNTIME_DIR"] = folder + "/run"
        variables["MANTA_ADDRESS"] = "http://127.0.0.1:\(headPort)"
        variables["MANTA_TOKEN"] = "test-token"
        variables["MANTA_STORE"] = redis.url
        variables["MANTA_ORIGIN"] = folder + "/origin"
        variables["MLFLOW_TRACKING_URI"] = mlflowURL
        return variables.merging(self.variables) { $1 }
    }

    // MARK: Roles

    func startHead() async throws {
        try startRole("head", ["head", "--port", String(headPort)])
        try await eventually("the head answers", within: .seconds(30)) {
            try await self.manta(["job", "list"]).exit.isSuccess
        }
    }

    /// - Parameters:
    ///   - options: further words of the command.
    ///   - variables: for this worker alone, over the cluster's.
    ///   - wrapper: a program and its arguments that run the worker's command, which follows.
    func startWorker(
        _ number: Int, cpus: Double = 1, options: [String] = [],
        variables: [String: String] = [:], wrapper: [String] = []
    ) throws {
        let name = "worker-\(number)"
        try startRole(
            name, ["worker", "--name", name, "--cpus", String(cpus)] + options, variables, wrapper)
    }

    /// Another head on the same Redis, "head-2", which no command speaks to.
    func startSecondHead() async throws {
        let port = try FreePorts.one()
        try startRole("head-2", ["head", "--port", String(port)])
        try await eventually("the second head answers", within: .seconds(30)) {
            try await HeadProbe.status("http://127.0.0.1:\(port)/readyz") == 200
        }
    }

    /// Answers the gateway's URL once it answers.
    func startGateway(_ options: [String] = []) async throws -> String {
        let port = try FreePorts.one()
        try startRole(
            "gateway",
            [
                "gateway", "--port", String(port), "--ops-port", "0", "--state-dir",
                folder + "/state/gateway",
            ] + options)
        try await eventually("the gateway answers", within: .seconds(30)) {
            try await HeadProbe.status("http://127.0.0.1:\(port)/livez") == 200
        }
        return "http://127.0.0.1:\(port)"
    }

    func startRole(
        _ name: String, _ arguments: [String], _ variables: [String: String] = [:],
        _ wrapper: [String] = []
    ) throws {
        let command = wrapper + [try Products.manta] + arguments
        var specification = ChildProcess.Specification(
            command[0], Array(command.dropFirst()),
            environment: environment.merging(variables) { $1 })
        specification.standardOutput = .file("\(folder)/\(name).log")
        specification.standardError = .file("\(folder)/\(name).log")
        let child = try ChildProcess.spawn(specification)
        roles.withLock { $0[name] = child }
    }

    /// Sends a signal to one role, which stays one of ours.
    func signal(_ role: String, _ number: Int32) throws {
        guard let child = roles.withLock({ $0[role] }) else {
            throw Failure(description: "no role \(role)")
        }
        Foundation.kill(child.pid, number)
    }

    func pid(of role: String) throws -> Int32 {
        guard let child = roles.withLock({ $0[role] }) else {
            throw Failure(description: "no role \(role)")
        }
        return child.pid
    }

    /// Waits for the end of a role that ends by itself.
    func exit(of role: String) async throws -> ProcessExit {
        guard let child = roles.withLock({ $0.removeValue(forKey: role) }) else {
            throw Failure(description: "no role \(role)")
        }
        return await child.wait()
    }

    func waitForWorkers(_ count: Int) async throws {
        try await eventually("\(count) workers are listed", within: .seconds(30)) {
            let reply = try await HeadProbe(self).get("/api/cluster")
            return reply.text.components(separatedBy: "\"pid\"").count == count + 1
        }
    }

    /// kill -9 of one role.
    func kill(_ role: String) async throws {
        guard let child = roles.withLock({ $0.removeValue(forKey: role) }) else {
            throw Failure(description: "no role \(role)")
        }
        Foundation.kill(child.pid, SIGKILL)
        _ = await child.wait()
    }

    /// Ends one role in order.
    func stopRole(_ role: String) async {
        let child = roles.withLock { $0.removeValue(forKey: role) }
        await child?.terminate(grace: .seconds(3))
    }

    func log(of role: String) -> String {
        (try? String(contentsOfFile: "\(folder)/\(role).log", encoding: .utf8)) ?? ""
    }

    func stop() async {
        let all = roles.withLock { roles in
            defer { roles = [:] }
            return Array(roles.values)
        }
        for child in all { child.signal(SIGCONT) }
        for child in all { await child.terminate(grace: .seconds(3)) }
        await redis.stop()
        try? FileManager.default.removeItem(atPath: folder)
    }

    // MARK: Commands

    /// Runs `manta …` to its end.
    func manta(_ arguments: [String], in directory: String? = nil) async throws -> Output {
        try await CommandRun.run(
            try Products.manta, arguments, environment: environment,
            in: directory ?? folder + "/work")
    }

    /// Writes a script and submits it, waiting for its end.
    func submit(
        _ source: String, named name: String = "job.swift", options: [String] = [],
        arguments: [String] = []
    ) async throws -> Output {
        let path = try write(source, named: name)
        return try await manta(["job", "submit"] + options + [path, "--"] + arguments)
    }

    func write(_ text: String, named name: String) throws -> String {
        let path = "\(folder)/work/\(name)"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }
}

/// The programs under test, beside the test bundle.
enum Products {
    static var folder: String {
        (ExecutablePath.current as NSString).deletingLastPathComponent
    }

    /// - Throws: words that name the command that builds it.
    static var manta: String {
        get throws {
            let path = folder + "/manta"
            let sdk = (folder + "/../lib/manta-sdk" as NSString).standardizingPath
            guard FileManager.default.isExecutableFile(atPath: path),
                FileManager.default.fileExists(atPath: sdk + "/flags")
            else {
                throw TestCluster.Failure(
                    description: "\(path) or \(sdk) is missing: run script/build --debug first")
            }
            return path
        }
    }
}

/// One program from start to end, its streams kept apart.
enum CommandRun {
    static func run(
        _ executable: String, _ arguments: [String], environment: [String: String],
        in directory: String, onStart: (@Sendable (ChildProcess) -> Void)? = nil
    ) async throws -> TestCluster.Output {
        var specification = ChildProcess.Specification(
            executable, arguments, environment: environment)
        specification.workingDirectory = directory
        specification.standardOutput = .pipe
        specification.standardError = .pipe
        let started = ContinuousClock.now
        let child = try ChildProcess.spawn(specification)
        onStart?(child)
        let box = TextBox()
        let pump = try OutputPump(
            standardOutput: child.standardOutput, standardError: child.standardError
        ) { stream, line in box.add(stream, line) }
        let exit = await child.wait()
        await pump.wait()
        return TestCluster.Output(
            exit: exit, out: box.out, err: box.err, duration: ContinuousClock.now - started)
    }
}

final class TextBox: Sendable {
    private let texts = Mutex<[OutputPump.Stream: String]>([:])

    var out: String { texts.withLock { $0[.out] ?? "" } }
    var err: String { texts.withLock { $0[.err] ?? "" } }

    func add(_ stream: OutputPump.Stream, _ line: LineSplitter.Line) {
        texts.withLock {
            $0[stream, default: ""] += line.text + (line.endsWithLineFeed ? "\n" : "")
        }
    }
}

/// Waits for a condition; fails with its name when it never holds.
func eventually(
    _ what: String, within limit: Duration = .seconds(20), _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < deadline else {
            throw TestCluster.Failure(description: "never: \(what)")
        }
        try await Task.sleep(for: .milliseconds(50))
    }
}

enum FreePorts {
    static func one() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr = in_addr(s_addr: UInt32(0x7F00_0001).bigEndian)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
            }
        }
        guard isBound else { throw TestCluster.Failure(description: "no free port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
