import Foundation
import HTTPClient
import Processes

/// What `manta up` starts on this machine, and where each part listens.
struct UpPlan: Sendable {
    let environment: Environment
    let options: UpOptions
    let dataDirectory: String
    let logDirectory: String
    let token: String
    let binary: String
    let headPort: Int
    let gatewayPort: Int
    let opsPort: Int
    /// Nil when the environment names a server already.
    let redisPort: Int?
    let mlflowPort: Int?
    private let redisPassword: String
    private let http = HTTPClient()

    init(_ options: UpOptions, _ environment: Environment) throws {
        self.options = options
        self.environment = environment
        dataDirectory = options.location.directory(environment)
        logDirectory = dataDirectory + "/logs"
        binary = ExecutablePath.current
        for folder in ["redis", "mlflow", "origin", "gateway", "logs"] {
            try FileManager.default.createDirectory(
                atPath: "\(dataDirectory)/\(folder)", withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        }
        guard let token = try environment.token(makes: true) else {
            throw SettingError("no token could be made.")
        }
        self.token = token
        var taken: Set<Int> = []
        let offset = options.portOffset
        headPort = try FreePort.from(8265 + offset, taken: &taken)
        gatewayPort = try FreePort.from(8000 + offset, taken: &taken)
        opsPort = try FreePort.from(8002 + offset, taken: &taken)
        redisPort =
            environment.storeURL(nil) == nil
            ? try FreePort.from(6379 + offset, taken: &taken) : nil
        mlflowPort =
            environment["MLFLOW_TRACKING_URI"] == nil
            ? try FreePort.from(5000 + offset, taken: &taken) : nil
        redisPassword = try SecretFile.make(dataDirectory + "/redis/password")
    }

    var headURL: String { "http://localhost:\(headPort)" }
    var gatewayURL: String { "http://localhost:\(gatewayPort)" }
    var mlflowURL: String {
        mlflowPort.map { "http://localhost:\($0)" } ?? environment["MLFLOW_TRACKING_URI"] ?? ""
    }
    var storeURL: String {
        redisPort.map { "redis://:\(redisPassword)@127.0.0.1:\($0)" }
            ?? environment.storeURL(nil) ?? ""
    }

    /// The parts in the order they start; Redis first, everything else at once.
    func components() throws -> [Component] {
        var components: [Component] = []
        if let redisPort { components.append(try redis(redisPort)) }
        if let mlflowPort { components.append(try mlflow(mlflowPort)) }
        components.append(head())
        for number in 1...options.workers { components.append(worker(number)) }
        components.append(gateway())
        return components
    }

    // MARK: Programs of others

    private func redis(_ port: Int) throws -> Component {
        guard let program = environment.program("redis-server") else {
            throw SettingError(
                "redis-server is not installed: apt-get install redis-server, run "
                    + "script/bootstrap, or name a server with REDIS_URL.")
        }
        let folder = dataDirectory + "/redis"
        let configuration = """
            bind 127.0.0.1
            port \(port)
            requirepass \(redisPassword)
            dir "\(folder)"
            appendonly yes
            appendfsync everysec
            save ""
            maxmemory-policy noeviction
            daemonize no

            """
        let path = folder + "/redis.conf"
        try Data(configuration.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        var specification = ChildProcess.Specification(
            program, [path], environment: environment.values)
        specification.deathSignal = SIGTERM
        return Component(
            name: "redis", specification: specification, url: "redis://localhost:\(port)",
            logPath: logDirectory + "/redis.log", isReady: { FreePort.answers(port) })
    }

    private func mlflow(_ port: Int) throws -> Component {
        guard let program = environment.program("mlflow") else {
            throw SettingError(
                "mlflow is not installed: run script/bootstrap, pip install mlflow, "
                    + "or name a server with MLFLOW_TRACKING_URI.")
        }
        let folder = dataDirectory + "/mlflow"
        var variables = environment.values
        // Its job runner is eight more processes and a gigabyte that nothing here uses.
        variables["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
        variables["MLFLOW_DISABLE_TELEMETRY"] = "true"
        var specification = ChildProcess.Specification(
            program,
            [
                "server", "--host", "127.0.0.1", "--port", String(port), "--workers", "1",
                "--backend-store-uri", "sqlite:///\(folder)/mlflow.db",
                "--artifacts-destination", folder + "/artifacts",
            ], environment: variables)
        specification.workingDirectory = folder
        return Component(
            name: "mlflow", specification: specification, isGuarded: true,
            url: "http://localhost:\(port)", logPath: logDirectory + "/mlflow.log",
            isReady: isHealthy("http://127.0.0.1:\(port)/health"))
    }

    // MARK: Our own roles

    private func role(_ arguments: [String]) -> ChildProcess.Specification {
        var variables = environment.values
        variables["MANTA_STORE"] = storeURL
        variables["MANTA_TOKEN"] = token
        variables["MANTA_ORIGIN"] = dataDirectory + "/origin"
        variables["MANTA_ADDRESS"] = headURL
        variables["MLFLOW_TRACKING_URI"] = mlflowURL
        return ChildProcess.Specification(binary, arguments, environment: variables)
    }

    private func head() -> Component {
        Component(
            name: "head", specification: role(["head", "--port", String(headPort)]), url: headURL,
            logPath: logDirectory + "/head.log",
            isReady: isHealthy("http://127.0.0.1:\(headPort)/readyz"))
    }

    private func worker(_ number: Int) -> Component {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        let cpus = options.cpus ?? max(1, Double(cores / options.workers))
        let name = "worker-\(number)"
        let log = "\(logDirectory)/\(name).log"
        return Component(
            name: name,
            specification: role(["worker", "--name", name, "--cpus", String(cpus)]),
            logPath: log,
            isReady: { [http, headPort, token] in
                var headers = HTTPHeaders()
                headers.append(name: "Authorization", value: "Bearer \(token)")
                let request = HTTPRequest(
                    .get, "http://127.0.0.1:\(headPort)/api/cluster", headers: headers,
                    timeout: .seconds(2))
                guard let reply = try? await http.send(request), reply.isSuccess else {
                    return false
                }
                return reply.bodyText.contains("\"name\":\"\(name)\"")
            })
    }

    private func gateway() -> Component {
        Component(
            name: "gateway",
            specification: role([
                "gateway", "--port", String(gatewayPort), "--ops-port", String(opsPort),
                "--state-dir", dataDirectory + "/gateway",
            ]),
            url: gatewayURL, logPath: logDirectory + "/gateway.log",
            isReady: isHealthy("http://127.0.0.1:\(gatewayPort)/livez"))
    }

    private func isHealthy(_ url: String) -> @Sendable () async -> Bool {
        { [http] in
            let request = HTTPRequest(.get, url, timeout: .seconds(2))
            return (try? await http.send(request))?.isSuccess ?? false
        }
    }
}
