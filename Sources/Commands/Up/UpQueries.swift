import ArgumentParser
import Foundation

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show what `manta up` runs on this machine.")

    @OptionGroup var location: UpLocation

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let environment = Environment.current()
        let directory = location.directory(environment)
        guard let state = UpState.read(environment, dataDirectory: directory) else {
            throw CommandFailure(
                "manta is not up on \(directory). Start it with `manta up`.",
                code: ExitStatus.notFound)
        }
        if json { return try writeJSON(state) }
        let rows = state.components.map {
            [$0.name, $0.state, $0.pid.map(String.init) ?? "-", String($0.restarts), $0.url ?? "-"]
        }
        writeOut(TextTable.render(["COMPONENT", "STATE", "PID", "RESTARTS", "URL"], rows))
    }
}

struct DownCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "down", abstract: "End what `manta up` runs on this machine.")

    @OptionGroup var location: UpLocation

    static let patience = Duration.seconds(15)

    func run() async throws {
        let environment = Environment.current()
        let directory = location.directory(environment)
        guard let state = UpState.read(environment, dataDirectory: directory) else {
            return writeOut("manta is not up on \(directory).\n")
        }
        kill(state.pid, SIGTERM)
        let deadline = ContinuousClock.now + DownCommand.patience
        while state.isAlive {
            if ContinuousClock.now >= deadline {
                // Its children end with it; their guards clean up after the rest.
                kill(state.pid, SIGKILL)
                break
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        try? FileManager.default.removeItem(atPath: UpState.path(in: directory))
        writeOut("manta is down.\n")
    }
}

struct EnvCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "env",
        abstract: "Print shell lines that point this and Ray's clients at the cluster.",
        discussion: "eval \"$(manta env)\"")

    @OptionGroup var location: UpLocation

    func run() async throws {
        let environment = Environment.current()
        let state = UpState.read(environment, dataDirectory: location.directory(environment))
        let tokenFile = environment["MANTA_TOKEN_FILE"] ?? environment.stateDirectory + "/token"
        var lines = [
            ("MANTA_ADDRESS", state?.head?.url ?? environment.headAddress(nil)),
            ("MANTA_TOKEN_FILE", tokenFile),
            ("RAY_API_SERVER_ADDRESS", state?.head?.url ?? environment.headAddress(nil)),
            ("RAY_AUTH_MODE", "token"),
            ("RAY_AUTH_TOKEN_PATH", tokenFile),
        ]
        if let gateway = state?.gateway?.url { lines.append(("MANTA_GATEWAY_ADDRESS", gateway)) }
        if let mlflow = state?.mlflow?.url { lines.append(("MLFLOW_TRACKING_URI", mlflow)) }
        for (name, value) in lines {
            writeOut("export \(name)=\(ShellWords.join([value]))\n")
        }
    }
}
