import ArgumentParser
import Foundation
import Processes

/// Where a `manta up` keeps its data; every command that looks for one takes it.
struct UpLocation: ParsableArguments {
    @Option(help: "Where Redis, MLflow and the logs live (MANTA_DATA_DIR).")
    var dataDir: String?

    func directory(_ environment: Environment) -> String {
        let text = dataDir ?? environment["MANTA_DATA_DIR"] ?? environment.dataDirectory
        let absolute =
            text.hasPrefix("/") ? text : FileManager.default.currentDirectoryPath + "/" + text
        return (absolute as NSString).standardizingPath
    }
}

/// What `manta up` takes.
struct UpOptions: ParsableArguments {
    @OptionGroup var location: UpLocation

    @Option(help: "Worker processes.")
    var workers = 2

    @Option(help: "CPUs of each worker; default: an equal share of this machine's.")
    var cpus: Double?

    @Option(help: "Added to every default port.")
    var portOffset = 0

    func validate() throws {
        guard (1...64).contains(workers) else {
            throw ValidationError("--workers must be in 1…64, not \(workers).")
        }
        if let cpus, !(cpus > 0 && cpus <= 4_096) {
            throw ValidationError("--cpus must be in 0…4096, not \(cpus).")
        }
        guard (0...50_000).contains(portOffset) else {
            throw ValidationError("--port-offset must be in 0…50000, not \(portOffset).")
        }
    }
}

struct UpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Run everything on this machine: Redis, MLflow, head, workers and gateway.",
        discussion: "One Ctrl-C, or `manta down`, ends all of it. REDIS_URL and "
            + "MLFLOW_TRACKING_URI name servers to use instead of starting them.")

    @OptionGroup var options: UpOptions

    @Flag(help: "Return as soon as everything is up; `manta down` ends it.")
    var detach = false

    func run() async throws {
        let environment = Environment.current()
        let directory = options.location.directory(environment)
        if let running = UpState.read(environment, dataDirectory: directory) {
            throw CommandFailure(
                "manta is up already on \(directory) (pid \(running.pid)). "
                    + "See `manta status`; end it with `manta down`.", code: ExitStatus.conflict)
        }
        if detach { return try await Detached(options: options, directory: directory).start() }
        // Two of them on one folder would give Redis's files two writers.
        guard let lock = FolderLock(directory) else {
            throw CommandFailure(
                "another manta up starts on \(directory) at this moment.", code: ExitStatus.conflict
            )
        }
        let plan = try UpPlan(options, environment)
        try await runUntilSignalled { try await Supervisor(plan).run() }
        withExtendedLifetime(lock) {}
    }
}

/// Starts `manta up` again in a session of its own and waits until it is ready.
struct Detached {
    let options: UpOptions
    let directory: String

    static let patience = Duration.seconds(240)

    func start() async throws {
        try FileManager.default.createDirectory(
            atPath: directory + "/logs", withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        try? FileManager.default.removeItem(atPath: UpState.path(in: directory))
        var arguments = [
            "up", "--workers", String(options.workers), "--port-offset", String(options.portOffset),
            "--data-dir", directory,
        ]
        if let cpus = options.cpus { arguments += ["--cpus", String(cpus)] }
        var specification = ChildProcess.Specification(
            ExecutablePath.current, arguments, environment: Environment.current().values)
        specification.standardOutput = .file(directory + "/logs/up.log")
        specification.standardError = .file(directory + "/logs/up.log")
        specification.isSessionLeader = true
        specification.deathSignal = nil
        let child = try ChildProcess.spawn(specification)
        let deadline = ContinuousClock.now + Detached.patience
        var shown: Set<String> = []
        while ContinuousClock.now < deadline {
            let state = UpState.read(Environment.current(), dataDirectory: directory)
            for component in state?.components ?? [] where component.state == "up" {
                if shown.insert(component.name).inserted { writeError(UpReport.line(component)) }
            }
            if let state, state.isReady { return writeOut(UpReport.ready(state)) }
            if let broken = state?.components.first(where: { $0.isBroken }) {
                await child.terminate()
                throw failure("ended: \(broken.name) keeps failing", log: broken.log)
            }
            if let exit = child.exitStatus { throw failure("ended with \(exit)") }
            try await Task.sleep(for: .milliseconds(100))
        }
        await child.terminate()
        throw failure("was not ready after \(Detached.patience.components.seconds) s")
    }

    private func failure(_ what: String, log: String? = nil) -> CommandFailure {
        let log = log ?? directory + "/logs/up.log"
        let text = FileManager.default.contents(atPath: log).map {
            String(decoding: $0, as: UTF8.self)
        }
        let tail = text?.split(separator: "\n").suffix(5).joined(separator: "\n") ?? ""
        return CommandFailure("manta up \(what).\n\(tail)\nSee the logs in \(directory)/logs.")
    }
}
